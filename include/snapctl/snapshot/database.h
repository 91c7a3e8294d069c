/* Proves that the database within a snapshot is whole, and tells what is in it.
 *
 * A snapshot is a bbolt database (go.etcd.io/bbolt: page.go, db.go, tx_check.go) with the buckets of etcd v3
 * (etcd: mvcc, lease, auth, membership), and behind it, when `etcdctl snapshot save` wrote it, the SHA-256 of
 * the database. Nothing in it is believed: each page is reached once, lies within the file, and is what the
 * page that refers to it says. This is all that bbolt's own check finds, and more, as what bbolt never writes
 * is refused, too. Pages that nothing refers to are not looked at. Pure: bytes in, facts out. */
#ifndef SNAPCTL_SNAPSHOT_DATABASE_H
#define SNAPCTL_SNAPSHOT_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/ctx.h"
#include "snapctl/base/err.h"
#include "snapctl/base/stream.h"
#include "snapctl/snapshot/archive.h"

struct database_member {
    uint64_t id;
    char *name;       /* "" until the member has started for the first time */
    char **peer_urls; /* at least one */
    size_t n_peer_urls;
};

enum { DATABASE_META_GOOD = -1 };

struct database_facts {
    /* The four figures of `etcdctl snapshot status`, equal to what it prints. */
    uint32_t hash;        /* CRC-32C of all buckets, keys and values: the same for equal contents */
    int64_t revision;     /* of the last change that is still kept */
    uint64_t total_keys;  /* entries of all buckets, old revisions and etcd's own among them */
    uint64_t total_bytes; /* of the database's pages, without the SHA-256 */

    char sha256[SHA256_HEX]; /* of the database, equal to the one behind it; "" if there is none, and a
                                restore would then have to be told so */
    uint32_t page_bytes;
    /* The meta page, 0 or 1, that is damaged, or DATABASE_META_GOOD. There are two so that one is enough:
     * etcd opens such a database and it can be restored, but something has written into the snapshot since
     * it was taken. To be told as a warning. Both damaged is an error. */
    int damaged_meta;

    uint64_t leases;
    bool auth_enabled;
    /* Of the cluster that it was taken from, by id; texts are visible. Below etcd 3.5 also those of before a
     * restore, which etcd leaves in the database. */
    struct database_member *members;
    size_t n_members;
};

#define AUTO_DATABASE_FACTS CLEANUP(database_facts_clear)

/* Checks a snapshot of len bytes. -1 with ERR_CORRUPT says what is wrong, and with which page: "page 12: …";
 * the facts are empty then. The ctx can end it. Allocates a byte for each page, and what the facts need:
 * at most 1024 members. */
int database_check(const struct ctx *ctx, const void *data, size_t len, struct database_facts *facts,
                   struct sc_err *err) WARN_UNUSED;

/* The same for a regular file, which is mapped: whoever shortens it meanwhile kills this process with SIGBUS.
 * So it must be a file that nobody else can write, such as an unlinked one. Its offset does not matter.
 * A few MiB of it are in memory at a time. sha256: of the database, where it has been compared with the one
 * behind it; NULL: that is done here. */
int database_check_file(const struct ctx *ctx, int fd, const char *sha256, struct database_facts *facts,
                        struct sc_err *err) WARN_UNUSED;

/* For a database that flows by: a sink that reads the pages of the bucket "key", nearly all of most
 * databases, as they come, and passes on to kept only a digest of each; pages that nothing can refer to are
 * dropped, and all others passed on as they are. Of a database whose first page is damaged that is
 * everything. After its finish, database_check_sifted takes a file with what was passed on, as
 * database_check_file takes the database, and finds the same; sha256, which is not NULL, must have been
 * compared. kept is neither finished nor aborted, and the sift need be neither. It takes about 2 MiB, and 4
 * bytes for each page, at most 64 MiB: of a database of more pages finish fails with ERR_SPACE. */
struct database_sift;
struct database_sift *database_sift_new(struct sink *kept) WARN_UNUSED;
void database_sift_free(struct database_sift *sift); /* NULL is allowed */
struct sink *database_sift_sink(struct database_sift *sift);
int database_check_sifted(const struct ctx *ctx, const struct database_sift *sift, int fd, const char *sha256,
                          struct database_facts *facts, struct sc_err *err) WARN_UNUSED;

/* Frees what the facts hold and empties them. */
void database_facts_clear(struct database_facts *facts);

/* Moves the facts, which are empty then, to memory of their own, for database_facts_free. */
struct database_facts *database_facts_take(struct database_facts *facts) WARN_UNUSED;
void database_facts_free(struct database_facts *facts); /* NULL is allowed */

#endif
