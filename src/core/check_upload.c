#include "check_upload.h"

#include <stdlib.h>

#include "snapctl/base/str.h"
#include "snapctl/s3/multipart.h"
#include "snapctl/s3/upload.h"
#include "store.h"

static const char can_begin[] = "an upload with it can be begun";

struct trial {
    struct s3_client *client;
    const struct ctx *ctx;
    struct cancel *late;
    const struct s3_write *write;
    struct findings *findings;
    unsigned given; /* of the options, a bit each */
    bool abort_told;
    bool stuck; /* what is begun stays: no more than needed */
};

/* ---- the options ---- */

static bool has_kms(const struct s3_write *write)
{
    return write->sse && str_starts(write->sse, "aws:");
}

static bool has_own_encryption(const struct s3_write *write)
{
    return write->sse && !has_kms(write);
}

static void drop_encryption(struct s3_write *write)
{
    write->sse = write->kms_key = NULL;
}

static bool has_checksum(const struct s3_write *write)
{
    return write->checksum_sha256;
}

static void drop_checksum(struct s3_write *write)
{
    write->checksum_sha256 = false;
}

static bool has_lock(const struct s3_write *write)
{
    return write->lock_mode != NULL;
}

static void drop_lock(struct s3_write *write)
{
    write->lock_mode = NULL;
}

static bool has_tags(const struct s3_write *write)
{
    return write->n_tags > 0;
}

static void drop_tags(struct s3_write *write)
{
    write->n_tags = 0;
}

/* Some stores begin an upload with a lock that the bucket cannot have, and refuse it, or forget the lock,
 * when it is complete. */
static void tell_lock(struct trial *t, const char *check, const char *remedy)
{
    AUTO_ERR struct sc_err why = {0};
    bool locking;
    if (s3_object_locking(t->client, t->ctx, &locking, &why) < 0)
        findings_add(t->findings, FINDING_OK, check, NULL,
                     "%s; whether the bucket has object lock was not told: %s", can_begin, why.text);
    else if (locking)
        findings_add(t->findings, FINDING_OK, check, NULL, "%s, and the bucket has object lock", can_begin);
    else
        findings_add(t->findings, FINDING_FAILED, check, remedy, "the bucket has no object lock");
}

static const struct {
    const char *check;
    bool (*given)(const struct s3_write *write);
    void (*drop)(struct s3_write *write);
    void (*tell)(struct trial *t, const char *check, const char *remedy); /* NULL: beginning tells all */
    const char *denied;  /* what helps if a right is missing */
    const char *refused; /* what helps otherwise; NULL: what the error says */
} options[] = {
    {"s3-sse",         has_kms,            drop_encryption, NULL,
     "allow kms:GenerateDataKey and kms:Decrypt on the key of --s3-sse, which must exist, be enabled, and be in the "
     "bucket's region; a policy of the bucket may also ask for another encryption",                                           NULL  },
    {"s3-sse",         has_own_encryption, drop_encryption, NULL,
     "a policy of the bucket refuses this encryption: see its conditions on s3:x-amz-server-side-encryption",                 NULL  },
    {"s3-checksum",    has_checksum,       drop_checksum,   NULL,      "leave out --s3-checksum: the store does not take it",
     NULL                                                                                                                           },
    {"s3-object-lock", has_lock,           drop_lock,       tell_lock, "allow s3:PutObjectRetention on the objects",
     "--s3-object-lock takes a bucket that has object lock, most often since it was created; a bucket can have a limit for the days"},
    {"s3-tag",         has_tags,           drop_tags,       NULL,      "allow s3:PutObjectTagging on the objects",            NULL  },
};

enum { OPTIONS = sizeof options / sizeof *options };

static bool is_given(const struct trial *t, size_t option)
{
    return t->given >> option & 1;
}

static void tell_good(struct trial *t, size_t option)
{
    if (options[option].tell)
        options[option].tell(t, options[option].check, options[option].refused);
    else
        findings_add(t->findings, FINDING_OK, options[option].check, NULL, "%s", can_begin);
}

static void tell_refused(struct trial *t, size_t option, const struct sc_err *why)
{
    const char *remedy = why->kind == ERR_AUTH     ? options[option].denied
                         : options[option].refused ? options[option].refused
                                                   : why->hint;
    findings_add(t->findings, FINDING_FAILED, options[option].check, remedy, "%s", why->text);
}

static void tell_untried(struct trial *t, size_t option)
{
    findings_add(t->findings, FINDING_WARNING, options[option].check,
                 "see the other findings on S3, then check again",
                 "an upload with all options is refused, and it could not be tried alone");
}

static void tell_begun(const struct trial *t)
{
    findings_add(t->findings, FINDING_OK, "s3:PutObject", NULL, "an upload can be begun");
}

/* ---- an upload ---- */

/* set: of the options that are given, those to try. */
static int begin(struct trial *t, unsigned set, char **id, struct sc_err *err)
{
    struct s3_write write = *t->write;
    for (size_t i = 0; i < OPTIONS; i++)
        if (is_given(t, i) && !(set >> i & 1))
            options[i].drop(&write);
    s3_write_mark(&write);
    return s3_multipart_create(t->client, t->ctx, &write, id, err);
}

static void tell_left(struct trial *t, const char *id, const struct sc_err *why)
{
    AUTO_FREE char *remedy = str_format(
        "%s\nallow s3:AbortMultipartUpload, else parts of broken uploads stay and cost; left now, without "
        "parts: key %s, upload id %s",
        why->hint ? why->hint : "save uploads, but cannot undo", t->write->key, id);
    findings_add(t->findings, FINDING_FAILED, "s3:AbortMultipartUpload", remedy, "%s", why->text);
    t->stuck = true;
}

static void undo(struct trial *t, const char *id)
{
    AUTO_ERR struct sc_err why = {0};
    struct ctx uncancelled = ctx_within(t->ctx, S3_ABORT_MS);
    uncancelled.cancel = t->late;
    if (s3_multipart_abort(t->client, &uncancelled, t->write->key, id, &why) < 0)
        tell_left(t, id, &why);
    else if (!t->abort_told)
        findings_add(t->findings, FINDING_OK, "s3:AbortMultipartUpload", NULL, "an upload can be aborted");
    t->abort_told = true;
}

/* ---- who is to blame ---- */

/* *taken: the store takes the upload with so many of the options; else why tells. -1: no answer. */
static int try_with(struct trial *t, unsigned set, bool *taken, struct sc_err *why, struct sc_err *err)
{
    AUTO_FREE char *id = NULL;
    *taken = begin(t, set, &id, why) == 0;
    if (*taken)
        undo(t, id);
    else if (store_is_outage(why->kind) || why->kind == ERR_CANCELLED) {
        err_move(err, why);
        return -1;
    }
    return 0;
}

/* The option without which all others are taken; OPTIONS if there is no such one. */
static int find_culprit(struct trial *t, size_t *one, struct sc_err *err)
{
    bool taken = false;
    for (*one = 0; *one < OPTIONS; ++*one) {
        AUTO_ERR struct sc_err why = {0};
        if (!is_given(t, *one))
            continue;
        if (try_with(t, t->given & ~(1U << *one), &taken, &why, err) < 0)
            return -1;
        if (taken)
            break;
    }
    return 0;
}

static void blame_one(struct trial *t, size_t one, const struct sc_err *all)
{
    tell_begun(t);
    for (size_t i = 0; i < OPTIONS; i++)
        if (is_given(t, i))
            i == one ? tell_refused(t, i, all) : tell_good(t, i);
}

/* Each option alone; *good: how many are taken so. */
static int try_each(struct trial *t, bool plain, size_t *good, struct sc_err *err)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        AUTO_ERR struct sc_err why = {0};
        bool taken;
        if (!is_given(t, i))
            continue;
        if (!plain || t->stuck) {
            tell_untried(t, i);
            continue;
        }
        if (try_with(t, 1U << i, &taken, &why, err) < 0)
            return -1;
        taken ? tell_good(t, i) : tell_refused(t, i, &why);
        *good += taken;
    }
    return 0;
}

static size_t count_given(const struct trial *t)
{
    size_t n = 0;
    for (size_t i = 0; i < OPTIONS; i++)
        n += is_given(t, i);
    return n;
}

/* No one alone: several are, or they do not go together, or it is not the options at all. */
static int blame_several(struct trial *t, struct sc_err *all, struct sc_err *err)
{
    AUTO_ERR struct sc_err why = {0};
    bool plain;
    size_t good = 0;
    if (try_with(t, 0, &plain, &why, err) < 0 || try_each(t, plain, &good, err) < 0)
        return -1;
    if (!plain || good == count_given(t)) {
        err_move(err, plain ? all : &why);
        return -1;
    }
    tell_begun(t);
    return 0;
}

static int blame(struct trial *t, struct sc_err *all, struct sc_err *err)
{
    size_t one;
    if (find_culprit(t, &one, err) < 0)
        return -1;
    if (one == OPTIONS)
        return blame_several(t, all, err);
    blame_one(t, one, all);
    return 0;
}

int check_upload(struct s3_client *client, const struct ctx *ctx, struct cancel *late,
                 const struct s3_write *write, struct findings *findings, struct sc_err *err)
{
    struct trial t = {.client = client, .ctx = ctx, .late = late, .write = write, .findings = findings};
    AUTO_ERR struct sc_err why = {0};
    AUTO_FREE char *id = NULL;
    for (size_t i = 0; i < OPTIONS; i++)
        t.given |= (unsigned)options[i].given(write) << i;
    if (begin(&t, t.given, &id, &why) == 0) {
        tell_begun(&t);
        undo(&t, id);
        for (size_t i = 0; i < OPTIONS; i++)
            if (is_given(&t, i))
                tell_good(&t, i);
        return 0;
    }
    if (t.given && !store_is_outage(why.kind) && why.kind != ERR_CANCELLED)
        return blame(&t, &why, err);
    err_move(err, &why);
    return -1;
}
