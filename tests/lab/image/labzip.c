/*
 * labzip OUT FILE...: write the archive that rke-tools writes, byte for byte in its wire format.
 *
 * The format is what Go's archive/zip makes of a file header with method Deflate that is streamed: entry
 * names are the paths as given (leading slash kept), CRC and sizes are zero in the local header and follow
 * the data in a descriptor (general purpose bit 3), every header carries the extended timestamp 0x5455, the
 * creator is Unix, and zip64 records appear only where a size or an offset does not fit. See APPNOTE.TXT of
 * PKWARE for the records.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <zlib.h>

enum { MAX_ENTRIES = 16, CHUNK = 1 << 16 };
static const uint64_t SMALL = 0xffffffffu;

struct entry {
    const char *name;
    struct stat st;
    uint32_t crc;
    uint64_t offset, packed, plain;
};

static FILE *out;
static uint64_t written;

static void die(const char *what)
{
    fprintf(stderr, "labzip: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void put(const void *data, size_t len)
{
    if (fwrite(data, 1, len, out) != len)
        die("write");
    written += len;
}

static void put_le(uint64_t value, int bytes)
{
    unsigned char b[8];
    for (int i = 0; i < bytes; i++)
        b[i] = (unsigned char)(value >> (8 * i));
    put(b, (size_t)bytes);
}

static void put_dos_time(time_t t)
{
    struct tm tm;
    gmtime_r(&t, &tm);
    put_le((uint64_t)(tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2), 2);
    put_le((uint64_t)((tm.tm_year - 80) << 9 | (tm.tm_mon + 1) << 5 | tm.tm_mday), 2);
}

static void put_timestamp(time_t t)
{
    put_le(0x5455, 2);
    put_le(5, 2);
    put_le(1, 1); /* only the modification time follows */
    put_le((uint32_t)t, 4);
}

static void put_local_header(struct entry *e)
{
    e->offset = written;
    put_le(0x04034b50, 4);
    put_le(20, 2);
    put_le(1 << 3, 2);
    put_le(Z_DEFLATED, 2);
    put_dos_time(e->st.st_mtime);
    put_le(0, 4 + 4);
    put_le(0, 4); /* CRC and both sizes: in the descriptor */
    put_le(strlen(e->name), 2);
    put_le(9, 2);
    put(e->name, strlen(e->name));
    put_timestamp(e->st.st_mtime);
}

static void put_descriptor(const struct entry *e)
{
    int width = e->packed >= SMALL || e->plain >= SMALL ? 8 : 4;
    put_le(0x08074b50, 4);
    put_le(e->crc, 4);
    put_le(e->packed, width);
    put_le(e->plain, width);
}

static void put_central_header(const struct entry *e)
{
    int big = e->packed >= SMALL || e->plain >= SMALL || e->offset >= SMALL;
    put_le(0x02014b50, 4);
    put_le(3 << 8 | 20, 2);
    put_le(big ? 45 : 20, 2);
    put_le(1 << 3, 2);
    put_le(Z_DEFLATED, 2);
    put_dos_time(e->st.st_mtime);
    put_le(e->crc, 4);
    put_le(big ? SMALL : e->packed, 4);
    put_le(big ? SMALL : e->plain, 4);
    put_le(strlen(e->name), 2);
    put_le(big ? 9 + 28 : 9, 2);
    put_le(0, 2); /* comment */
    put_le(0, 2); /* disk */
    put_le(0, 2); /* internal attributes */
    put_le((uint64_t)e->st.st_mode << 16, 4);
    put_le(e->offset >= SMALL ? SMALL : e->offset, 4);
    put(e->name, strlen(e->name));
    put_timestamp(e->st.st_mtime);
    if (big) {
        put_le(1, 2);
        put_le(24, 2);
        put_le(e->plain, 8);
        put_le(e->packed, 8);
        put_le(e->offset, 8);
    }
}

static void put_end(uint64_t count, uint64_t start)
{
    uint64_t size = written - start, end = written;
    if (start >= SMALL || size >= SMALL) {
        put_le(0x06064b50, 4);
        put_le(44, 8);
        put_le(45, 2);
        put_le(45, 2);
        put_le(0, 8);
        put_le(count, 8);
        put_le(count, 8);
        put_le(size, 8);
        put_le(start, 8);
        put_le(0x07064b50, 4);
        put_le(0, 4);
        put_le(end, 8);
        put_le(1, 4);
        size = start = SMALL;
    }
    put_le(0x06054b50, 4);
    put_le(0, 4);
    put_le(count, 2);
    put_le(count, 2);
    put_le(size, 4);
    put_le(start, 4);
    put_le(0, 2);
}

static void deflate_file(struct entry *e)
{
    static unsigned char in[CHUNK], packed[CHUNK];
    z_stream z = {0};
    FILE *f = fopen(e->name, "rb");
    if (!f || fstat(fileno(f), &e->st) != 0)
        die(e->name);
    put_local_header(e);
    /* Negative window bits: no zlib wrapper. The level is Go's default; its packer is about as slow as this
     * one. */
    if (deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        die("deflate");
    for (int last = 0; !last;) {
        z.avail_in = (uInt)fread(in, 1, sizeof in, f);
        z.next_in = in;
        if (ferror(f))
            die(e->name);
        last = feof(f);
        e->crc = (uint32_t)crc32(e->crc, in, z.avail_in);
        e->plain += z.avail_in;
        do {
            z.next_out = packed;
            z.avail_out = sizeof packed;
            deflate(&z, last ? Z_FINISH : Z_NO_FLUSH);
            put(packed, sizeof packed - z.avail_out);
            e->packed += sizeof packed - z.avail_out;
        } while (z.avail_out == 0);
    }
    deflateEnd(&z);
    fclose(f);
    put_descriptor(e);
}

int main(int argc, char **argv)
{
    static struct entry entries[MAX_ENTRIES];
    int count = argc - 2;
    if (count < 1 || count > MAX_ENTRIES) {
        fprintf(stderr, "usage: labzip OUT FILE...\n");
        return 2;
    }
    out = fopen(argv[1], "wb");
    if (!out)
        die(argv[1]);
    for (int i = 0; i < count; i++) {
        entries[i].name = argv[i + 2];
        deflate_file(&entries[i]);
    }
    uint64_t start = written;
    for (int i = 0; i < count; i++)
        put_central_header(&entries[i]);
    put_end((uint64_t)count, start);
    if (fclose(out) != 0)
        die("close");
    return 0;
}
