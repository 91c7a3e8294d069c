/* The data types of SSH messages (RFC 4251, section 5) and base64, read from hostile bytes. */
#ifndef SNAPCTL_SRC_NET_WIRE_H
#define SNAPCTL_SRC_NET_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/buf.h"

/* Bytes that are still to be read; every read moves on. */
struct wire {
    const unsigned char *at;
    size_t left;
};

/* False, and nothing read, if not enough is left. A string points into the bytes and has no NUL. */
bool wire_u32(struct wire *w, uint32_t *value);
bool wire_u64(struct wire *w, uint64_t *value);
bool wire_string(struct wire *w, struct wire *value);
bool wire_skip_strings(struct wire *w, size_t n);
bool wire_skip_bytes(struct wire *w, size_t n);

bool wire_equal(const struct wire *value, const char *text);

/* A copy of a string with a NUL behind it; NULL if it has a NUL inside. The caller frees it. */
char *wire_text(const struct wire *value) WARN_UNUSED;

void wire_put_u32(struct buf *out, uint32_t value);
void wire_put_string(struct buf *out, const void *data, size_t len);

/* Decodes strict base64 (padded, no white space) into out; false if it is none. */
bool wire_from_base64(const char *text, size_t len, struct buf *out);

/* The caller frees it. */
char *wire_to_base64(const void *data, size_t len) WARN_UNUSED;

#endif
