/* What `etcdctl snapshot save` writes, as it flows by: a bbolt database, and behind it the SHA-256 of all its
 * bytes, which a restore compares (etcd, clientv3/snapshot). A database has whole pages, so the file's size
 * is 32 more than a multiple of 512. */
#ifndef SNAPCTL_SNAPSHOT_ETCD_HASH_H
#define SNAPCTL_SNAPSHOT_ETCD_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "sha256.h"
#include "snapctl/base/err.h"
#include "snapctl/base/mem.h"
#include "snapctl/snapshot/archive.h"

struct etcd_hash;

struct etcd_hash *etcd_hash_new(void) WARN_UNUSED;
void etcd_hash_free(struct etcd_hash *hash);

/* -1 with ERR_CORRUPT as soon as it is seen that this is no bbolt database. */
int etcd_hash_update(struct etcd_hash *hash, const unsigned char *data, size_t len,
                     struct sc_err *err) WARN_UNUSED;

/* Compares size and SHA-256; hex gets the latter. */
int etcd_hash_finish(struct etcd_hash *hash, char hex[SHA256_HEX], struct sc_err *err) WARN_UNUSED;

/* Ends the hash of a database and compares it with the one that stands behind it; hex gets the former. */
int etcd_hash_compare(struct sha256 *sha256, const unsigned char trailer[SHA256_BYTES], char hex[SHA256_HEX],
                      struct sc_err *err) WARN_UNUSED;

/* Whether a snapshot file can have this size. */
int etcd_hash_check_size(uint64_t bytes, struct sc_err *err) WARN_UNUSED;

#endif
