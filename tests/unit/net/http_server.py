"""Servers for test_http.c, on the loopback interface only. Makes its certificates in the folder given, prints
"ready NAME=PORT …" once all listen, and ends when its standard input does."""
import hashlib, os, socket, ssl, subprocess, sys, threading, time

folder = sys.argv[1]
os.chdir(folder)
lock = threading.Lock()
connections = 0


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def ca(name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-keyout", name + ".key", "-out", name + ".pem", "-subj", "/CN=" + name)


def signed(name, names, days="1"):
    with open(name + ".ext", "w") as f:
        f.write("subjectAltName=" + names + "\n")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key",
            "-out", name + ".csr", "-subj", "/CN=test")
    openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", days, "-extfile", name + ".ext", "-out", name + ".pem")


class Reader:
    def __init__(self, sock):
        self.sock, self.data = sock, b""

    def more(self):
        got = self.sock.recv(65536)
        if not got:
            raise ConnectionError
        self.data += got

    def until(self, mark):
        while mark not in self.data:
            self.more()
        head, self.data = self.data.split(mark, 1)
        return head

    def exactly(self, n):
        while len(self.data) < n:
            self.more()
        body, self.data = self.data[:n], self.data[n:]
        return body


def answer(sock, status, body=b"", extra=""):
    sock.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body)


def serve_one(sock, reader, number):
    """Returns False when the connection is to be closed."""
    if not reader.data:
        reader.more()
    if reader.data[0] == 22:  # a TLS handshake, as every HTTP server answers it
        answer(sock, "400 Bad Request")
        return False
    head = reader.until(b"\r\n\r\n").decode()
    line, *headers = head.split("\r\n")
    method, target, _ = line.split(" ", 2)
    fields = {h.split(":", 1)[0].lower(): h.split(":", 1)[1].strip() for h in headers}
    path = target.split("?")[0]
    if path == "/refuse-body":
        answer(sock, "413 Too Large", b"no")
        return False
    if path == "/no-read":
        time.sleep(5)
        return False
    if fields.get("expect") and path != "/silent":
        sock.sendall(b"HTTP/1.1 100 Continue\r\nInterim: yes\r\n\r\n")
    body = reader.exactly(int(fields.get("content-length", 0)))
    if path == "/stall":
        time.sleep(5)
        return False
    if path == "/drip":
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        for _ in range(10):
            time.sleep(0.1)
            sock.sendall(b".")
    elif path == "/cut":
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        return False
    elif path == "/nothing":
        return False
    elif path == "/garbage":
        sock.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        return False
    elif path == "/once":
        answer(sock, "200 OK", str(number).encode())
        return False
    elif path == "/missing":
        answer(sock, "404 Not Found", b"gone")
    elif path == "/redirect":
        answer(sock, "302 Found", b"elsewhere", "Location: /connection\r\n")
    elif path == "/big":
        answer(sock, "200 OK", b"x" * int(target.split("?")[1]))
    elif path == "/long-head":
        answer(sock, "200 OK", b"", "".join(f"X-{i}: {'v' * 1000}\r\n" for i in range(int(target.split("?")[1]))))
    elif path == "/head":
        answer(sock, "200 OK", b"12345" if method != "HEAD" else b"", "ETag:  \"a b\" \r\nX-Empty:\r\n folded: 1\r\n")
    elif path == "/connection":
        answer(sock, "200 OK", str(number).encode())
    else:
        seen = [line] + sorted(f"{k}: {v}" for k, v in fields.items()) + ["sha256: " + hashlib.sha256(body).hexdigest()]
        answer(sock, "200 OK", "\n".join(seen).encode() + b"\n")
    return True


def serve(sock, context):
    global connections
    with lock:
        connections += 1
        number = connections
    try:
        with sock if context is None else context.wrap_socket(sock, server_side=True) as s:
            reader = Reader(s)
            while serve_one(s, reader, number):
                pass
    except (OSError, ConnectionError, ValueError):
        pass


def proxy(sock, context):
    """Takes http: targets itself, refuses CONNECT: with 407 for the host "login", else with 403."""
    try:
        with sock:
            line = Reader(sock).until(b"\r\n\r\n").decode().split("\r\n")[0]
            if line.startswith("CONNECT login"):
                answer(sock, "407 Who are you", b"", "Proxy-Authenticate: Basic realm=x\r\n")
            elif line.startswith("CONNECT"):
                answer(sock, "403 Forbidden")
            else:
                answer(sock, "200 OK", ("proxied " + line).encode())
    except (OSError, ConnectionError):
        pass


def silent(sock, context):
    with sock:
        time.sleep(5)


def accept(listener, handler, context):
    while True:
        threading.Thread(target=handler, args=(listener.accept()[0], context), daemon=True).start()


def listen(name, handler=serve, certificate=None, family=socket.AF_INET, address=("127.0.0.1", 0)):
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate + ".pem", certificate + ".key")
    listener = socket.socket(family)
    listener.bind(address)
    listener.listen(64)
    threading.Thread(target=accept, args=(listener, handler, context), daemon=True).start()
    return f"{name}={listener.getsockname()[1]}" if family != socket.AF_UNIX else f"{name}=0"


ca("ca")
ca("other")
signed("good", "IP:127.0.0.1,DNS:localhost,DNS:s3.example.com")
signed("old", "IP:127.0.0.1", "-1")
signed("named", "DNS:elsewhere.example.com")
dead = socket.socket()
dead.bind(("127.0.0.1", 0))
ports = [
    listen("plain"), listen("good", certificate="good"), listen("old", certificate="old"),
    listen("named", certificate="named"), listen("self", certificate="other"), listen("proxy", proxy),
    listen("silent", silent), listen("unix", certificate="good", family=socket.AF_UNIX, address="socket"),
    f"dead={dead.getsockname()[1]}",
]
print("ready", *ports, flush=True)
sys.stdin.read()
