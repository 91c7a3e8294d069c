#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/str.h"
#include "snapctl/node/node.h"

/* POSIX.1-2017, pax: ustar interchange format. */
struct header {
    char name[100];
    char mode[8], uid[8], gid[8];
    char size[12], mtime[12];
    char checksum[8];
    char type;
    char linkname[100];
    char magic[6], version[2];
    char uname[32], gname[32];
    char devmajor[8], devminor[8];
    char prefix[155];
    char pad[12];
};
_Static_assert(sizeof(struct header) == 512, "a tar block has 512 bytes");

enum { BLOCK = sizeof(struct header) };

static struct header make_header(const char *name, char type, size_t size)
{
    struct header h = {
        .type = type, .magic = "ustar", .version = {'0', '0'}
    };
    size_t len = strlen(name);
    memcpy(h.name, name, len < sizeof h.name ? len : sizeof h.name);
    snprintf(h.mode, sizeof h.mode, "%07o", 0400U);
    snprintf(h.uid, sizeof h.uid, "%07o", 0U);
    snprintf(h.gid, sizeof h.gid, "%07o", 0U);
    snprintf(h.size, sizeof h.size, "%011zo", size);
    snprintf(h.mtime, sizeof h.mtime, "%011o", 0U);
    memset(h.checksum, ' ', sizeof h.checksum);
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += ((const unsigned char *)&h)[i];
    snprintf(h.checksum, sizeof h.checksum, "%06o", sum);
    return h;
}

static size_t padding(size_t len)
{
    return (BLOCK - len % BLOCK) % BLOCK;
}

/* A name too long for the ustar header stands in a pax record before it: "LENGTH path=NAME\n", where the
 * length counts its own digits. */
static void append_long_name(struct buf *out, const char *name)
{
    static const char zeros[BLOCK];
    static const size_t digits = 3; /* names of 100 to 900 characters */
    size_t len = digits + strlen(" path=\n") + strlen(name);
    struct header h = make_header("pax", 'x', len);
    buf_append(out, &h, sizeof h);
    buf_printf(out, "%zu path=%s\n", len, name);
    buf_append(out, zeros, padding(len));
}

struct secret *node_state_archive(const char *name, const struct secret *content)
{
    static const char end[3 * BLOCK]; /* room for the padding and the two blocks that end an archive */
    AUTO_FREE char *file = str_format("%s.rkestate", name);
    AUTO_BUF struct buf head = {0};
    size_t len = secret_len(content);
    if (strlen(file) > sizeof((struct header *)0)->name)
        append_long_name(&head, file);
    struct header h = make_header(file, '0', len);
    buf_append(&head, &h, sizeof h);
    struct secret_part parts[] = {
        {head.data,            head.len                        },
        {secret_data(content), len                             },
        {end,                  padding(len) + (size_t)2 * BLOCK},
    };
    return secret_join(parts, sizeof parts / sizeof *parts);
}
