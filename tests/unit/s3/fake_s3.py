"""A small S3 for tests, on the loopback interface only: keeps objects in memory, checks signatures, hashes and clocks,
and fails as it is told. Prints "ready PORT", and ends when its standard input does.

GET /!/rule?method=PUT&query=partNumber&skip=1&count=2&do=error:503:SlowDown  the next matching requests but `skip` fail
                                          (also header=, a name that must be there; key=, only those to keys that have it)
GET /!/set?clock=1200   the server's clock is ahead (also region=, token= for the only good session token, locking=no)
GET /!/state            objects, multipart uploads and counted requests as text
GET /!/reset
A rule's "do": error:STATUS:CODE, bare:STATUS, inside:CODE, cut (in the middle of the body), fade:SECONDS (it says that it goes on for so long, and is cut), lost (done, but not
answered), etag (done, answered with another), moved:REGION, text:BODY, many:N (a page of N objects, and more behind it), blank (a Complete that tells no ETag), hang[:SECONDS] (silent, and then cut), late:SECONDS, header:NAME:VALUE."""
import base64, datetime, hashlib, hmac, http.server, sys, threading, time, urllib.parse as up
import xml.etree.ElementTree as et

SECRET = {"AKID": "secret+key/1", "AKID2": "secret+key/2"}
lock = threading.RLock()
state = {}


def reset():
    state.update(objects={}, uploads={}, rules=[], counts={}, clock=0, region="us-east-1", token="", locking="yes", n=0)


def quote(text, safe="-_.~"):
    return up.quote(text, safe=safe)


def etag_of(body, meta):
    # Under SSE-KMS an ETag is not the body's MD5.
    kms = meta.get("x-amz-server-side-encryption") == "aws:kms"
    return hashlib.md5(body + (b"kms" if kms else b"")).hexdigest()


class Refused(Exception):
    def __init__(self, status, code, extra=""):
        self.status, self.code, self.extra = status, code, extra


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def date_time_string(self, timestamp=None):
        return super().date_time_string(time.time() + state["clock"])

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status, code, extra=""):
        body = f"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as told</Message>{extra}</Error>"
        self.answer(status, body.encode())

    # ---- signatures ----

    def check(self, body):
        auth = self.headers.get("authorization", "")
        if not auth.startswith("AWS4-HMAC-SHA256 "):
            raise Refused(403, "AccessDenied")
        fields = dict(f.strip().split("=", 1) for f in auth[17:].split(","))
        key, day, region, service, _ = fields["Credential"].split("/")
        if key not in SECRET:
            raise Refused(403, "InvalidAccessKeyId")
        if state["token"] and self.headers.get("x-amz-security-token") != state["token"]:
            raise Refused(400, "ExpiredToken")
        if region != state["region"]:
            raise Refused(400, "AuthorizationHeaderMalformed", f"<Region>{state['region']}</Region>")
        stamp = self.headers["x-amz-date"]
        sent = datetime.datetime.strptime(stamp + "+0000", "%Y%m%dT%H%M%SZ%z").timestamp()
        if abs(sent - time.time() - state["clock"]) > 900:
            raise Refused(403, "RequestTimeTooSkewed")
        digest = hashlib.sha256(body).hexdigest()
        if self.headers["x-amz-content-sha256"] != digest:
            raise Refused(400, "XAmzContentSHA256Mismatch")
        signed = fields["SignedHeaders"].split(";")
        must = {h.lower() for h in self.headers if h.lower().startswith("x-amz-") or h.lower() == "host"}
        if not must <= set(signed):
            raise Refused(403, "SignatureDoesNotMatch")
        split = up.urlsplit(self.path)
        query = sorted((quote(k), quote(v)) for k, v in up.parse_qsl(split.query, keep_blank_values=True))
        canonical = "\n".join([self.command, split.path, "&".join(f"{k}={v}" for k, v in query)]
                              + [f"{h}:{' '.join(self.headers[h].split())}" for h in signed]
                              + ["", fields["SignedHeaders"], digest])
        to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, f"{day}/{region}/s3/aws4_request",
                             hashlib.sha256(canonical.encode()).hexdigest()])
        k = ("AWS4" + SECRET[key]).encode()
        for part in (day, region, "s3", "aws4_request", to_sign):
            k = hmac.new(k, part.encode(), hashlib.sha256).digest()
        if k.hex() != fields["Signature"]:
            raise Refused(403, "SignatureDoesNotMatch")

    # ---- what S3 does ----

    def meta(self):
        kept = ("x-amz-meta-", "x-amz-server-side", "x-amz-tagging", "x-amz-object-lock")
        return {h.lower(): v for h, v in self.headers.items() if h.lower().startswith(kept)}

    def condition(self, key):
        if self.headers.get("if-none-match") == "*" and key in state["objects"]:
            raise Refused(412, "PreconditionFailed")

    def checksum(self, body):
        given = self.headers.get("x-amz-checksum-sha256")
        if given and given != base64.b64encode(hashlib.sha256(body).digest()).decode():
            raise Refused(400, "XAmzContentChecksumMismatch")

    def put_object(self, key, query, body):
        self.checksum(body)
        if "partNumber" in query:
            upload = state["uploads"].get(query["uploadId"])
            if not upload:
                raise Refused(404, "NoSuchUpload")
            tag = etag_of(body, upload["meta"])
            upload["parts"][int(query["partNumber"])] = (body, tag)
            return 200, b"", [("ETag", f'"{tag}"')]
        self.condition(key)
        tag = etag_of(body, self.meta())
        state["objects"][key] = (body, tag, self.meta())
        return 200, b"", [("ETag", f'"{tag}"'), ("x-amz-version-id", "v1")]

    def post_object(self, key, query, body):
        if "uploads" in query:
            state["n"] += 1
            upload_id = f"upload{state['n']}"
            state["uploads"][upload_id] = {"key": key, "parts": {}, "meta": self.meta()}
            return 200, f"<InitiateMultipartUploadResult xmlns='x'><UploadId>{upload_id}</UploadId></InitiateMultipartUploadResult>".encode(), []
        upload = state["uploads"].get(query["uploadId"])
        if not upload:
            raise Refused(404, "NoSuchUpload")
        self.condition(key)
        whole, tags = b"", b""
        for n, part in enumerate(et.fromstring(body), 1):
            f = {e.tag.split("}")[1]: e.text for e in part}
            data, tag = upload["parts"].get(n, (b"", ""))
            if int(f["PartNumber"]) != n:
                raise Refused(400, "InvalidPartOrder")
            if f["ETag"].strip('"') != tag:
                raise Refused(400, "InvalidPart")
            whole, tags = whole + data, tags + bytes.fromhex(tag)
        etag = f"{etag_of(tags, upload['meta'])}-{n}"
        state["objects"][key] = (whole, etag, upload["meta"])
        del state["uploads"][query["uploadId"]]
        return 200, f"<CompleteMultipartUploadResult><ETag>&quot;{etag}&quot;</ETag></CompleteMultipartUploadResult>".encode(), []

    def delete_object(self, key, query, body):
        if "uploadId" in query:
            if not state["uploads"].pop(query["uploadId"], None):
                raise Refused(404, "NoSuchUpload")
        else:
            state["objects"].pop(key, None)
        return 204, b"", []

    def get_object(self, key, query, body):
        if key not in state["objects"]:
            raise Refused(404, "NoSuchKey")
        data, etag, meta = state["objects"][key]
        headers = [("ETag", f'"{etag}"'), ("Last-Modified", "Tue, 24 Nov 2026 11:20:00 GMT"), *meta.items()]
        if self.headers.get("range") and self.command == "GET":
            if not data:
                raise Refused(416, "InvalidRange")
            first, last = (int(n) for n in self.headers["range"].removeprefix("bytes=").split("-"))
            last = min(last, len(data) - 1)
            return 206, data[first:last + 1], headers + [("Content-Range", f"bytes {first}-{last}/{len(data)}")]
        return 200, data, headers

    def get_bucket(self, query):
        if "location" in query:
            return 200, b"<LocationConstraint xmlns='x'>" + state["region"].encode() + b"</LocationConstraint>", []
        if "object-lock" in query:
            if state["locking"] == "no":
                raise Refused(404, "ObjectLockConfigurationNotFoundError")
            return 200, b"<ObjectLockConfiguration xmlns='x'><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>", []
        prefix = query.get("prefix", "")
        if "uploads" in query:
            items = sorted((u["key"], i) for i, u in state["uploads"].items() if u["key"].startswith(prefix))
            after = (query.get("key-marker", ""), query.get("upload-id-marker", ""))
            page = [i for i in items if i > after][:2]
            xml = "".join(f"<Upload><Key>{k}</Key><UploadId>{i}</UploadId><Initiated>2026-11-24T11:20:00Z</Initiated></Upload>" for k, i in page)
            more = page and page[-1] != items[-1]
            mark = f"<NextKeyMarker>{page[-1][0]}</NextKeyMarker><NextUploadIdMarker>{page[-1][1]}</NextUploadIdMarker>" if more else ""
            return 200, f"<ListMultipartUploadsResult><IsTruncated>{'true' if more else 'false'}</IsTruncated>{mark}{xml}</ListMultipartUploadsResult>".encode(), []
        deeper = query.get("delimiter") or "\0"
        keys = sorted(k for k in state["objects"]
                      if k.startswith(prefix) and deeper not in k[len(prefix):] and k > query.get("continuation-token", ""))
        xml = "".join(f"<Contents><Key>{k}</Key><Size>{len(state['objects'][k][0])}</Size><ETag>e</ETag><LastModified>2026-11-24T11:20:00.000Z</LastModified></Contents>" for k in keys[:2])
        more = len(keys) > 2
        mark = f"<NextContinuationToken>{keys[1]}</NextContinuationToken>" if more else ""
        return 200, f"<ListBucketResult><IsTruncated>{'true' if more else 'false'}</IsTruncated>{mark}{xml}</ListBucketResult>".encode(), []

    # ---- control and faults ----

    def control(self, path, query):
        if path == "/!/reset":
            reset()
        elif path == "/!/rule":
            state["rules"].append({**{"method": "", "query": "", "header": "", "skip": "0", "count": "1"}, **query})
        elif path == "/!/set":
            for name, value in query.items():
                state[name] = int(value) if name == "clock" else value
        lines = [f"object {k} {len(d)} {hashlib.sha256(d).hexdigest()} {e} {sorted((n, v) for n, v in m.items() if n != 'x-amz-meta-snapctl-upload')}"
                 for k, (d, e, m) in sorted(state["objects"].items())]
        lines += [f"upload {u['key']} {i} {len(u['parts'])}" for i, u in sorted(state["uploads"].items())]
        lines += [f"count {k} {v}" for k, v in sorted(state["counts"].items())]
        self.answer(200, ("\n".join(lines) + "\n").encode())

    def rule(self, query):
        for r in state["rules"]:
            if r.get("key", "") not in self.path:
                continue
            if r["method"] not in ("", self.command) or (r["query"] and r["query"] not in query) or (r["query"] == "" and query and r["method"] == "PUT" and "partNumber" in query):
                continue
            if r["header"] and r["header"] not in self.headers:
                continue
            if int(r["skip"]) > 0:
                r["skip"] = str(int(r["skip"]) - 1)
                continue
            if int(r["count"]) > 0:
                r["count"] = str(int(r["count"]) - 1)
                return r["do"].split(":")
        return None

    def close(self):
        self.close_connection = True

    def serve(self):
        split = up.urlsplit(self.path)
        query = dict(up.parse_qsl(split.query, keep_blank_values=True))
        if split.path.startswith("/!/"):
            with lock:
                return self.control(split.path, query)
        length = int(self.headers.get("content-length", 0))
        with lock:
            fault = self.rule(query)
            kind = next((q for q in ("partNumber", "uploads", "uploadId", "location", "list-type") if q in query), "object")
            name = f"{self.command} {kind}"
            state["counts"][name] = state["counts"].get(name, 0) + 1
        if fault and fault[0] == "hang":
            time.sleep(float(fault[1]) if len(fault) > 1 else 3)
            return self.close()
        if fault and fault[0] == "cut":
            self.rfile.read(length // 2)
            return self.close()
        if fault and fault[0] == "fade":
            end = time.monotonic() + float(fault[1])
            while time.monotonic() < end:
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                time.sleep(0.05)
            return self.close()
        body = self.rfile.read(length)
        if fault and fault[0] == "late":
            time.sleep(float(fault[1]))
        if fault and fault[0] == "error":
            return self.refuse(int(fault[1]), fault[2])
        if fault and fault[0] == "bare":
            return self.answer(int(fault[1]))
        if fault and fault[0] == "inside":
            return self.refuse(200, fault[1])
        if fault and fault[0] == "many":
            xml = "<Contents><Key>x</Key></Contents>" * int(fault[1])
            more = "<IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken>"
            return self.answer(200, f"<ListBucketResult>{more}{xml}</ListBucketResult>".encode())
        if fault and fault[0] == "text":
            return self.answer(200, fault[1].encode())
        if fault and fault[0] == "moved":
            return self.answer(301, b"", [("x-amz-bucket-region", fault[1])])
        with lock:
            status, data, headers = self.do_it(split.path, query, body)
        if fault and fault[0] == "lost":
            return self.close()
        if fault and fault[0] == "blank":
            data = b"<CompleteMultipartUploadResult><ETag/></CompleteMultipartUploadResult>"
        if fault and fault[0] == "etag":
            headers = [("ETag", '"00000000000000000000000000000000"')]
        if fault and fault[0] == "header":
            headers = [(n, v) for n, v in headers if n.lower() != fault[1]] + [(fault[1], fault[2])]
        self.answer(status, data, headers)

    def do_it(self, path, query, body):
        try:
            self.check(body)
            _, bucket, *rest = up.unquote(path).split("/", 2)
            if bucket != "bucket":
                raise Refused(404, "NoSuchBucket")
            if not rest:
                return self.get_bucket(query)
            return getattr(self, f"{self.command.lower().replace('head', 'get')}_object")(rest[0], query, body)
        except Refused as r:
            extra = f"<RequestId>4711</RequestId>{r.extra}"
            body = f"<?xml version=\"1.0\"?><Error><Code>{r.code}</Code><Message>so</Message>{extra}</Error>".encode()
            return r.status, body, []

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = serve


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


reset()
server = Server(("127.0.0.1", 0), Handler)
server.daemon_threads = True
server.request_queue_size = 64
threading.Thread(target=server.serve_forever, daemon=True).start()
print("ready", server.server_address[1], flush=True)
sys.stdin.read()
