#include "snapctl/base/buf.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/secret.h"
#include "snapctl/base/str.h"

/* realloc may leave a copy of the bytes behind, where they were before. */
static char *move_wiping(char *old, size_t len, size_t cap)
{
    char *data = mem_calloc(cap, 1);
    if (old) {
        memcpy(data, old, len);
        secret_wipe(old, len);
    }
    free(old);
    return data;
}

static void reserve(struct buf *b, size_t need)
{
    if (need < b->cap)
        return;
    size_t cap = b->cap ? b->cap : 64;
    while (cap <= need)
        cap *= 2;
    b->data = b->wipe ? move_wiping(b->data, b->len, cap) : mem_realloc(b->data, cap, 1);
    b->cap = cap;
}

bool buf_append(struct buf *b, const void *data, size_t len)
{
    size_t room = (b->max ? b->max : BUF_DEFAULT_MAX) - b->len;
    bool fits = len <= room;
    if (!fits) {
        b->truncated = true;
        len = room;
    }
    reserve(b, b->len + len);
    if (len)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
    return fits;
}

bool buf_puts(struct buf *b, const char *text)
{
    return buf_append(b, text, strlen(text));
}

bool buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    AUTO_FREE char *text = str_vformat(format, args);
    va_end(args);
    bool fits = buf_puts(b, text);
    if (b->wipe)
        secret_wipe(text, strlen(text));
    return fits;
}

const char *buf_text(const struct buf *b)
{
    return b->data ? b->data : "";
}

char *buf_take(struct buf *b)
{
    reserve(b, b->len);
    b->data[b->len] = '\0';
    char *data = b->data;
    *b = (struct buf){.max = b->max, .wipe = b->wipe};
    return data;
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->truncated = false;
    if (b->data)
        b->data[0] = '\0';
}

void buf_free(struct buf *b)
{
    if (b->wipe && b->data)
        secret_wipe(b->data, b->cap);
    free(b->data);
    *b = (struct buf){.max = b->max, .wipe = b->wipe};
}
