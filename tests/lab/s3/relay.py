#!/usr/bin/python3
"""What haproxy cannot do: faults in the middle of a body or after the gateway's answer, slow lines, the forward proxy.

relay.py FOLDER: appends to FOLDER/fault.log and FOLDER/proxy.log. haproxy passes each request to a fault endpoint on a
connection of its own, and tells by headers what is to befall it.
"""
import asyncio
import base64
import contextlib
import os
import signal
import socket
import sys
import urllib.parse

GATEWAY = ("127.0.0.1", 9000)
FAULT = 9010  # on 127.0.0.1 only
PROXY, PROXY_AUTH = 3128, 3129
PROXY_USER = "lab:LAB-PROXY-SECRET-0001"
CHUNK = 1 << 16
TCP_CLOSE, TCP_CLOSE_WAIT = 7, 8  # in Linux's TCP_INFO


class Cut(Exception):
    """The client's connection is to be ended here, without a word."""


class Head:
    """Head of a request or an answer: its first line, and its headers as they came."""

    def __init__(self, raw):
        lines = raw.decode("latin-1").split("\r\n")
        self.first = lines[0]
        self.lines = [line for line in lines[1:] if line]

    @classmethod
    async def read(cls, reader):
        return cls(await reader.readuntil(b"\r\n\r\n"))

    def get(self, name):
        for line in self.lines:
            key, _, value = line.partition(":")
            if key.strip().lower() == name:
                return value.strip()
        return None

    def take(self, name):
        """The value, which is then removed."""
        value = self.get(name)
        self.lines = [line for line in self.lines if not line.lower().startswith(name + ":")]
        return value

    def bytes(self):
        return "\r\n".join([self.first, *self.lines, "", ""]).encode("latin-1")

    @property
    def status(self):
        return int(self.first.split(" ")[1])


class Line:
    """The line that all requests of one rate share."""
    lines = {}

    def __init__(self, rate):
        self.rate = rate  # bytes per second, 0: as fast as can be
        self.chunk = min(8192, max(512, rate // 4)) if rate else CHUNK
        self.free_at = 0.0

    @classmethod
    def of(cls, rate):
        return cls.lines.setdefault(rate, cls(rate))

    async def carry(self, size):
        if self.rate:
            now = asyncio.get_running_loop().time()
            self.free_at = max(self.free_at, now) + size / self.rate
            await asyncio.sleep(self.free_at - now)


class Request:
    """One request to a fault endpoint."""

    def __init__(self, head, reader, writer, log):
        self.head, self.reader, self.writer, self.log = head, reader, writer, log
        self.fault = head.take("x-lab-fault")
        self.line = Line.of(int(head.take("x-lab-rate") or 0) * 1024)
        self.length = int(head.get("content-length") or 0)

    async def serve(self):
        if self.fault == "cut-complete":
            await self.reader.readexactly(self.length)
            self.note_none()
            raise Cut
        if self.fault == "complete-error":
            await self.late_error()
        else:
            await self.forward()

    def note_none(self):
        """A line for a request that gets no answer; haproxy writes those of the others."""
        method, target, _ = self.head.first.split(" ", 2)
        path, _, query = target.partition("?")
        self.log.write(f"{method} {path} {query or '-'} -\n")

    def client_gone(self):
        """Also while nothing is read, so that the gateway gets nothing from a client that has left."""
        state = self.writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        return state in (TCP_CLOSE, TCP_CLOSE_WAIT)

    async def late_error(self):
        """As S3 does when Complete fails after its 200 is out: blanks while it works, then the error."""
        await self.reader.readexactly(self.length)
        self.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nTransfer-Encoding: chunked\r\n\r\n")
        for text in ('<?xml version="1.0" encoding="UTF-8"?>\n', " ", " ", "<Error><Code>InternalError</Code><Message>"
                     "We encountered an internal error. Please try again.</Message></Error>", ""):
            self.writer.write(f"{len(text):x}\r\n{text}\r\n".encode())
            await self.writer.drain()

    async def forward(self):
        up_reader, up_writer = await asyncio.open_connection(*GATEWAY, limit=CHUNK)
        up_writer.write(self.head.bytes())
        sending = asyncio.ensure_future(self.send_body(up_writer))
        answering = asyncio.ensure_future(self.answer(up_reader))
        try:
            await asyncio.wait({sending, answering}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                sending.result()
            await answering
            # The rest of a body that was answered early is still read, lest the answer is lost with it.
            self.writer.write_eof()
            await asyncio.wait({sending}, timeout=5)
        finally:
            for task in (sending, answering):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task
            up_writer.close()

    async def send_body(self, up_writer):
        """Passes all that comes; haproxy ends it when it has the answer, or its client is gone."""
        sent = 0
        while (data := await self.reader.read(self.line.chunk)) and not self.client_gone():
            sent += len(data)
            if self.fault in ("cut-part", "stall") and sent > self.length // 2:
                self.note_none()
                while self.fault == "stall" and not self.client_gone():
                    await asyncio.sleep(0.1)
                raise Cut
            up_writer.write(data)
            await up_writer.drain()
            await self.line.carry(len(data))
        raise Cut

    async def answer(self, up_reader):
        back = await Head.read(up_reader)
        while back.status == 100:
            self.writer.write(back.bytes())
            back = await Head.read(up_reader)
        if self.fault == "slow-create":
            await asyncio.sleep(3)
        if self.fault in ("cut-after-complete", "cut-answer"):
            while await up_reader.read(CHUNK):
                pass
            self.note_none()
            raise Cut
        self.writer.write(back.bytes())
        while data := await up_reader.read(self.line.chunk):
            self.writer.write(data)
            await self.writer.drain()
            await self.line.carry(len(data))


def faults(log):
    async def serve(reader, writer):
        await Request(await Head.read(reader), reader, writer, log).serve()
    return serve


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


def proxy(log, password):
    """A forward proxy: CONNECT, and http:// addresses."""
    async def serve(reader, writer):
        head = await Head.read(reader)
        method, target, version = head.first.split(" ", 2)
        status, up = 200, None
        given = head.take("proxy-authorization")
        if password and given != "Basic " + base64.b64encode(password.encode()).decode():
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
            head.take("proxy-connection")
            up[1].write(head.bytes())
        await join(reader, writer, *up)
    return serve


def safely(serve):
    """A connection's end is nobody else's. Cut ones are reset, others closed in order."""
    async def handle(reader, writer):
        try:
            await serve(reader, writer)
        except (Cut, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            if not isinstance(error, (Cut, OSError, asyncio.IncompleteReadError)):
                print(repr(error), flush=True)
            writer.transport.abort()
        finally:
            writer.close()
    return handle


async def listen(serve, port, host="0.0.0.0"):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Little is buffered by the kernel, so that a client notices when nobody reads.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 17)
    sock.bind((host, port))
    return await asyncio.start_server(safely(serve), sock=sock, limit=CHUNK)


async def main(folder):
    fault_log = open(f"{folder}/fault.log", "a", buffering=1)
    proxy_log = open(f"{folder}/proxy.log", "a", buffering=1)
    await listen(faults(fault_log), FAULT, host="127.0.0.1")
    await listen(proxy(proxy_log, None), PROXY)
    await listen(proxy(proxy_log, PROXY_USER), PROXY_AUTH)
    await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    asyncio.run(main(sys.argv[1]))
