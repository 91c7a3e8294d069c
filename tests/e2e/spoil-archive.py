"""Flips a byte of the database within an archive: spoil-archive.py NAME ARCHIVE OUT. All of the zip is right again after."""
import sys
import zipfile

NAME, ARCHIVE, OUT = sys.argv[1:]


def main():
    with zipfile.ZipFile(ARCHIVE) as good, zipfile.ZipFile(OUT, "w", zipfile.ZIP_DEFLATED) as bad:
        for info in good.infolist():
            data = bytearray(good.read(info))
            if info.filename == "/backup/" + NAME:
                data[len(data) // 2] ^= 1
            bad.writestr(info, bytes(data))


main()
