/* Bytes on their way that are kept until they have all come, in one file without a name: of mode 0600, in the
 * folder of the environment's TMPDIR, else in /var/tmp.
 *
 * What goes wrong with the file is told in the end, so that the stream that it branches from can go on. */
#ifndef SNAPCTL_BASE_SPOOL_H
#define SNAPCTL_BASE_SPOOL_H

#include "snapctl/base/stream.h"

struct spool;

struct spool *spool_new(void) WARN_UNUSED;
void spool_free(struct spool *spool); /* NULL is allowed */

/* Write, finish and abort never fail. */
struct sink *spool_sink(struct spool *spool);

/* How many bytes have come, kept or not. */
uint64_t spool_bytes(const struct spool *spool);

/* The file, which is the spool's, with all that has come, or -1: ERR_SPACE if there was no room for it, which
 * says for how much, and else ERR_SYSTEM. */
int spool_file(struct spool *spool, struct sc_err *err) WARN_UNUSED;

#endif
