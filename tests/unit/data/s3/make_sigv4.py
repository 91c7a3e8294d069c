#!/usr/bin/python3
"""Signs the cases below with botocore (Debian: python3-botocore) and prints sigv4.json:

    ./make_sigv4.py >sigv4.json

botocore is a signer that shares no code with snapctl's, so what it prints is what snapctl must make."""
import datetime
import json
from unittest import mock
from urllib.parse import quote

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

BODY = b"The body of one part.\n"
PLAIN = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None)
ROLE = ("ASIAEXAMPLE", "hK/0123+secret=", "FwoGZXIvYXdzEB//token+with/reserved=chars==")

# name, credentials, region, service, time, method, origin, key as the user knows it, query, headers, body
CASES = [
    ("plain-get", PLAIN, "us-east-1", "s3", "20240229T235959Z", "GET", "https://bucket.s3.amazonaws.com",
     "/snapshot.zip", [], [], b""),
    ("put-part", PLAIN, "eu-central-1", "s3", "20240301T000000Z", "PUT", "https://bucket.s3.eu-central-1.amazonaws.com",
     "/folder/nightly.zip", [("partNumber", "10"), ("uploadId", "VXBsb2FkIElE/+=")],
     [("content-type", "application/zip"), ("x-amz-meta-node", "127.0.0.2")], BODY),
    ("utf8-key", PLAIN, "us-east-1", "s3", "20240301T000000Z", "PUT", "https://bucket.s3.amazonaws.com",
     "/Sicherungen/täglich/スナップ\U0001f4be.zip", [], [], BODY),
    ("reserved-key", PLAIN, "us-east-1", "s3", "20240301T000000Z", "PUT", "https://bucket.s3.amazonaws.com",
     "/a b+c&d=e?f#g%h%20i:j;k,l@m!n$o'p(q)r*s[t]u\"v<w>x\\y^z`{|}~-_.zip", [], [], BODY),
    ("dots-and-slashes", PLAIN, "us-east-1", "s3", "20240301T000000Z", "GET", "https://bucket.s3.amazonaws.com",
     "//a//./b/../c/..", [], [], b""),
    ("root", PLAIN, "us-east-1", "s3", "20240301T000000Z", "GET", "https://bucket.s3.amazonaws.com", "/", [], [], b""),
    ("query-order", PLAIN, "us-east-1", "s3", "20240301T000000Z", "GET", "https://bucket.s3.amazonaws.com", "/",
     [("prefix", "folder/ä b+c"), ("list-type", "2"), ("Prefix", "upper"), ("delimiter", "/"), ("a-b", "1"), ("a", "2"),
      ("é", "last"), ("max-keys", "1000"), ("~", "tilde")], [], b""),
    ("empty-value", PLAIN, "us-east-1", "s3", "20240301T000000Z", "POST", "https://bucket.s3.amazonaws.com",
     "/nightly.zip", [("uploads", ""), ("x", "")], [("content-type", "application/zip")], b""),
    ("headers", PLAIN, "us-east-1", "s3", "20240301T000000Z", "PUT", "https://bucket.s3.amazonaws.com",
     "/nightly.zip", [], [("X-Amz-Meta-B", "  two   blanks\t\there "), ("x-amz-meta-a", "1"), ("X-AMZ-META-A", " 0"),
                          ("x-amz-tagging", "k=v&l=w"), ("x-amz-meta-empty", ""), ("Content-Type", "application/zip")],
     BODY),
    ("session-token", ROLE, "eu-west-1", "s3", "20240301T000000Z", "PUT", "https://bucket.s3.eu-west-1.amazonaws.com",
     "/nightly.zip", [("partNumber", "1"), ("uploadId", "x")], [("content-type", "application/zip")], BODY),
    ("port-of-its-own", PLAIN, "default", "s3", "20240301T000000Z", "GET", "http://127.0.0.9:9000",
     "/bucket/nightly.zip", [("uploadId", "2~abc")], [], b""),
    ("ipv6", PLAIN, "us-east-1", "s3", "20240301T000000Z", "GET", "https://[::1]:8443", "/bucket/nightly.zip", [], [], b""),
    ("china", PLAIN, "cn-north-1", "s3", "20240301T000000Z", "GET", "https://bucket.s3.cn-north-1.amazonaws.com.cn",
     "/nightly.zip", [], [], b""),
    ("other-service", ROLE, "us-east-1", "sts", "20240301T000000Z", "GET", "https://sts.amazonaws.com", "/",
     [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")], [], b""),
    ("other-service-path", PLAIN, "us-east-1", "execute-api", "20240301T000000Z", "POST", "https://api.example.com",
     "//stage/./a b/x/../ü%2F/", [], [("content-type", "application/json")], BODY),
]
EXPIRES = {"plain-get": 1, "session-token": 604800}


class Clock(datetime.datetime):
    now_text = ""

    @classmethod
    def utcnow(cls):
        return cls.strptime(cls.now_text, "%Y%m%dT%H%M%SZ")


def recorded(signer):
    """Makes the signer keep the steps that led to its signature."""
    steps = {}
    for name in ("canonical_request", "string_to_sign", "signature"):
        def keep(*args, method=getattr(signer, name), step=name):
            steps[step] = method(*args)
            return steps[step]
        setattr(signer, name, keep)
    return steps


def sign(signer, case):
    _, _, _, _, time, method, origin, path, query, headers, body = case
    url = origin + quote(path, safe="/-_.~")
    request = AWSRequest(method=method, url=url, params=dict(query), data=body)
    for name, value in headers:
        request.headers[name] = value
    Clock.now_text = time
    steps = recorded(signer)
    with mock.patch.object(auth.datetime, "datetime", Clock):
        signer.add_auth(request)
    return {**steps, "authorization": request.headers.get("Authorization")}


def signed(case):
    name, (access, secret, token), region, service, time, method, origin, path, query, headers, body = case
    s3 = service == "s3"
    credentials = Credentials(access, secret, token)
    expires = EXPIRES.get(name, 3600)
    in_header = (auth.S3SigV4Auth if s3 else auth.SigV4Auth)(credentials, service, region)
    in_query = (auth.S3SigV4QueryAuth if s3 else auth.SigV4QueryAuth)(credentials, service, region, expires)
    # botocore takes the body of a presigned request for a form, and moves it into the query.
    without_body = (*case[:-1], b"")
    return {
        "name": name, "access_key": access, "secret_key": secret, "session_token": token, "region": region,
        "service": service, "time": time, "method": method, "host": origin.split("//")[1], "path": path,
        "encoded_path": quote(path, safe="/-_.~"), "query": query, "headers": headers, "body": body.decode(),
        "expires": expires, "header": sign(in_header, case), "presigned": sign(in_query, without_body),
    }


print(json.dumps([signed(case) for case in CASES], indent=1, ensure_ascii=True))
