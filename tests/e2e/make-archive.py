"""Makes a snapshot archive of an exact size: make-archive.py NAME DATABASE SIZE OUT [--grow-database].

DATABASE is what etcdctl saved (a bbolt file and its SHA-256). What is missing to SIZE bytes is put into the state
file's entry, or with --grow-database behind the last page of the database, whose hash is made anew: etcd restores that,
too. Entries are stored as they are, so that sizes add up.
"""
import hashlib
import random
import sys
import zipfile

HASH = 32


def entry(archive, name, size, pieces):
    info = zipfile.ZipInfo("/" + name, (2026, 1, 1, 0, 0, 0))
    info.external_attr = 0o600 << 16
    info.file_size = size
    info.filename = "/" + name  # zipfile would drop the slash of a path
    with archive.open(info, "w", force_zip64=False) as out:
        for piece in pieces:
            out.write(piece)


def padding(size):
    rng = random.Random(size)
    block = rng.randbytes(1 << 20)
    while size > 0:
        yield block[:size]
        size -= len(block)


def database(data, extra):
    if not extra:
        yield data
        return
    digest = hashlib.sha256(data[:-HASH])
    yield data[:-HASH]
    for piece in padding(extra):
        digest.update(piece)
        yield piece
    yield digest.digest()


def write(name, data, db_extra, state, out):
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        entry(archive, "backup/" + name, len(data) + db_extra, database(data, db_extra))
        entry(archive, "etc/kubernetes/" + name + ".rkestate", state, padding(state))


def main():
    name, source, size, out = sys.argv[1:5]
    grow = sys.argv[5:] == ["--grow-database"]
    with open(source, "rb") as f:
        data = f.read()
    write(name, data, 0, 0, out)
    with open(out, "rb") as f:
        missing = int(size) - len(f.read())
    if missing < 0:
        sys.exit("the database alone takes more")
    pages = missing // 4096 * 4096 if grow else 0
    write(name, data, pages, missing - pages, out)


main()
