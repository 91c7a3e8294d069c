/* CRC-32C (Castagnoli's polynomial; RFC 3720, B.4) of data that comes in pieces: what etcd calls the hash of
 * a database. */
#ifndef SNAPCTL_SNAPSHOT_CRC32C_H
#define SNAPCTL_SNAPSHOT_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CRC32C_POWERS = 64 };

struct crc32c {
    uint32_t value; /* of all data so far */
    bool hardware;
    uint32_t powers[CRC32C_POWERS]; /* what 2^i bytes more do: x^(8 * 2^i) */
    uint32_t table[8][256];         /* for want of the instruction; all 0 with it */
};

/* With the processor's own instruction where it has one. */
void crc32c_init(struct crc32c *crc);

/* With tables, which any processor can. */
void crc32c_init_portable(struct crc32c *crc);

void crc32c_update(struct crc32c *crc, const void *data, size_t len);

/* The same as crc32c_update with len bytes whose own CRC-32C is known. */
void crc32c_append(struct crc32c *crc, uint32_t value, uint64_t len);

#endif
