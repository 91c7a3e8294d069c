/* What the walk has to know of a leaf of etcd's bucket "key" that was checked before: nearly all pages of
 * most databases are such leaves. */
#ifndef SNAPCTL_SNAPSHOT_DATABASE_DIGEST_H
#define SNAPCTL_SNAPSHOT_DATABASE_DIGEST_H

#include "crc32c.h"
#include "database_page.h"

enum { DATABASE_REVISION_MAX = 18 }; /* bytes of a key of that bucket, with the mark of a tombstone */

struct database_digest {
    uint64_t id;
    uint32_t pages;
    uint32_t count;
    uint32_t bytes; /* of all keys and values */
    uint32_t crc;   /* CRC-32C of them */
    uint8_t first_len, last_len;
    unsigned char first[DATABASE_REVISION_MAX], last[DATABASE_REVISION_MAX]; /* keys */
    unsigned char unused[2];                                                 /* 0 */
};
_Static_assert(sizeof(struct database_digest) == DATABASE_PLACE_UNIT, "a digest must fill its place");

/* Whether the page, a leaf, has at least one element, and all are revisions that etcd can read: then digest
 * is all that there is to know, but for the pages, which the caller knows. Uses crc, whose value is lost.
 * Else the walk will tell what is wrong with the page, or what else it is. */
bool database_digest_make(struct crc32c *crc, const struct database_page *page,
                          struct database_digest *digest) WARN_UNUSED;

/* The header of the page. */
struct database_header database_digest_header(const struct database_digest *digest);

#endif
