#!/usr/bin/env python3
"""Listens on 127.0.0.1, prints the port, takes connections and says nothing."""
import socket
import time

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print(listener.getsockname()[1], flush=True)
taken = []
end = time.monotonic() + 60
while time.monotonic() < end:
    listener.settimeout(max(0.1, end - time.monotonic()))
    try:
        taken.append(listener.accept())
    except TimeoutError:
        break
