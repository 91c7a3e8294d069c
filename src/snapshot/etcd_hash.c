#include "etcd_hash.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "database_meta.h"

enum { SECTOR = 512 };

struct etcd_hash {
    struct sha256 *sha256;
    uint64_t bytes; /* seen, with the last ones */
    unsigned char first[DATABASE_META_BYTES];
    struct database_meta meta;        /* what the first page says */
    unsigned char last[SHA256_BYTES]; /* not hashed yet: they may be the trailer */
    size_t n_last;
};

struct etcd_hash *etcd_hash_new(void)
{
    struct etcd_hash *hash = mem_calloc(1, sizeof *hash);
    hash->sha256 = sha256_new();
    return hash;
}

void etcd_hash_free(struct etcd_hash *hash)
{
    if (!hash)
        return;
    sha256_free(hash->sha256);
    free(hash);
}

/* Hashes all but the last 32 bytes of what was kept and of data, and keeps those. */
static void hash_all_but_last(struct etcd_hash *h, const unsigned char *data, size_t len)
{
    size_t keep_old = len < SHA256_BYTES ? SHA256_BYTES - len : 0;
    size_t from_old = h->n_last > keep_old ? h->n_last - keep_old : 0;
    sha256_update(h->sha256, h->last, from_old);
    h->n_last -= from_old;
    memmove(h->last, h->last + from_old, h->n_last);
    size_t keep_new = len < SHA256_BYTES ? len : SHA256_BYTES;
    sha256_update(h->sha256, data, len - keep_new);
    memcpy(h->last + h->n_last, data + len - keep_new, keep_new);
    h->n_last += keep_new;
}

int etcd_hash_update(struct etcd_hash *h, const unsigned char *data, size_t len, struct sc_err *err)
{
    if (len == 0)
        return 0;
    if (h->bytes < DATABASE_META_BYTES) {
        size_t have = (size_t)h->bytes, missing = DATABASE_META_BYTES - have;
        size_t n = len < missing ? len : missing;
        memcpy(h->first + have, data, n);
        if (n == missing && database_meta_read(h->first, 0, &h->meta, err) < 0)
            return -1;
    }
    hash_all_but_last(h, data, len);
    h->bytes += len;
    return 0;
}

int etcd_hash_check_size(uint64_t bytes, struct sc_err *err)
{
    if (bytes < SECTOR || bytes % SECTOR != SHA256_BYTES)
        return err_set(
            err, ERR_CORRUPT,
            "%" PRIu64
            " bytes cannot be a database with its SHA-256 behind it (size %% %d must be %d, found %d)",
            bytes, SECTOR, SHA256_BYTES, (int)(bytes % SECTOR));
    return 0;
}

int etcd_hash_compare(struct sha256 *sha256, const unsigned char trailer[SHA256_BYTES], char hex[SHA256_HEX],
                      struct sc_err *err)
{
    unsigned char digest[SHA256_BYTES];
    char expected[SHA256_HEX];
    sha256_finish(sha256, digest);
    sha256_hex(digest, hex);
    sha256_hex(trailer, expected);
    if (memcmp(digest, trailer, SHA256_BYTES) != 0)
        return err_set(err, ERR_CORRUPT, "the database's SHA-256 must be %s, found %s", expected, hex);
    return 0;
}

int etcd_hash_finish(struct etcd_hash *h, char hex[SHA256_HEX], struct sc_err *err)
{
    if (etcd_hash_check_size(h->bytes, err) < 0 ||
        database_meta_check_size(&h->meta, h->bytes - SHA256_BYTES, err) < 0)
        return -1;
    return etcd_hash_compare(h->sha256, h->last, hex, err);
}
