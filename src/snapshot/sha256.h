/* SHA-256 (FIPS 180-4) of data that comes in pieces. */
#ifndef SNAPCTL_SNAPSHOT_SHA256_H
#define SNAPCTL_SNAPSHOT_SHA256_H

#include <stddef.h>

#include "snapctl/base/mem.h"
#include "snapctl/snapshot/archive.h"

enum { SHA256_BYTES = 32 };

struct sha256;

struct sha256 *sha256_new(void) WARN_UNUSED;
void sha256_free(struct sha256 *hash);
void sha256_update(struct sha256 *hash, const void *data, size_t len);

/* Once, at the end. */
void sha256_finish(struct sha256 *hash, unsigned char digest[SHA256_BYTES]);

void sha256_hex(const unsigned char digest[SHA256_BYTES], char hex[SHA256_HEX]);

#endif
