#include "snapctl/snapshot/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "database_buckets.h"
#include "database_freelist.h"
#include "database_member.h"
#include "database_meta.h"
#include "database_sift.h"
#include "etcd_hash.h"
#include "sha256.h"

enum { SECTOR = 512, HASH_PIECE = 1 << 20 };

struct input {
    const unsigned char *data;
    size_t len;
    void *map;              /* the same, of a mapped file; else NULL */
    const uint32_t *places; /* of what is left of the pages, whose bytes were `bytes`; NULL: all are there */
    uint64_t bytes;         /* as they came; len, if all are there */
    const char *sha256;     /* that was compared already; NULL: none */
};

/* A database has whole sectors, so 32 bytes more are its SHA-256: the same rule as etcd's. */
static int split(uint64_t len, uint64_t *database, struct sc_err *err)
{
    if (len % SECTOR == 0) {
        *database = len;
        return 0;
    }
    if (etcd_hash_check_size(len, err) < 0)
        return -1;
    *database = len - SHA256_BYTES;
    return 0;
}

static int check_sha256(const struct ctx *ctx, const struct input *in, size_t len, char hex[SHA256_HEX],
                        struct sc_err *err)
{
    struct sha256 *sha256 = sha256_new();
    int result = 0;
    for (size_t at = 0; at < len && result == 0; at += HASH_PIECE) {
        sha256_update(sha256, in->data + at, len - at < HASH_PIECE ? len - at : HASH_PIECE);
        if (in->map)
            (void)madvise(in->map, in->len, MADV_DONTNEED);
        result = ctx_check(ctx, err);
    }
    if (result == 0)
        result = etcd_hash_compare(sha256, in->data + len, hex, err);
    sha256_free(sha256);
    return result;
}

static int check_buckets(const struct ctx *ctx, struct database_pages *pages,
                         const struct database_meta *meta, unsigned meta_page, struct database_facts *facts,
                         struct sc_err *err)
{
    AUTO_FREE struct database_buckets *buckets = mem_calloc(1, sizeof *buckets);
    database_buckets_init(buckets, facts);
    const struct database_visitor visitor = database_buckets_visitor(buckets);
    if (database_tree_walk(ctx, pages, meta->root, meta_page, &visitor, err) < 0)
        return -1;
    return database_buckets_finish(buckets, err);
}

static int check_pages(const struct ctx *ctx, const struct input *in, size_t len,
                       struct database_facts *facts, struct sc_err *err)
{
    struct database_meta meta;
    unsigned meta_page;
    if (database_meta_choose(in->data, len, &meta, &meta_page, &facts->damaged_meta, err) < 0)
        return -1;
    facts->page_bytes = meta.page_bytes;
    facts->total_bytes = meta.pages * meta.page_bytes;
    AUTO_FREE unsigned char *use = mem_calloc((size_t)meta.pages, 1);
    struct database_pages pages = {.data = in->data,
                                   .data_bytes = in->len,
                                   .n = meta.pages,
                                   .page_bytes = meta.page_bytes,
                                   .places = in->places,
                                   .use = use,
                                   .map = in->map};
    if (database_freelist_read(&pages, &meta, meta_page, err) < 0 ||
        check_buckets(ctx, &pages, &meta, meta_page, facts, err) < 0)
        return -1;
    return database_freelist_check(&pages, &meta, err);
}

/* The SHA-256 comes first: it reads the file from front to end, so that the walk finds it in memory. */
static int look(const struct ctx *ctx, const struct input *in, struct database_facts *facts,
                struct sc_err *err)
{
    uint64_t database;
    if (split(in->bytes, &database, err) < 0)
        return -1;
    if (in->sha256)
        snprintf(facts->sha256, sizeof facts->sha256, "%s", in->sha256);
    else if (!in->places && database < in->bytes && check_sha256(ctx, in, database, facts->sha256, err) < 0)
        return -1;
    return check_pages(ctx, in, database, facts, err);
}

static int check_all(const struct ctx *ctx, const struct input *in, struct database_facts *facts,
                     struct sc_err *err)
{
    *facts = (struct database_facts){.damaged_meta = DATABASE_META_GOOD};
    if (look(ctx, in, facts, err) == 0)
        return 0;
    database_facts_clear(facts);
    return -1;
}

int database_check(const struct ctx *ctx, const void *data, size_t len, struct database_facts *facts,
                   struct sc_err *err)
{
    return check_all(ctx, &(struct input){.data = data, .len = len, .bytes = len}, facts, err);
}

/* -1 has filled err. */
static int map(int fd, struct input *in, struct sc_err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_set_errno(err, ERR_SYSTEM, "cannot look at the snapshot");
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_SYSTEM, "the snapshot is not a regular file");
    if (st.st_size == 0)
        return 0;
    in->len = (size_t)st.st_size;
    void *data = mmap(NULL, in->len, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return err_set_errno(err, ERR_SYSTEM, "cannot map the snapshot");
    /* Only a wish: without it the same is found, more slowly. */
    (void)madvise(data, in->len, MADV_WILLNEED);
    in->data = in->map = data;
    return 0;
}

static int check_mapped(const struct ctx *ctx, int fd, struct input *in, struct database_facts *facts,
                        struct sc_err *err)
{
    *facts = (struct database_facts){.damaged_meta = DATABASE_META_GOOD};
    if (map(fd, in, err) < 0)
        return -1;
    in->bytes = in->places ? in->bytes : in->len;
    int result = check_all(ctx, in, facts, err);
    if (in->map)
        munmap(in->map, in->len);
    return result;
}

int database_check_file(const struct ctx *ctx, int fd, const char *sha256, struct database_facts *facts,
                        struct sc_err *err)
{
    return check_mapped(ctx, fd, &(struct input){.sha256 = sha256}, facts, err);
}

int database_check_sifted(const struct ctx *ctx, const struct database_sift *sift, int fd, const char *sha256,
                          struct database_facts *facts, struct sc_err *err)
{
    struct input in = {
        .places = database_sift_places(sift), .bytes = database_sift_bytes(sift), .sha256 = sha256};
    return check_mapped(ctx, fd, &in, facts, err);
}

void database_facts_clear(struct database_facts *facts)
{
    for (size_t i = 0; i < facts->n_members; i++)
        database_member_clear(&facts->members[i]);
    free(facts->members);
    *facts = (struct database_facts){.damaged_meta = DATABASE_META_GOOD};
}

struct database_facts *database_facts_take(struct database_facts *facts)
{
    struct database_facts *own = mem_calloc(1, sizeof *own);
    *own = *facts;
    *facts = (struct database_facts){.damaged_meta = DATABASE_META_GOOD};
    return own;
}

void database_facts_free(struct database_facts *facts)
{
    if (!facts)
        return;
    database_facts_clear(facts);
    free(facts);
}
