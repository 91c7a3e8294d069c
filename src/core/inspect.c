#include "inspect.h"

#include <inttypes.h>
#include <stdlib.h>

#include "snapctl/base/spool.h"
#include "snapctl/snapshot/plain.h"

struct inspect {
    struct archive_check *check; /* NULL: of a plain snapshot */
    struct plain_check *plain;   /* NULL: of an archive, or of one that is not hashed */
    struct spool *spool;         /* NULL: the database is kept elsewhere */
    struct database_sift *sift;  /* before the spool; NULL: all of the database is needed */
    struct inspect_to to;
};

/* What keeps the database, or what is needed of it, until it has all come. */
static struct sink *keeper(const struct inspect *inspect)
{
    return inspect->sift    ? database_sift_sink(inspect->sift)
           : inspect->spool ? spool_sink(inspect->spool)
                            : new_file_sink(inspect->to.database);
}

struct inspect *inspect_new(const struct inspect_what *what)
{
    struct inspect *inspect = mem_calloc(1, sizeof *inspect);
    inspect->to = what->to;
    inspect->spool = what->to.database ? NULL : spool_new();
    /* Without a SHA-256 that is compared meanwhile, that is still to be made. */
    bool hashed = !what->plain || what->hashed;
    inspect->sift = inspect->spool && hashed ? database_sift_new(spool_sink(inspect->spool)) : NULL;
    if (what->plain && what->hashed) {
        inspect->plain = plain_check_new();
        plain_check_copy(inspect->plain, keeper(inspect));
    }
    if (what->plain)
        return inspect;
    inspect->check = archive_check_new(what->name, what->want_state);
    if (what->no_sha256)
        archive_check_leave_out_sha256(inspect->check);
    archive_check_copy(inspect->check, keeper(inspect));
    archive_check_copy_state(inspect->check, what->to.state);
    return inspect;
}

void inspect_free(struct inspect *inspect)
{
    if (!inspect)
        return;
    archive_check_free(inspect->check);
    plain_check_free(inspect->plain);
    database_sift_free(inspect->sift);
    spool_free(inspect->spool);
    free(inspect);
}

static struct sink *first_sink(const struct inspect *inspect)
{
    return inspect->check   ? archive_check_sink(inspect->check)
           : inspect->plain ? plain_check_sink(inspect->plain)
                            : keeper(inspect);
}

/* NULL: nothing was proven while it flowed by. */
static const struct archive_facts *proven(const struct inspect *inspect)
{
    return inspect->check   ? archive_check_facts(inspect->check)
           : inspect->plain ? plain_check_facts(inspect->plain)
                            : NULL;
}

int inspect_read(struct inspect *inspect, const struct ctx *ctx, struct source *source,
                 stream_progress *progress, void *arg, struct sc_err *err)
{
    struct sink *own = first_sink(inspect);
    struct sink *sinks[] = {own, inspect->to.archive};
    if (stream_copy_apart(ctx, source, sinks, sinks[1] ? 2 : 1, progress, arg, err) == 0)
        return own->finish(own, ctx, err);
    own->abort(own);
    return -1;
}

struct archive_facts inspect_archive(const struct inspect *inspect)
{
    uint64_t bytes = inspect->spool ? spool_bytes(inspect->spool) : new_file_bytes(inspect->to.database);
    const struct archive_facts *facts = proven(inspect);
    return facts ? *facts : (struct archive_facts){.bytes = bytes, .etcd_bytes = bytes};
}

const char *inspect_name(const struct inspect *inspect)
{
    return inspect->check ? archive_check_name(inspect->check) : NULL;
}

static int check_database(struct inspect *inspect, const struct ctx *ctx, struct database_facts *facts,
                          struct sc_err *err)
{
    const struct archive_facts *known = proven(inspect);
    struct sink *sink = inspect->sift ? database_sift_sink(inspect->sift) : NULL;
    if (sink && sink->finish(sink, ctx, err) < 0)
        return -1;
    int fd = inspect->spool ? spool_file(inspect->spool, err) : new_file_fd(inspect->to.database);
    if (fd < 0)
        return -1;
    if (inspect->sift)
        return database_check_sifted(ctx, inspect->sift, fd, known->etcd_sha256, facts, err);
    return database_check_file(ctx, fd, known ? known->etcd_sha256 : NULL, facts, err);
}

int inspect_database(struct inspect *inspect, const struct ctx *ctx, struct database_facts *facts,
                     struct sc_err *err)
{
    if (check_database(inspect, ctx, facts, err) == 0)
        return 0;
    const char *name = inspect_name(inspect);
    return name && err->kind == ERR_CORRUPT ? err_wrap(err, "/backup/%s", name) : -1;
}

void inspect_tell(const struct ctx *ctx, const struct database_facts *facts)
{
    ctx_log(ctx, LOG_DEBUG,
            "database: hash %08" PRIx32 ", revision %" PRId64 ", %" PRIu64 " keys, %zu members", facts->hash,
            facts->revision, facts->total_keys, facts->n_members);
    if (facts->damaged_meta != DATABASE_META_GOOD)
        ctx_log(ctx, LOG_WARN,
                "page %d of the database is damaged: it can be restored, as another page holds the same, but "
                "look at the disk and the memory of the node",
                facts->damaged_meta);
}
