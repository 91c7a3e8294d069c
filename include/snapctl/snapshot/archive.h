/* Proves that an archive left by the snapshot tool can be restored, while it flows by.
 *
 * The archive is a zip whose entry "/backup/NAME" (leading slash kept) is what `etcdctl snapshot save` wrote:
 * a bbolt database and behind it the SHA-256 of that database (rancher/rke-tools, main.go: the archive;
 * etcd, clientv3/snapshot: the hash). Beside it may stand "/etc/kubernetes/NAME.rkestate".
 * Pure: bytes in, facts out. Formats: PKWARE APPNOTE 6.3.10, RFC 1951, FIPS 180-4. */
#ifndef SNAPCTL_SNAPSHOT_ARCHIVE_H
#define SNAPCTL_SNAPSHOT_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/err.h"
#include "snapctl/base/stream.h"

enum { SHA256_HEX = 65 }; /* 64 hex digits and a NUL */

struct archive_facts {
    uint64_t bytes;               /* of the archive */
    char sha256[SHA256_HEX];      /* of the archive; "" from archive_check_tail, or if it is left out */
    uint64_t etcd_bytes;          /* of the entry /backup/NAME: database and trailer */
    char etcd_sha256[SHA256_HEX]; /* of the database, equal to the trailer; "" from archive_check_tail */
    bool state_file;              /* the entry /etc/kubernetes/NAME.rkestate is there */
};

/* The whole archive, pushed through in pieces of any size; memory is bounded (under 256 KiB).
 * name is the snapshot's, NULL for whichever it has; want_state makes a missing state entry an error.
 * write fails with ERR_CORRUPT as soon as something is wrong, and says what and at which offset; finish fails
 * unless all holds: local headers, data descriptors and central directory agree, CRC-32 of every entry, no
 * bytes between or behind, the entry /backup/NAME exactly once and no other than the state file beside it (a
 * restore would unpack that too), a bbolt database whose SHA-256 is its trailer. */
struct archive_check;
struct archive_check *archive_check_new(const char *name, bool want_state) WARN_UNUSED;
void archive_check_free(struct archive_check *check);
struct sink *archive_check_sink(struct archive_check *check);

/* What the entry /backup/NAME holds is written to copy as well, which is neither finished nor aborted: it may
 * turn out to be damaged afterwards. */
void archive_check_copy(struct archive_check *check, struct sink *copy);

/* The same of the state file's entry. */
void archive_check_copy_state(struct archive_check *check, struct sink *copy);

/* Leaves out facts.sha256, the archive's own, which proves nothing and takes as long as that of the database;
 * before the first byte. */
void archive_check_leave_out_sha256(struct archive_check *check);

/* The snapshot's name; NULL: not known yet. */
const char *archive_check_name(const struct archive_check *check);

/* After a finish that succeeded. */
const struct archive_facts *archive_check_facts(const struct archive_check *check);

/* The quick look: only the last bytes of an archive of `total` bytes (tail holds its last `len`; give 64 KiB,
 * or all if it has less). Checks that the central directory is whole and lists the entries; proves nothing of
 * the data. */
int archive_check_tail(const char *name, bool want_state, const void *tail, size_t len, uint64_t total,
                       struct archive_facts *facts, struct sc_err *err) WARN_UNUSED;

#endif
