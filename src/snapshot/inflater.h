/* Raw Deflate (RFC 1951) piece by piece, and the CRC-32 of zip: by ISA-L where it is built in (HAVE_ISAL),
 * else by zlib. */
#ifndef SNAPCTL_SNAPSHOT_INFLATER_H
#define SNAPCTL_SNAPSHOT_INFLATER_H

#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/mem.h"

struct inflater;

enum inflater_result {
    INFLATER_MORE, /* needs more input, or more room for output if that is full */
    INFLATER_END,  /* the stream ended, and all of it was written */
    INFLATER_BAD,  /* not Deflate */
};

struct inflater_step {
    const unsigned char *in; /* moved on by what was taken */
    size_t in_len;
    unsigned char *out;
    size_t out_cap;
    size_t out_len; /* set to what was written */
};

struct inflater *inflater_new(void) WARN_UNUSED;
void inflater_free(struct inflater *inflater);

/* Makes ready for a stream from its beginning. */
void inflater_reset(struct inflater *inflater);

enum inflater_result inflater_run(struct inflater *inflater, struct inflater_step *step) WARN_UNUSED;

/* After INFLATER_END: the bytes behind the stream's end that were taken too, which may have come with earlier
 * pieces. Returns their number. */
enum { INFLATER_REST_MAX = 8 };
size_t inflater_rest(const struct inflater *inflater, unsigned char rest[INFLATER_REST_MAX]);

/* The CRC-32 of what went before (0: nothing) and len bytes more. */
uint32_t inflater_crc32(uint32_t crc, const unsigned char *data, size_t len);

#endif
