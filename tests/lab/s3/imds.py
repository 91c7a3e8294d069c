#!/usr/bin/python3
"""The metadata service of EC2 as far as keys go: imds.py KEYS-FILE LOG MODE EXPIRES.

v2        a token is needed
v2-hop    a token is needed and its request is never answered, as from within a container behind one more hop
v1        there are no tokens
v1-hop    no token is needed, and the request for one is never answered
refuse    as v2, but the keys of the role are refused
"""
import http.server
import json
import os
import secrets
import sys
import threading
import time

ROLE, REGION = "etcd-role", "us-east-1"
KEYS, LOG, MODE, EXPIRES = sys.argv[1:]
tokens = {}


def rfc3339(at):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def keys():
    with open(KEYS) as file:
        found = json.load(file)
    return json.dumps({"Code": "Success", "LastUpdated": rfc3339(time.time()), "Type": "AWS-HMAC", **found,
                       "Expiration": rfc3339(time.time() + int(EXPIRES))}, indent=2)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "EC2ws"

    def answer(self, status, text="", kind="text/plain"):
        self.note(status)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def note(self, status):
        log.write(f"{self.command} {self.path} {status}\n")

    def log_message(self, *_):
        pass

    def do_PUT(self):
        seconds = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if self.path != "/latest/api/token" or MODE == "v1":
            self.answer(404)
        elif MODE.endswith("-hop"):
            self.note("-")
            threading.Event().wait()
        elif not seconds.isdigit() or not 1 <= int(seconds) <= 21600:
            self.answer(400)
        else:
            token = secrets.token_urlsafe(40)
            tokens[token] = time.time() + int(seconds)
            self.answer(200, token)

    def do_GET(self):
        if MODE[:2] != "v1" and tokens.get(self.headers.get("X-aws-ec2-metadata-token"), 0) < time.time():
            self.answer(401)
            return
        folder = "/latest/meta-data/iam/security-credentials"
        if self.path in (folder, folder + "/"):
            self.answer(200, ROLE)
        elif self.path == f"{folder}/{ROLE}":
            if MODE == "refuse":
                self.answer(403)
            else:
                self.answer(200, keys(), "application/json")
        elif self.path == "/latest/meta-data/placement/region":
            self.answer(200, REGION)
        elif self.path == "/latest/dynamic/instance-identity/document":
            self.answer(200, json.dumps({"region": REGION}), "application/json")
        else:
            self.answer(404)


log = open(LOG, "a", buffering=1)
server = http.server.ThreadingHTTPServer(("169.254.169.254", 80), Handler)
server.daemon_threads = True
print("ready", os.readlink("/proc/self"), flush=True)  # its number as the machine counts
server.serve_forever()
