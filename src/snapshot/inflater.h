/* Raw Deflate (RFC 1951) piece by piece. It takes a stream exactly if zlib takes it,
 * and then RKE's own reader (Go's compress/flate) does, too: what it passes can be restored. It is not zlib,
 * as unpacking was two thirds of the work of checking a snapshot, and this is about twice as fast. */
#ifndef SNAPCTL_SNAPSHOT_INFLATER_H
#define SNAPCTL_SNAPSHOT_INFLATER_H

#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/mem.h"

struct inflater;

enum inflater_result {
    INFLATER_MORE, /* all input was taken, and what it says was written */
    INFLATER_FULL, /* there is more to be written, perhaps with no more input */
    INFLATER_END,  /* the stream ended, and all of it was written */
    INFLATER_BAD,  /* not Deflate */
};

/* What one step can write at most. */
enum { INFLATER_OUT_MAX = 96 << 10 };

struct inflater_step {
    const unsigned char *in; /* moved on by what was taken */
    size_t in_len;
    const unsigned char *out; /* set to what was written, which the inflater owns until the next step */
    size_t out_len;
};

struct inflater *inflater_new(void) WARN_UNUSED;
void inflater_free(struct inflater *s);

/* Makes ready for a stream from its beginning. */
void inflater_reset(struct inflater *s);

/* After an end or an error it is not to be called again before inflater_reset. */
enum inflater_result inflater_run(struct inflater *s, struct inflater_step *step) WARN_UNUSED;

/* After INFLATER_END: the bytes behind the stream's end that were taken too, which may have come with earlier
 * pieces. Returns their number. */
enum { INFLATER_REST_MAX = 8 };
size_t inflater_rest(const struct inflater *s, unsigned char rest[INFLATER_REST_MAX]);

#endif
