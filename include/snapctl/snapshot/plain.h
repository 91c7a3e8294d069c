/* Proves a plain snapshot while it flows by: what `etcdctl snapshot save` wrote, and RKE before v0.2.0 left
 * as it is: a bbolt database and behind it the SHA-256 of that database. Pure: bytes in, facts out. */
#ifndef SNAPCTL_SNAPSHOT_PLAIN_H
#define SNAPCTL_SNAPSHOT_PLAIN_H

#include "snapctl/base/stream.h"
#include "snapctl/snapshot/archive.h"

struct plain_check;

struct plain_check *plain_check_new(void) WARN_UNUSED;
void plain_check_free(struct plain_check *check); /* NULL is allowed */

/* write fails with ERR_CORRUPT as soon as it is seen that this is no database; finish fails unless its
 * SHA-256 stands behind it. */
struct sink *plain_check_sink(struct plain_check *check);

/* All that is written goes to copy as well, which is neither finished nor aborted. */
void plain_check_copy(struct plain_check *check, struct sink *copy);

/* After a finish that succeeded. The file is what of others is the archive. */
const struct archive_facts *plain_check_facts(const struct plain_check *check);

#endif
