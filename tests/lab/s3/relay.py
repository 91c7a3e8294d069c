#!/usr/bin/python3
"""Everything of the S3 host but the gateway: the fault proxy, TLS with bad certificates, the forward proxy, the JWKS.

relay.py FOLDER: reads FOLDER/tls, writes FOLDER/fault.log and FOLDER/proxy.log. Faults are set by a line to CONTROL,
which is answered with a line. Requests are read as HTTP, one after the other on each connection, each client with a
connection of its own to the gateway.
"""
import asyncio
import base64
import contextlib
import os
import re
import signal
import socket
import ssl
import sys
import urllib.parse

GATEWAY = ("127.0.0.1", 9000)
FAULT, FAULT_TLS = 9001, 9444
BAD_TLS = {"expired": 9445, "wrong-host": 9446, "other-signed": 9447}
PROXY, PROXY_AUTH = 3128, 3129
JWKS, CONTROL = 8088, 9009  # on 127.0.0.1 only
PROXY_USER = "lab:LAB-PROXY-SECRET-0001"
CHUNK = 1 << 16
ALWAYS = 1 << 60

# Each fault: what it is for, and how often it happens unless -N or -always is told.
FAULTS = {
    "slowdown": ("data", ALWAYS), "put-500": ("data", ALWAYS), "cut-part": ("data", 1), "stall": ("data", 1),
    "wrong-etag": ("data", 1), "cut-complete": ("complete", 1), "cut-after-complete": ("complete", 1),
    "complete-error": ("complete", 1), "abort-403": ("abort", ALWAYS), "slow-create": ("create", ALWAYS),
    "region": ("all", ALWAYS), "region-malformed": ("all", ALWAYS), "500": ("all", ALWAYS), "503": ("all", ALWAYS),
    "cut-answer": ("data", 1),
}
ANSWERS = {
    "slowdown": (503, "SlowDown", "Please reduce your request rate."),
    "put-500": (500, "InternalError", "We encountered an internal error. Please try again."),
    "500": (500, "InternalError", "We encountered an internal error. Please try again."),
    "503": (503, "ServiceUnavailable", "Service is unable to handle request."),
    "abort-403": (403, "AccessDenied", "Access Denied"),
}
REASONS = {301: "Moved Permanently", 400: "Bad Request", 403: "Forbidden", 500: "Internal Server Error",
           503: "Service Unavailable"}
REGION = "eu-central-1"


class Cut(Exception):
    """The client's connection is to be ended here, without a word."""


class Faults:
    def __init__(self):
        self.left = {}
        self.rate = 0  # bytes per second, 0: as fast as can be
        self.free_at = 0.0
        self.down = False
        self.changed = asyncio.Event()

    def set(self, words):
        left, rate, down = {}, 0, False
        words = list(words)
        while words:
            word = words.pop(0)
            if word == "off":
                left, rate, down = {}, 0, False
            elif word == "down":
                down = True
            elif word == "slow":
                rate = int(words.pop(0)) * 1024
            else:
                name, times = self.parse(word)
                left[name] = times
        self.left, self.rate, self.down, self.free_at = left, rate, down, 0.0
        self.changed.set()
        self.changed = asyncio.Event()

    @staticmethod
    def parse(word):
        if word in FAULTS:
            return word, FAULTS[word][1]
        name, _, times = word.rpartition("-")
        if name not in FAULTS or not (times == "always" or times.isdigit()):
            raise ValueError(word)
        return name, ALWAYS if times == "always" else int(times)

    def take(self, kinds):
        """The name of the fault that this request of these kinds meets, or None."""
        for name, times in self.left.items():
            if times > 0 and FAULTS[name][0] in kinds:
                return name
        return None

    def count(self, name):
        self.left[name] -= 1

    async def throttle(self, size):
        if not self.rate:
            return
        now = asyncio.get_running_loop().time()
        self.free_at = max(self.free_at, now) + size / self.rate
        await asyncio.sleep(self.free_at - now)


faults = Faults()


class Head:
    """Head of a request or an answer: its first line, and its headers as they came."""

    def __init__(self, raw):
        lines = raw.decode("latin-1").split("\r\n")
        self.first = lines[0]
        self.lines = [line for line in lines[1:] if line]

    @classmethod
    async def read(cls, reader):
        """None at the end of the stream."""
        try:
            return cls(await reader.readuntil(b"\r\n\r\n"))
        except asyncio.IncompleteReadError:
            return None

    def get(self, name):
        for line in self.lines:
            key, _, value = line.partition(":")
            if key.strip().lower() == name:
                return value.strip()
        return None

    def replace(self, name, value):
        self.lines = [f"{name}: {value}" if line.lower().startswith(name.lower() + ":") else line for line in self.lines]

    def remove(self, name):
        self.lines = [line for line in self.lines if not line.lower().startswith(name.lower() + ":")]

    def bytes(self):
        return "\r\n".join([self.first, *self.lines, "", ""]).encode("latin-1")

    @property
    def status(self):
        return int(self.first.split(" ")[1])


class Request(Head):
    def __init__(self, raw):
        super().__init__(raw)
        self.method, self.target, _ = self.first.split(" ", 2)
        if "://" in self.target:
            self.target = "/" + self.target.split("://", 1)[1].partition("/")[2]
        self.path, _, self.query = self.target.partition("?")
        self.names = set(urllib.parse.parse_qs(self.query, keep_blank_values=True))

    def kinds(self):
        kinds = {"all"}
        by_name = (self.get("host") or "").split(":")[0].endswith(".s3.snapctl.test")
        in_bucket = self.path.strip("/").count("/") > (-1 if by_name else 0) and self.path != "/"
        if self.method == "PUT" and (self.names >= {"partNumber", "uploadId"} or (in_bucket and not self.names)):
            kinds.add("data")
        if self.method == "POST" and "uploadId" in self.names:
            kinds.add("complete")
        if self.method == "POST" and "uploads" in self.names:
            kinds.add("create")
        if self.method == "DELETE" and "uploadId" in self.names:
            kinds.add("abort")
        return kinds

    def region(self):
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/", self.get("authorization") or "") or \
            re.search(r"X-Amz-Credential=[^&]+?%2F\d+%2F([^&]+?)%2F", self.query)
        return scope and scope.group(1)


class Client:
    """One connection of a client to the fault proxy."""

    def __init__(self, reader, writer, log):
        self.reader, self.writer, self.log = reader, writer, log
        self.up_reader = self.up_writer = None

    async def serve(self):
        while (head := await Request.read(self.reader)) is not None:
            if not await self.one(head):
                break

    async def one(self, head):
        """Serves one request; false if the connection is to end."""
        kinds = head.kinds()
        name = faults.take(kinds)
        if name in ("region", "region-malformed") and head.region() in (REGION, None):
            name = None
        if name:
            faults.count(name)
        if name in ANSWERS:
            return await self.refuse(head, *ANSWERS[name])
        if name == "region":
            return await self.refuse(head, 301, "PermanentRedirect", "The bucket is in another region.",
                                     extra=[f"x-amz-bucket-region: {REGION}"])
        if name == "region-malformed":
            return await self.refuse(
                head, 400, "AuthorizationHeaderMalformed",
                f"The authorization header is malformed; the region '{head.region()}' is wrong; expecting '{REGION}'",
                xml=f"<Region>{REGION}</Region>")
        if name == "cut-complete":
            await self.drain(head)
            self.note(head, "-")
            raise Cut
        if name == "complete-error":
            return await self.late_error(head)
        return await self.forward(head, name)

    def note(self, head, status):
        self.log.write(f"{head.method} {head.path} {head.query or '-'} {status}\n")

    # --- answers of the relay itself ---

    async def drain(self, head):
        """Reads the body away; a client that waits for leave to send it has not sent any."""
        if (head.get("expect") or "").lower() != "100-continue":
            async for _ in body_of(self.reader, head, False):
                pass

    async def refuse(self, head, status, code, message, extra=(), xml=""):
        await self.drain(head)
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{xml}' \
            '<RequestId>LABFAULT</RequestId></Error>'
        keep = head.get("expect") is None
        lines = [f"HTTP/1.1 {status} {REASONS[status]}", "Content-Type: application/xml", f"Content-Length: {len(body)}",
                 *extra]
        if not keep:
            lines.append("Connection: close")
        self.note(head, status)
        self.writer.write("\r\n".join([*lines, "", "" if head.method == "HEAD" else body]).encode())
        await self.writer.drain()
        return keep

    async def late_error(self, head):
        """As S3 does when Complete fails after its 200 is out: blanks while it works, then the error."""
        await self.drain(head)
        self.note(head, 200)
        self.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nTransfer-Encoding: chunked\r\n\r\n")
        for text in ('<?xml version="1.0" encoding="UTF-8"?>\n', " ", " ", "<Error><Code>InternalError</Code><Message>"
                     "We encountered an internal error. Please try again.</Message></Error>", ""):
            self.writer.write(f"{len(text):x}\r\n{text}\r\n".encode())
            await self.writer.drain()
        return True

    # --- forwarding ---

    async def forward(self, head, name):
        await self.connect()
        self.up_writer.write(head.bytes())
        sending = asyncio.ensure_future(self.send_body(head, name))
        answering = asyncio.ensure_future(self.answer(head, name))
        try:
            done, _ = await asyncio.wait({sending, answering}, return_when=asyncio.FIRST_COMPLETED)
            if sending in done:
                sending.result()
            keep = await answering
            if keep:  # all of the body is with the gateway, but this side may not know it yet
                await asyncio.wait({sending}, timeout=5)
            return keep and sending.done() and sending.result() is None
        finally:
            for task in (sending, answering):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task

    async def connect(self):
        if self.up_writer is None or self.up_reader.at_eof():
            if self.up_writer is not None:
                self.up_writer.close()
            self.up_reader, self.up_writer = await asyncio.open_connection(*GATEWAY, limit=CHUNK)

    async def send_body(self, head, name):
        length = int(head.get("content-length") or 0)
        sent = 0
        async for data in body_of(self.reader, head, False):
            if name in ("cut-part", "stall") and sent + len(data) > length // 2:
                self.note(head, "-")
                if name == "stall":
                    await faults.changed.wait()
                raise Cut
            sent += len(data)
            self.up_writer.write(data)
            await self.up_writer.drain()
            await faults.throttle(len(data))

    async def answer(self, head, name):
        waits = head.get("expect") is not None
        while True:
            back = await Head.read(self.up_reader)
            if back is None:
                raise Cut
            if back.status != 100:
                break
            waits = False
            self.writer.write(back.bytes())
            await self.writer.drain()
        if name == "slow-create":
            await asyncio.sleep(3)
        if name == "wrong-etag" and back.status == 200:
            back.replace("ETag", '"0123456789abcdef0123456789abcdef"')
        if name in ("cut-after-complete", "cut-answer"):
            async for _ in body_of(self.up_reader, back, True, head.method):
                pass
            self.note(head, "-")
            raise Cut
        if waits:  # its body was not asked for, and nobody can tell whether it comes all the same
            back.remove("Connection")
            back.lines.append("Connection: close")
        self.note(head, back.status)
        self.writer.write(back.bytes())
        async for data in body_of(self.up_reader, back, True, head.method):
            self.writer.write(data)
            await self.writer.drain()
            await faults.throttle(len(data))
        await self.writer.drain()
        return (back.get("connection") or "").lower() != "close" and (head.get("connection") or "").lower() != "close"

    def close(self):
        if self.up_writer is not None:
            self.up_writer.close()


async def body_of(reader, head, is_answer, method=""):
    """The bytes of a body as they are on the wire, chunked ones with their frame."""
    if is_answer and (method == "HEAD" or head.status in (204, 304)):
        return
    if (head.get("transfer-encoding") or "").lower() == "chunked":
        async for data in chunks_of(reader):
            yield data
        return
    left = head.get("content-length")
    if left is None and not is_answer:
        return
    left = ALWAYS if left is None else int(left)
    while left:
        data = await reader.read(min(left, 8192 if faults.rate else CHUNK))
        if not data:
            if is_answer and head.get("content-length") is None:
                return
            raise Cut
        left -= len(data)
        yield data


async def chunks_of(reader):
    size = -1
    while size != 0:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        yield line
        yield await reader.readexactly(size + 2)


# --- the other listeners ---

async def join(reader, writer, other_reader, other_writer):
    """Passes bytes both ways until one side ends."""
    async def one_way(source, to):
        with contextlib.suppress(OSError):
            while data := await source.read(CHUNK):
                to.write(data)
                await to.drain()
    tasks = [asyncio.ensure_future(one_way(reader, other_writer)), asyncio.ensure_future(one_way(other_reader, writer))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await writer.drain()
    finally:
        for task in tasks:
            task.cancel()
        other_writer.close()


async def bad_tls(reader, writer):
    await join(reader, writer, *await asyncio.open_connection(*GATEWAY))


def proxy(log, password):
    """A forward proxy: CONNECT, and http:// addresses."""
    async def serve(reader, writer):
        head = await Head.read(reader)
        if head is None:
            return
        method, target, version = head.first.split(" ", 2)
        status, up = 200, None
        if password and head.get("proxy-authorization") != "Basic " + base64.b64encode(password.encode()).decode():
            status = 407
        else:
            try:
                where = urllib.parse.urlsplit(target if "://" in target else "//" + target)
                up = await asyncio.open_connection(where.hostname, where.port or 80)
            except OSError:
                status = 502
        log.write(f"{method} {target} {status}\n")
        if up is None:
            challenge = 'Proxy-Authenticate: Basic realm="lab"\r\n' if status == 407 else ""
            writer.write(f"HTTP/1.1 {status} No\r\n{challenge}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
            return
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            head.first = f"{method} {where.path or '/'}{'?' + where.query if where.query else ''} {version}"
            head.remove("Proxy-Authorization")
            head.remove("Proxy-Connection")
            up[1].write(head.bytes())
        await join(reader, writer, *up)
    return serve


def jwks(folder):
    async def serve(reader, writer):
        head = await Head.read(reader)
        if head is None:
            return
        name = "jwks.json" if "certs" in head.first else "openid.json"
        with open(f"{folder}/oidc/{name}", "rb") as file:
            body = file.read()
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                     "Connection: close\r\n\r\n".encode() + body)
        await writer.drain()
    return serve


def context(folder, name):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(f"{folder}/tls/{name}.pem", f"{folder}/tls/{name}-key.pem")
    return tls


def safely(serve, aborts):
    """A connection's end is nobody else's. Cut ones are reset, others closed in order."""
    async def handle(reader, writer):
        try:
            await serve(reader, writer)
        except (Cut, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            if not isinstance(error, (Cut, OSError)):
                print(repr(error), flush=True)
            if aborts:
                writer.transport.abort()
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            writer.close()
    return handle


class FaultPorts:
    def __init__(self, folder):
        self.log = open(f"{folder}/fault.log", "a", buffering=1)
        self.tls = context(folder, "server")
        self.servers, self.tasks = [], set()

    async def serve(self, reader, writer):
        task = asyncio.current_task()
        self.tasks.add(task)
        client = Client(reader, writer, self.log)
        try:
            await client.serve()
        finally:
            self.tasks.discard(task)
            client.close()

    async def open(self):
        if not self.servers:
            self.servers = [await listen(self.serve, FAULT, aborts=True),
                            await listen(self.serve, FAULT_TLS, tls=self.tls, aborts=True)]

    def close(self):
        for server in self.servers:
            server.close()
        for task in self.tasks:
            task.cancel()
        self.servers = []


async def listen(serve, port, tls=None, host="0.0.0.0", aborts=False):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Little is buffered by the kernel, so that a client notices when nobody reads.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 17)
    sock.bind((host, port))
    return await asyncio.start_server(safely(serve, aborts), sock=sock, ssl=tls, limit=CHUNK)


def control(ports):
    async def serve(reader, writer):
        words = (await reader.readline()).decode().split()
        try:
            faults.set(words)
        except (ValueError, IndexError) as error:
            writer.write(f"no such fault: {error}; there are: down slow {' '.join(FAULTS)}\n".encode())
            await writer.drain()
            return
        if words != ["off"]:
            ports.log.truncate(0)
        if faults.down:
            ports.close()
        else:
            await ports.open()
        writer.write(b"ok\n")
        await writer.drain()
    return serve


async def main(folder):
    ports = FaultPorts(folder)
    await ports.open()
    for name, port in BAD_TLS.items():
        await listen(bad_tls, port, tls=context(folder, name))
    proxy_log = open(f"{folder}/proxy.log", "a", buffering=1)
    await listen(proxy(proxy_log, None), PROXY)
    await listen(proxy(proxy_log, PROXY_USER), PROXY_AUTH)
    await listen(jwks(folder), JWKS, host="127.0.0.1")
    await listen(control(ports), CONTROL, host="127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    asyncio.run(main(sys.argv[1]))
