#include "check_store.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check_upload.h"
#include "snapctl/base/str.h"
#include "snapctl/node/node.h"
#include "snapctl/s3/multipart.h"
#include "store_write.h"
#include "work.h"

enum { ACTION_MS = 30000, ABANDONED_SECONDS = 86400, ABORTS_MAX = 1000 };

struct upload {
    char *key, *id;
};

struct checking {
    struct run *run;
    struct store *store;
    struct findings *findings;
    const struct check_store_what *what;
    char *name, *key, *folder; /* of a snapshot that nobody has; "folder/" or "" */
    enum s3_name answer;       /* what the store says of that key */
    int64_t now;               /* by the store's clock */
    struct upload *abandoned;
    size_t n_abandoned;
};

bool check_is_abandoned(const char *key, const char *folder, int64_t begun, int64_t now)
{
    bool zip;
    if (!str_starts(key, folder) || !begun || now - begun <= ABANDONED_SECONDS)
        return false;
    AUTO_FREE char *name = node_snapshot_of(key + strlen(folder), &zip);
    return name && (zip || !strchr(name, '.'));
}

static int ask_key(struct s3_client *client, const struct ctx *ctx, void *arg, struct sc_err *err)
{
    struct checking *c = arg;
    struct s3_object object = {0};
    int result = s3_object_probe(client, ctx, c->key, &c->answer, &object, err);
    s3_object_free(&object);
    return result;
}

static int try_reach(struct checking *c, const struct ctx *ctx, struct sc_err *err)
{
    int result = store_reach(c->store, ctx, ask_key, c, err);
    struct store_result where = {0};
    store_describe(c->store, &where);
    if (where.credentials)
        findings_add(c->findings, FINDING_OK, "credentials", NULL, "credentials come from: %s",
                     where.credentials);
    if (result == 0)
        findings_add(c->findings, FINDING_OK, "reachable", NULL,
                     "%s answers for bucket %s, region %s, asked from %s", where.endpoint, where.bucket,
                     where.region, strcmp(where.via, "node") == 0 ? "an etcd node" : "here");
    store_result_free(&where);
    if (result == 0 && c->answer == S3_NAME_UNKNOWN)
        findings_add(c->findings, FINDING_WARNING, "s3:GetObject",
                     "allow s3:GetObject on the objects and s3:ListBucket on the bucket",
                     "the store does not tell whether a name is free, nor may the upload be looked at");
    else if (result == 0)
        findings_add(c->findings, FINDING_OK, "s3:GetObject", NULL, "objects can be looked at");
    return result;
}

/* ---- one right after the other ---- */

/* Proves the rights to write and to abort without an object coming to be. */
static int try_upload(struct checking *c, const struct ctx *ctx, struct sc_err *err)
{
    const struct plan *plan = c->run->plan;
    const struct store_label label = {
        .snapshot = c->name, .node = plan->nodes[0].host.address, .cluster = c->what->cluster};
    struct sigv4_field metadata[STORE_METADATA];
    const struct s3_write write = store_write(c->what->options, c->key, plan->job.legacy, &label, metadata);
    return check_upload(store_client(c->store), ctx, c->run->late, &write, c->findings, err);
}

static int try_list(struct checking *c, const struct ctx *ctx, struct sc_err *err)
{
    if (store_ask_listing(store_client(c->store), ctx, c->folder, err) < 0)
        return -1;
    findings_add(c->findings, FINDING_OK, "s3:ListBucket", NULL, "the bucket can be listed");
    return 0;
}

static int note_abandoned(void *arg, const struct s3_pending *pending)
{
    struct checking *c = arg;
    if (c->n_abandoned == ABORTS_MAX)
        return -1;
    if (!check_is_abandoned(pending->key, c->folder, pending->initiated, c->now))
        return 0;
    c->abandoned = mem_realloc(c->abandoned, c->n_abandoned + 1, sizeof *c->abandoned);
    c->abandoned[c->n_abandoned++] =
        (struct upload){.key = str_dup(pending->key), .id = str_dup(pending->upload_id)};
    return 0;
}

static void tell_abandoned(struct checking *c, const struct ctx *ctx, const struct upload *upload)
{
    AUTO_ERR struct sc_err err = {0};
    AUTO_FREE char *key = str_visible(upload->key, strlen(upload->key), false);
    if (!c->what->fix)
        findings_add(c->findings, FINDING_WARNING, "leftovers", "snapctl check --fix aborts it",
                     "an upload of %s was begun more than a day ago and never ended; its parts cost", key);
    else if (s3_multipart_abort(store_client(c->store), ctx, upload->key, upload->id, &err) < 0)
        findings_add_error(c->findings, FINDING_WARNING, "leftovers", &err);
    else
        findings_add(c->findings, FINDING_OK, "leftovers", NULL,
                     "removed an upload of %s that was begun more than a day ago", key);
}

static int try_uploads(struct checking *c, const struct ctx *ctx, struct sc_err *err)
{
    int64_t offset;
    c->now = (int64_t)time(NULL) + (s3_client_clock(store_client(c->store), &offset) ? offset : 0);
    if (s3_multipart_list(store_client(c->store), ctx, c->folder, note_abandoned, c, err) < 0)
        return -1;
    for (size_t i = 0; i < c->n_abandoned; i++)
        tell_abandoned(c, ctx, &c->abandoned[i]);
    if (!c->n_abandoned)
        findings_add(c->findings, FINDING_OK, "leftovers", NULL,
                     "no snapshot's upload was left unfinished for more than a day");
    return 0;
}

static int try_clock(struct checking *c, const struct ctx *ctx, struct sc_err *err)
{
    int64_t offset;
    (void)ctx;
    (void)err;
    if (s3_client_clock(store_client(c->store), &offset))
        findings_of_clock(
            c->findings, "the store", offset,
            "let NTP run here; snapctl corrects it for its requests, and other clients are refused");
    return 0;
}

/* Without the rights to list, save still works. */
static const struct {
    const char *check;
    enum finding_verdict verdict; /* of a failure */
    int (*try)(struct checking *c, const struct ctx *ctx, struct sc_err *err);
} tries[] = {
    {"reachable",                     FINDING_FAILED,  try_reach  },
    {"s3:PutObject",                  FINDING_FAILED,  try_upload },
    {"s3:ListBucket",                 FINDING_WARNING, try_list   },
    {"s3:ListBucketMultipartUploads", FINDING_WARNING, try_uploads},
    {"clock",                         FINDING_WARNING, try_clock  },
};

static int try_all(struct checking *c, struct sc_err *err)
{
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        AUTO_ERR struct sc_err why = {0};
        const struct ctx ctx = ctx_within(&c->run->ctx, ACTION_MS);
        if (tries[i].try(c, &ctx, &why) == 0)
            continue;
        if (ctx_check(&c->run->ctx, err) < 0)
            return -1;
        findings_add_error(c->findings, tries[i].verdict, tries[i].check, &why);
        if (i == 0)
            break;
    }
    return 0;
}

/* The names of what is tried, as save would make them. */
static int name_all(struct checking *c, struct sc_err *err)
{
    const struct node_job *job = &c->run->plan->job;
    const char *folder = c->what->options->folder;
    c->name = str_format("snapctl-check-%s", job->run);
    if ((job->legacy ? s3_address_file : s3_address_key)(folder, c->name, &c->key, err) < 0 ||
        s3_address_folder(folder, &c->folder, err) < 0)
        return -1;
    if (!c->folder)
        c->folder = str_dup("");
    return store_new(c->run, c->what->options, NULL, &c->store, err);
}

static void clear(struct checking *c)
{
    store_free(c->store);
    for (size_t i = 0; i < c->n_abandoned; i++) {
        free(c->abandoned[i].key);
        free(c->abandoned[i].id);
    }
    free(c->abandoned);
    free(c->name);
    free(c->key);
    free(c->folder);
}

int check_store(struct run *run, const struct check_store_what *what, struct findings *findings,
                struct sc_err *err)
{
    struct checking c = {.run = run, .what = what, .findings = findings};
    AUTO_ERR struct sc_err why = {0};
    int result = 0;
    if (name_all(&c, &why) < 0)
        findings_add_error(findings, FINDING_FAILED, "configuration", &why);
    else
        result = try_all(&c, err);
    clear(&c);
    return result;
}
