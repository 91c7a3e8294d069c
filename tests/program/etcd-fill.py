#!/usr/bin/env python3
"""etcd-fill.py PORT PREFIX COUNT BYTES: puts COUNT keys with values of BYTES bytes, many in a transaction."""
import base64
import http.client
import json
import random
import sys

port, prefix, count, size = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
in_one = max(1, min(128, (1 << 20) // (size + 1)))
values = random.Random(1)
etcd = http.client.HTTPConnection("127.0.0.1", port)


def put(number):
    key = base64.b64encode(f"{prefix}{number:08}".encode()).decode()
    return {"requestPut": {"key": key, "value": base64.b64encode(values.randbytes(size)).decode()}}


for first in range(0, count, in_one):
    last = min(first + in_one, count)
    etcd.request("POST", "/v3/kv/txn", json.dumps({"success": [put(n) for n in range(first, last)]}))
    answer = etcd.getresponse()
    text = answer.read().decode()
    if answer.status != 200:
        sys.exit(f"keys {first} to {last}: {answer.status} {text}")
