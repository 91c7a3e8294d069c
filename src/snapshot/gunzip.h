/* Unpacks gzip (RFC 1952) that comes in pieces, by zlib, which compares CRC-32 and size: one member, and
 * nothing behind it. What is unpacked may be secret, so all memory of it is wiped. */
#ifndef SNAPCTL_SNAPSHOT_GUNZIP_H
#define SNAPCTL_SNAPSHOT_GUNZIP_H

#include <stddef.h>

#include "snapctl/base/err.h"
#include "snapctl/base/mem.h"

struct gunzip;

/* Is given what was unpacked, in pieces; -1 ends it. */
typedef int gunzip_seen(void *arg, const unsigned char *data, size_t len, struct sc_err *err);

struct gunzip *gunzip_new(gunzip_seen *seen, void *arg) WARN_UNUSED;
void gunzip_free(struct gunzip *gunzip); /* NULL is allowed */

/* -1 with ERR_CORRUPT, or as seen. */
int gunzip_push(struct gunzip *gunzip, const unsigned char *data, size_t len, struct sc_err *err) WARN_UNUSED;

/* ERR_CORRUPT unless the stream has ended. */
int gunzip_finish(const struct gunzip *gunzip, struct sc_err *err) WARN_UNUSED;

#endif
