#include "verify_result.h"

#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"

const char *verify_place_name(enum verify_place place)
{
    static const char *const names[] = {"node", "s3", "file"};
    return names[place];
}

const char *verify_status_name(enum verify_status status)
{
    static const char *const names[] = {"good", "damaged", "missing", "failed"};
    return names[status];
}

struct verify_copy *verify_add(struct verify_result *result, enum verify_place place, const char *where,
                               const char *snapshot)
{
    result->copies = mem_realloc(result->copies, result->n_copies + 1, sizeof *result->copies);
    struct verify_copy *copy = &result->copies[result->n_copies++];
    *copy = (struct verify_copy){
        .place = place, .where = str_dup(where), .snapshot = str_dup(snapshot), .status = VERIFY_FAILED};
    return copy;
}

void verify_add_unknown(struct verify_result *result, enum verify_place place, const char *where,
                        const char *snapshot, const struct sc_err *why)
{
    struct verify_copy *copy = verify_add(result, place, where, snapshot);
    err_copy(&copy->err, why);
}

void verify_move(struct verify_result *result, struct verify_result *from)
{
    size_t n = result->n_copies + from->n_copies;
    if (from->n_copies)
        result->copies = mem_realloc(result->copies, n, sizeof *result->copies);
    for (size_t i = 0; i < from->n_copies; i++)
        result->copies[result->n_copies++] = from->copies[i];
    free(from->copies);
    from->copies = NULL;
    from->n_copies = 0;
}

int verify_read(struct verify_copy *copy, const struct ctx *ctx, struct source *source,
                const struct inspect_to *to, stream_progress *progress, void *arg, struct sc_err *err)
{
    AUTO_DATABASE_FACTS struct database_facts facts = {0};
    struct inspect_what what = {.name = copy->snapshot, .plain = copy->plain};
    if (to)
        what.to = *to;
    struct inspect *inspect = inspect_new(&what);
    int result = inspect_read(inspect, ctx, source, progress, arg, err);
    if (result == 0)
        result = inspect_database(inspect, ctx, &facts, err);
    if (result == 0) {
        inspect_tell(ctx, &facts);
        copy->archive = inspect_archive(inspect);
        if (copy->plain)
            memcpy(copy->archive.etcd_sha256, facts.sha256, sizeof facts.sha256);
        copy->bytes = copy->archive.bytes;
        copy->database = database_facts_take(&facts);
    }
    if (!copy->snapshot)
        copy->snapshot = str_dup(inspect_name(inspect));
    inspect_free(inspect);
    return result;
}

void verify_settle(struct verify_copy *copy, int result, struct sc_err *err)
{
    copy->status = result == 0 ? VERIFY_GOOD : err->kind == ERR_CORRUPT ? VERIFY_DAMAGED : VERIFY_FAILED;
    if (result < 0)
        err_move(&copy->err, err);
}

void verify_tell(const struct ctx *ctx, const struct verify_copy *copy)
{
    const char *hint = copy->err.hint;
    if (copy->status == VERIFY_GOOD)
        ctx_log(ctx, LOG_INFO, "%s is good", copy->snapshot);
    else if (copy->status == VERIFY_DAMAGED)
        ctx_log(ctx, LOG_ERROR, "%s is damaged: %s", copy->snapshot, copy->err.text);
    else
        ctx_log(ctx, LOG_ERROR, "%s could not be verified: %s%s%s", copy->snapshot, copy->err.text,
                hint ? "; " : "", hint ? hint : "");
}

size_t verify_count(const struct verify_result *r, enum verify_status status)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_copies; i++)
        n += r->copies[i].status == status;
    return n;
}

void verify_refuse(struct verify_result *r)
{
    r->outcome = VERIFY_REFUSED;
    r->exit_status = RUN_STATUS_REFUSED;
    if (r->snapshot)
        err_set(&r->err, ERR_REFUSED, "there is no snapshot %s", r->snapshot);
    else
        err_set(&r->err, ERR_REFUSED, "there are no snapshots");
    err_hint(&r->err, "snapctl list shows those on the etcd nodes and in S3");
}

void verify_interrupt(struct verify_result *r, int signo)
{
    r->outcome = VERIFY_INTERRUPTED;
    r->exit_status = RUN_STATUS_SIGNAL + signo;
}

/* A place without a copy is no worse for it, as long as there is another. */
void verify_judge(struct verify_result *r, int signo)
{
    size_t good = verify_count(r, VERIFY_GOOD);
    size_t bad = verify_count(r, VERIFY_DAMAGED) + verify_count(r, VERIFY_FAILED);
    if (signo) {
        verify_interrupt(r, signo);
    } else if (good + bad == 0) {
        verify_refuse(r);
    } else {
        r->outcome = bad == 0 ? VERIFY_OK : good == 0 ? VERIFY_NONE : VERIFY_PARTIAL;
        r->exit_status = bad == 0 ? 0 : good == 0 ? RUN_STATUS_NOTHING : RUN_STATUS_PARTIAL;
    }
}

void verify_clear(struct verify_result *r)
{
    for (size_t i = 0; i < r->n_copies; i++) {
        free(r->copies[i].where);
        free(r->copies[i].snapshot);
        database_facts_free(r->copies[i].database);
        err_clear(&r->copies[i].err);
    }
    free(r->copies);
    r->copies = NULL;
    r->n_copies = 0;
}

void verify_result_free(struct verify_result *r)
{
    if (!r)
        return;
    verify_clear(r);
    free(r->snapshot);
    err_clear(&r->err);
    free(r);
}
