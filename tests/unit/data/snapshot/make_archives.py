#!/usr/bin/env python3
"""Writes the archives beside it with Python's zipfile, whose writer is independent of snapctl's reader and of its tests.

The database in them has two pages of 512 bytes; the archive is that of a snapshot named "py".
"""
import hashlib
import os
import struct
import zipfile


def snapshot():
    meta = struct.pack("<IIIIQQQQQ", 0xED0CDAED, 2, 512, 0, 0, 0, 0, 2, 9)
    checksum = 0xCBF29CE484222325
    for byte in meta:
        checksum = (checksum ^ byte) * 0x100000001B3 % 2**64
    database = struct.pack("<QHHI", 0, 4, 0, 0) + meta + struct.pack("<Q", checksum)
    database = database.ljust(1024, b".")
    return database + hashlib.sha256(database).digest()


class Pipe:
    """A file that cannot seek: sizes must follow the data."""

    def __init__(self, path):
        self.file = open(path, "wb")

    def write(self, data):
        return self.file.write(data)

    def flush(self):
        self.file.flush()


def write(file, method, zip64):
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in (("/backup/py", snapshot()), ("/etc/kubernetes/py.rkestate", b'{"desiredState":{}}')):
            info = zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6))
            info.compress_type = method
            info.external_attr = 0o100600 << 16
            with archive.open(info, "w", force_zip64=zip64) as entry:
                entry.write(data)


here = os.path.dirname(os.path.abspath(__file__))
for method, word in ((zipfile.ZIP_DEFLATED, "deflated"), (zipfile.ZIP_STORED, "stored")):
    for zip64 in (False, True):
        name = os.path.join(here, word + ("-zip64" if zip64 else ""))
        write(name + ".zip", method, zip64)
        pipe = Pipe(name + "-streamed.zip")
        write(pipe, method, zip64)
        pipe.file.close()
