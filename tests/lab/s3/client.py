#!/usr/bin/python3
"""A small S3 client, made to start fast: client.py FOLDER COMMAND [ARGUMENT...], see COMMANDS at the end.

It is no part of snapctl and shares nothing with it. FOLDER/env tells where and who; LAB_S3_USER (tester, other, quota,
admin) whose keys are used, LAB_S3_BUCKET which bucket.
"""
import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import sys
import time
import urllib.parse
from xml.etree import ElementTree

WHO = {"tester": "S3_", "other": "S3_OTHER_", "quota": "S3_QUOTA_", "admin": "S3_ADMIN_"}


def fail(text):
    print(f"lab: s3: {text}", file=sys.stderr)
    sys.exit(1)


class Store:
    def __init__(self, folder):
        self.folder = folder
        with open(f"{folder}/env") as file:
            self.env = dict(line.strip().split("=", 1) for line in file if "=" in line)
        self.as_user(os.environ.get("LAB_S3_USER", "tester"))
        self.bucket = os.environ.get("LAB_S3_BUCKET", self.env["S3_BUCKET"])
        self.at("S3_ENDPOINT")

    def at(self, name):
        self.host = self.env[name]
        self.connection = http.client.HTTPConnection(self.host, timeout=60)

    def as_user(self, name):
        self.access, self.secret = (self.env[WHO[name] + key] for key in ("ACCESS_KEY", "SECRET_KEY"))

    def call(self, method, path="", query=(), body=b"", headers=(), fine=(200, 204), sink=None):
        """Answers (headers, body); an answer that is not fine ends the program."""
        path = "/" + urllib.parse.quote(path)
        query = "&".join(f"{quote(k)}={quote(v)}" for k, v in sorted(dict(query).items()))
        headers = self.sign(method, path, query, body, dict(headers))
        self.connection.request(method, path + ("?" + query if query else ""), body or None, headers)
        answer = self.connection.getresponse()
        if answer.status not in fine:
            code = re.search(r"<Code>(.*?)</Code>", answer.read().decode("utf-8", "replace"))
            fail(f"{method} {path}: {answer.status} {code.group(1) if code else ''}")
        if sink is None:
            return answer, answer.read()
        while data := answer.read(1 << 20):
            sink.write(data)
        return answer, b""

    def sign(self, method, path, query, body, headers):
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        digest = hashlib.sha256(body).hexdigest()
        headers = {**headers, "host": self.host, "x-amz-date": date, "x-amz-content-sha256": digest}
        names = sorted(headers, key=str.lower)
        signed = ";".join(name.lower() for name in names)
        lines = [method, path, query, *(f"{name.lower()}:{headers[name]}" for name in names), "", signed, digest]
        scope = f"{date[:8]}/us-east-1/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()}"
        key = ("AWS4" + self.secret).encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        mark = hmac.digest(key, text.encode(), "sha256").hex()
        headers["Authorization"] = \
            f"AWS4-HMAC-SHA256 Credential={self.access}/{scope}, SignedHeaders={signed}, Signature={mark}"
        return headers

    def form(self, **fields):
        """A call of the STS and IAM interfaces."""
        body = urllib.parse.urlencode(fields, quote_via=urllib.parse.quote).encode()
        return self.call("POST", body=body, headers={"content-type": "application/x-www-form-urlencoded"})[1].decode()

    def pages(self, query, entry):
        """Every ENTRY of a listing, as dictionaries, page by page."""
        query = dict(query)
        while True:
            root = ElementTree.fromstring(re.sub(rb' xmlns="[^"]*"', b"", self.call("GET", self.bucket, query)[1]))
            for element in root.findall(entry):
                yield {child.tag: child.text or "" for child in element}
            if root.findtext("IsTruncated") != "true":
                return
            for mark in ("NextContinuationToken", "NextKeyMarker", "NextUploadIdMarker"):
                if root.findtext(mark):
                    query[{"NextContinuationToken": "continuation-token", "NextKeyMarker": "key-marker",
                           "NextUploadIdMarker": "upload-id-marker"}[mark]] = root.findtext(mark)

    def objects(self):
        return self.pages({"list-type": "2"}, "Contents")

    def uploads(self):
        return self.pages({"uploads": ""}, "Upload")

    def versions(self):
        for entry in ("Version", "DeleteMarker"):
            yield from self.pages({"versions": ""}, entry)


def quote(text):
    return urllib.parse.quote(str(text), safe="-_.~")


def ls(store, bucket=None):
    store.bucket = bucket or store.bucket
    for entry in store.objects():
        print(entry["Key"], entry["Size"])


def get(store, key, file="-"):
    """Into FILE, which appears only when all is there; - is standard output."""
    if file == "-":
        store.call("GET", f"{store.bucket}/{key}", sink=sys.stdout.buffer)
        return
    with open(file + ".part", "wb") as sink:
        store.call("GET", f"{store.bucket}/{key}", sink=sink)
    os.rename(file + ".part", file)


def put(store, key, file):
    with open(file, "rb") as source:
        store.call("PUT", f"{store.bucket}/{key}", body=source.read())


def fill(store, count, prefix):
    for i in range(int(count)):
        store.call("PUT", f"{store.bucket}/{prefix}{i}.zip", body=b"x")


def head(store, key):
    answer, _ = store.call("HEAD", f"{store.bucket}/{key}")
    for name, value in sorted((name.lower(), value) for name, value in answer.getheaders()):
        print(f"{name}: {value}")


def delete(store, key):
    store.call("DELETE", f"{store.bucket}/{key}")


def uploads(store):
    for entry in store.uploads():
        print(entry["Key"], entry["UploadId"])


def empty(store):
    for entry in list(store.uploads()):
        # It may have been completed or aborted by its owner meanwhile.
        store.call("DELETE", f"{store.bucket}/{entry['Key']}", {"uploadId": entry["UploadId"]}, fine=(204, 404))
    entries = list(store.versions())
    for start in range(0, len(entries), 1000):
        body = ElementTree.Element("Delete")
        for entry in entries[start:start + 1000]:
            element = ElementTree.SubElement(body, "Object")
            for name in ("Key", "VersionId"):
                ElementTree.SubElement(element, name).text = entry[name]
        body = ElementTree.tostring(body)
        _, text = store.call("POST", store.bucket, {"delete": ""}, body,
                             {"content-md5": base64.b64encode(hashlib.md5(body).digest()).decode()})
        if b"<Error>" in text:
            fail(text.decode())


def bucket_put(store, bucket):
    store.call("PUT", bucket)


def bucket_delete(store, bucket):
    store.bucket = bucket
    empty(store)
    store.call("DELETE", bucket)


def policy(store, what):
    """What `other` may do: no-abort, put-only, read-only; a file with a policy; or off."""
    if what == "off":
        store.call("DELETE", store.bucket, {"policy": ""})
        return
    objects = {"no-abort": ["s3:*Object"], "put-only": ["s3:PutObject"], "read-only": ["s3:GetObject"]}.get(what)
    if objects is None:
        with open(what, "rb") as file:
            text = file.read()
    else:
        allow = [(["s3:ListBucket"], "")] if what != "put-only" else []
        who = {"AWS": ["arn:aws:iam:::user/other"]}
        text = json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": who, "Action": actions, "Resource": f"arn:aws:s3:::{store.bucket}{below}"}
            for actions, below in [*allow, (objects, "/*")]]}).encode()
    store.call("PUT", store.bucket, {"policy": ""}, text)


def quota(store, size):
    """The room in each bucket of the user `quota`, in whole KiB. (What a user has in all is counted late.)"""
    store.as_user("admin")
    limit = {"enabled": "false", "max-size-kb": "-1"} if size == "off" else \
        {"enabled": "true", "max-size-kb": (int(size) + 1023) // 1024}
    store.call("PUT", "admin/user", {"quota": "", "uid": "quota", "quota-type": "bucket", "max-objects": "-1", **limit})


def sts(store, seconds="3600"):
    """Session keys of the role: access key, secret key, token, and when they end, one a line."""
    store.at("S3_STS_ENDPOINT")
    text = store.form(Action="AssumeRole", Version="2011-06-15", RoleArn=store.env["S3_ROLE_ARN"], RoleSessionName="lab",
                      DurationSeconds=seconds)
    for name in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"):
        print(re.search(f"<{name}>(.*?)</{name}>", text).group(1))


def allow(principal, action, condition=None):
    statement = {"Effect": "Allow", "Principal": principal, "Action": [action]}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, **({"Condition": condition} if condition else {})}]})


def setup(store, issuer, thumbprint):
    """What a fresh gateway needs, which knows the user admin only: users, roles, buckets."""
    store.as_user("admin")
    for user in ("tester", "other", "quota"):
        store.call("PUT", "admin/user", {
            "uid": user, "display-name": user, "access-key": store.env[WHO[user] + "ACCESS_KEY"],
            "secret-key": store.env[WHO[user] + "SECRET_KEY"]})
    store.form(**{"Action": "CreateOpenIDConnectProvider", "Url": issuer, "ThumbprintList.member.1": thumbprint,
                  "ClientIDList.member.1": "sts.amazonaws.com"})
    place = issuer.split("://")[1]
    roles = {
        "etcd-role": allow({"AWS": ["arn:aws:iam:::user/tester"]}, "sts:AssumeRole"),
        "web-role": allow({"Federated": [f"arn:aws:iam:::oidc-provider/{place}"]}, "sts:AssumeRoleWithWebIdentity",
                          {"StringEquals": {f"{place}:app_id": "sts.amazonaws.com"}})}
    everything = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:*"], "Resource": "arn:aws:s3:::*"}]})
    for name, trust in roles.items():
        store.form(Action="CreateRole", RoleName=name, AssumeRolePolicyDocument=trust)
        store.form(Action="PutRolePolicy", RoleName=name, PolicyName="all", PolicyDocument=everything)
    store.as_user("tester")
    bucket_put(store, store.env["S3_BUCKET"])
    store.as_user("quota")
    bucket_put(store, store.env["S3_QUOTA_BUCKET"])


COMMANDS = {"ls": ls, "get": get, "put": put, "fill": fill, "head": head, "rm": delete, "uploads": uploads, "empty": empty,
            "mb": bucket_put, "rb": bucket_delete, "policy": policy, "quota": quota, "sts": sts, "setup": setup}

if __name__ == "__main__":
    try:
        COMMANDS[sys.argv[2]](Store(sys.argv[1]), *sys.argv[3:])
    except OSError as problem:
        fail(problem)
