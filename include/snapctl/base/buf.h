/* A growing byte buffer with a cap. Its data always has a NUL behind its end, which len does not count. */
#ifndef SNAPCTL_BASE_BUF_H
#define SNAPCTL_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "snapctl/base/mem.h"

struct buf {
    char *data; /* NULL while nothing was ever appended: use buf_text */
    size_t len;
    size_t cap;
    size_t max;     /* bytes it may hold at most; 0 stands for BUF_DEFAULT_MAX */
    bool truncated; /* something was cut off because of max */
    bool wipe;      /* holds secrets: memory is overwritten before it is given back */
};

#define BUF_DEFAULT_MAX ((size_t)1 << 20)
#define AUTO_BUF CLEANUP(buf_free)

/* Append as much as max allows; false, and truncated set, when something was cut off. */
bool buf_append(struct buf *b, const void *data, size_t len);
bool buf_puts(struct buf *b, const char *text);
bool buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);

/* The data as a string, never NULL. Valid until the next append. */
const char *buf_text(const struct buf *b);

/* The data as a string that the caller owns; the buffer is empty afterwards. */
char *buf_take(struct buf *b) WARN_UNUSED;

/* Empties the buffer, keeping its memory. */
void buf_reset(struct buf *b);

/* Frees the memory; the buffer can be used again. */
void buf_free(struct buf *b);

#endif
