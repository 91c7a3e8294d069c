"""impostor.py PORT PUBLIC_KEY_FILE: an SSH server that has a host key of its own, and knows only the public half of the
one that it is asked for. It shows that in a second exchange of keys, which it cannot sign, right behind the first; then
it lets everybody in. On 127.0.0.1, one connection after the other."""
import base64, hashlib, os, socket, struct, sys
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEXINIT, NEWKEYS, ECDH_INIT, ECDH_REPLY = 20, 21, 30, 31
SERVICE_ACCEPT, USERAUTH_REQUEST, USERAUTH_SUCCESS, USERAUTH_PK_OK = 6, 50, 52, 60
GREETING = b"SSH-2.0-OpenSSH_9.2"
ALGORITHMS = [b"curve25519-sha256", b"ssh-ed25519"] + 2 * [b"aes128-gcm@openssh.com"] + 2 * [b"hmac-sha2-256"] + 2 * [b"none"] + 2 * [b""]


def text(data):
    return struct.pack(">I", len(data)) + data


def number(data):
    data = data.lstrip(b"\0")
    return text((b"\0" if data and data[0] & 0x80 else b"") + data)


def raw(key):
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def padded(payload, plain, block):
    """With the length of the padding before it and the padding behind it; `plain` bytes before it count as well."""
    n = block - (len(payload) + 1 + plain) % block
    n += block if n < 4 else 0
    return bytes([n]) + payload + os.urandom(n)


def packet(payload):
    body = padded(payload, 4, 8)
    return text(body)


def offer():
    return bytes([KEXINIT]) + os.urandom(16) + b"".join(map(text, ALGORITHMS)) + bytes(5)


class Direction:
    """AES-GCM of one direction (RFC 5647)."""

    def __init__(self, key, iv):
        self.gcm, self.fixed, self.count = AESGCM(key), iv[:4], int.from_bytes(iv[4:], "big")

    def iv(self):
        self.count += 1
        return self.fixed + (self.count - 1).to_bytes(8, "big")

    def packet(self, payload):
        body = padded(payload, 0, 16)
        size = struct.pack(">I", len(body))
        return size + self.gcm.encrypt(self.iv(), body, size)

    def payload(self, file):
        size = file.read(4)
        body = self.gcm.decrypt(self.iv(), file.read(struct.unpack(">I", size)[0] + 16), size)
        return body[1 : len(body) - body[0]]


def payload(file):
    body = file.read(struct.unpack(">I", file.read(4))[0])
    return body[1 : len(body) - body[0]]


def serve(connection, shown):
    file = connection.makefile("rb")
    connection.sendall(GREETING + b"\r\n")
    greeting = file.readline().rstrip(b"\r\n")
    ours = offer()
    connection.sendall(packet(ours))
    theirs, init = payload(file), payload(file)
    assert init[0] == ECDH_INIT
    secret, key = x25519.X25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    peer, own = init[5:37], raw(secret.public_key())
    shared = number(secret.exchange(x25519.X25519PublicKey.from_public_bytes(peer)))
    host_key = text(b"ssh-ed25519") + text(raw(key.public_key()))
    digest = hashlib.sha256(b"".join(map(text, [greeting, GREETING, theirs, ours, host_key, peer, own])) + shared).digest()

    def derived(letter, n):
        return hashlib.sha256(shared + digest + letter + digest).digest()[:n]

    out, back = Direction(derived(b"D", 16), derived(b"B", 12)), Direction(derived(b"C", 16), derived(b"A", 12))
    signature = text(b"ssh-ed25519") + text(key.sign(digest))
    nonsense = text(b"ssh-ed25519") + text(bytes(64))
    connection.sendall(
        packet(bytes([ECDH_REPLY]) + text(host_key) + text(own) + text(signature))
        + packet(bytes([NEWKEYS]))
        + out.packet(offer())
        + out.packet(bytes([ECDH_REPLY]) + text(shown) + text(os.urandom(32)) + text(nonsense))
        + out.packet(bytes([SERVICE_ACCEPT]) + text(b"ssh-userauth"))
    )
    assert payload(file)[0] == NEWKEYS
    while True:
        got = back.payload(file)
        if got[0] != USERAUTH_REQUEST:
            continue
        asks = got.index(b"publickey") + len(b"publickey")
        signed = got[asks] == 1
        connection.sendall(out.packet(bytes([USERAUTH_SUCCESS]) if signed else bytes([USERAUTH_PK_OK]) + got[asks + 1 :]))


def main():
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    shown = base64.b64decode(open(sys.argv[2]).read().split()[1])
    while True:
        connection, _ = listener.accept()
        try:
            serve(connection, shown)
        except (OSError, struct.error):
            pass  # the client has gone
        connection.close()


main()
