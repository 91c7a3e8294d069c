#include "snapctl/snapshot/plain.h"

#include <stdlib.h>

#include "etcd_hash.h"
#include "sha256.h"

struct plain_check {
    struct sink sink;
    struct sink *copy; /* NULL: none */
    struct sha256 *sha256;
    struct etcd_hash *etcd;
    struct archive_facts facts;
};

static int plain_write(struct sink *self, const struct ctx *ctx, const void *data, size_t len,
                       struct sc_err *err)
{
    struct plain_check *check = (struct plain_check *)self;
    check->facts.bytes += len;
    sha256_update(check->sha256, data, len);
    if (etcd_hash_update(check->etcd, data, len, err) < 0)
        return -1;
    return check->copy ? check->copy->write(check->copy, ctx, data, len, err) : 0;
}

static int plain_finish(struct sink *self, const struct ctx *ctx, struct sc_err *err)
{
    struct plain_check *check = (struct plain_check *)self;
    unsigned char digest[SHA256_BYTES];
    (void)ctx;
    if (etcd_hash_finish(check->etcd, check->facts.etcd_sha256, err) < 0)
        return -1;
    check->facts.etcd_bytes = check->facts.bytes;
    sha256_finish(check->sha256, digest);
    sha256_hex(digest, check->facts.sha256);
    return 0;
}

struct plain_check *plain_check_new(void)
{
    struct plain_check *check = mem_calloc(1, sizeof *check);
    check->sink = (struct sink){.write = plain_write, .finish = plain_finish, .abort = sink_abort_nothing};
    check->sha256 = sha256_new();
    check->etcd = etcd_hash_new();
    return check;
}

void plain_check_free(struct plain_check *check)
{
    if (!check)
        return;
    sha256_free(check->sha256);
    etcd_hash_free(check->etcd);
    free(check);
}

struct sink *plain_check_sink(struct plain_check *check)
{
    return &check->sink;
}

void plain_check_copy(struct plain_check *check, struct sink *copy)
{
    check->copy = copy;
}

const struct archive_facts *plain_check_facts(const struct plain_check *check)
{
    return &check->facts;
}
