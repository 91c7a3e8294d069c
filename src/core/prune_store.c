/* The store's part of `prune`. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "copy.h"
#include "prune_store.h"
#include "snapctl/base/str.h"
#include "snapctl/node/files.h"
#include "snapctl/s3/download.h"
#include "snapctl/s3/object.h"
#include "snapctl/snapshot/bundle.h"

static const char *folder_of(const struct run *run)
{
    return store_folder(pruning_of(run)->store);
}

/* ---- what there is ---- */

static void take_object(void *arg, const struct store_snapshot *snapshot)
{
    struct run *run = arg;
    const struct inventory_copy copy = {
        .bytes = snapshot->bytes, .modified = snapshot->modified, .plain = snapshot->plain};
    inventory_add(&prune_store_part(run)->inventory, snapshot->key + strlen(folder_of(run)), &copy);
}

static void add_object(struct run *run, size_t index, const struct inventory_copy *copy)
{
    struct prune_item *item = prune_store_item(run, index);
    enum prune_role role = copy->plain ? PRUNE_PLAIN : PRUNE_ARCHIVE;
    if (item->objects[role].key)
        return; /* a dry run imagines what is there already */
    item->objects[role].key = str_format("%s%s%s", folder_of(run), item->name, copy->plain ? "" : ".zip");
    prune_store_part(run)->seen[index][role] =
        (struct prune_seen){.bytes = copy->bytes, .modified = copy->modified};
}

static int list_objects(struct run *run, struct sc_err *err)
{
    const struct pruning *p = pruning_of(run);
    const char *prefix = p->options->rule.prefix;
    AUTO_FREE char *start = str_format("%s%s", folder_of(run), prefix ? prefix : "");
    struct prune_part *part = prune_store_part(run);
    part->inventory.n_places = 1;
    if (store_snapshots(p->store, &run->ctx, start, take_object, run, err) < 0)
        return -1;
    prune_sort(pruning_of(run), prune_store_index(run), prune_store_now(run));
    part->seen = mem_calloc(prune_store_place(run)->n_items, sizeof *part->seen);
    for (size_t i = 0; i < part->inventory.n; i++)
        for (size_t k = 0; k < part->inventory.snapshots[i].n_copies; k++)
            add_object(run, i, &part->inventory.snapshots[i].copies[k]);
    return 0;
}

/* ---- which one is good ---- */

struct reading {
    struct run *run;
    uint64_t total;
};

static void tell_progress(void *arg, uint64_t bytes)
{
    const struct reading *reading = arg;
    run_tell_store(reading->run, RUN_READ, bytes, reading->total);
}

/* Our upload put it beside this snapshot, and it is there. */
static bool is_bundle_of(const struct pruning *p, const struct prune_item *item,
                         const struct s3_object *bundle)
{
    return bundle->found && prune_store_is_ours(p, bundle) && str_equal(bundle->snapshot, item->name);
}

/* "f/NAME" of "f/NAME.zip" or "f/NAME". */
static char *bare_key(const struct run *run, const struct prune_item *item)
{
    return str_format("%s%s", folder_of(run), item->name);
}

static int check_bundle(struct run *run, const struct ctx *ctx, const char *key, uint64_t bytes,
                        struct sc_err *err)
{
    struct store *store = pruning_of(run)->store;
    struct s3_download *download = s3_download_new(store_client(store), key, bytes);
    struct bundle_check *check = bundle_check_new();
    struct sink *sink = bundle_check_sink(check);
    int result = stream_copy(ctx, s3_download_source(download), &sink, 1, NULL, NULL, err);
    if (result == 0)
        result = sink->finish(sink, ctx, err);
    else
        sink->abort(sink);
    bundle_check_free(check);
    s3_download_free(download);
    return result;
}

static int read_bundle(struct run *run, const struct ctx *ctx, size_t index, struct sc_err *err)
{
    const struct pruning *p = pruning_of(run);
    const struct prune_item *item = prune_store_item(run, index);
    AUTO_OBJECT struct s3_object bundle = {0};
    AUTO_FREE char *bare = bare_key(run, item), *key = str_format("%s." NODE_BUNDLE_FILE, bare);
    int result = s3_object_head(store_client(p->store), ctx, key, &bundle, err);
    if (result == 0 && !is_bundle_of(p, item, &bundle))
        return err_set(err, ERR_CORRUPT, "the object %s is not its bundle of certificates", key);
    if (result == 0)
        result = check_bundle(run, ctx, key, bundle.bytes, err);
    if (result == 0)
        return 0;
    if (err->kind != ERR_CORRUPT)
        store_explain(p->store, err);
    return err_wrap(err, "its bundle of certificates");
}

/* The object of that role, to its end. */
static int read_object(struct run *run, const struct ctx *ctx, size_t index, enum prune_role role,
                       struct sc_err *err)
{
    const struct prune_item *item = prune_store_item(run, index);
    const uint64_t bytes = prune_store_part(run)->seen[index][role].bytes;
    struct reading reading = {run, bytes};
    struct verify_copy copy = {.where = item->objects[role].key,
                               .snapshot = item->name,
                               .bytes = bytes,
                               .plain = role == PRUNE_PLAIN};
    int result = copy_read_store(pruning_of(run)->store, ctx, &copy, NULL, tell_progress, &reading, err);
    database_facts_free(copy.database);
    return result < 0 ? -1 : 0;
}

/* A plain snapshot is worth no more than its bundle. */
static int read_copy(struct run *run, const struct ctx *ctx, size_t index, enum prune_role role,
                     struct sc_err *err)
{
    if (read_object(run, ctx, index, role, err) < 0)
        return -1;
    return role == PRUNE_PLAIN ? read_bundle(run, ctx, index, err) : 0;
}

/* One of both, with a zip and without, is enough. */
static int prove(void *arg, size_t index)
{
    static const enum prune_role roles[] = {PRUNE_ARCHIVE, PRUNE_PLAIN};
    struct run *run = arg;
    struct ctx ctx = run->ctx;
    ctx.who = log_who_store;
    AUTO_ERR struct sc_err why = {0};
    int result = -1;
    for (size_t i = 0; i < sizeof roles / sizeof *roles && result < 0; i++) {
        if (!prune_store_item(run, index)->objects[roles[i]].key)
            continue;
        result = read_copy(run, &ctx, index, roles[i], &why);
        if (result < 0 && why.kind != ERR_CORRUPT)
            break;
    }
    return prune_note_proof(pruning_of(run), prune_store_index(run), index, &ctx, result, &why);
}

/* Why there may be less to remove than there seems to be. */
static void tell_foreign(const struct run *run)
{
    const struct pruning *p = pruning_of(run);
    if (!prune_store_place(run)->n_foreign)
        return;
    log_write(run->log, LOG_INFO, NULL,
              "S3: %zu object%s left alone, as another cluster is named there, or none%s%s",
              prune_store_place(run)->n_foreign, prune_store_place(run)->n_foreign == 1 ? " is" : "s are",
              p->options->claimed
                  ? ""
                  : "; --folder says that what lies in it, and names no other, is this cluster's",
              prune_store_is_named(p) ? "" : " (RKE's default name, local, stands for none)");
}

/* A bundle that goes with the snapshot, unless a plain one of the name needs it that is not this cluster's.
 */
static int find_bundle(struct run *run, size_t index, struct sc_err *err)
{
    const struct pruning *p = pruning_of(run);
    struct s3_client *client = store_client(p->store);
    struct prune_item *item = prune_store_item(run, index);
    AUTO_OBJECT struct s3_object bundle = {0}, plain = {0};
    AUTO_FREE char *bare = bare_key(run, item), *key = str_format("%s." NODE_BUNDLE_FILE, bare);
    const struct ctx ctx = ctx_within(&run->ctx, PRUNE_ACTION_MS);
    if (s3_object_head(client, &ctx, key, &bundle, err) < 0)
        return -1;
    if (!is_bundle_of(p, item, &bundle))
        return 0;
    if (!item->objects[PRUNE_PLAIN].key && s3_object_head(client, &ctx, bare, &plain, err) < 0)
        return -1;
    if (str_equal(plain.snapshot, item->name))
        return 0;
    if (s3_object_is_locked(&bundle, prune_store_now(run))) {
        AUTO_FREE char *lock = prune_store_lock(&bundle);
        free(item->lock);
        item->lock = str_format("its bundle of certificates, %s", lock);
        item->reason = RETENTION_LOCKED;
        item->status = PRUNE_KEPT;
        return 0;
    }
    item->objects[PRUNE_BUNDLE] =
        (struct prune_object){.key = mem_take(&key), .version_id = mem_take(&bundle.version_id)};
    prune_store_part(run)->seen[index][PRUNE_BUNDLE].etag = mem_take(&bundle.etag);
    return 0;
}

/* Of all that are to be removed; if that cannot be told, none is. */
static int find_bundles(struct run *run, struct sc_err *err)
{
    struct prune_place *place = prune_store_place(run);
    int result = 0;
    for (size_t i = 0; i < place->n_items && result == 0; i++)
        if (place->items[i].status == PRUNE_PLANNED)
            result = find_bundle(run, i, err);
    if (result == 0)
        return 0;
    for (size_t i = 0; i < place->n_items; i++)
        if (place->items[i].status == PRUNE_PLANNED)
            place->items[i].status = PRUNE_KEPT;
    store_explain(pruning_of(run)->store, err);
    return -1;
}

static int look(struct run *run, struct sc_err *err)
{
    if (list_objects(run, err) < 0 || prune_store_look(run, err) < 0)
        return -1;
    int result = prune_decide(pruning_of(run), prune_store_index(run), prune_store_now(run), prove, run, err);
    tell_foreign(run);
    return result < 0 ? -1 : find_bundles(run, err);
}

/* ---- removing ---- */

/* Only what was looked at: meanwhile a person may have been asked for hours. */
static int look_again(struct s3_client *client, const struct ctx *ctx, const char *key, const char *etag,
                      bool *there, struct sc_err *err)
{
    AUTO_OBJECT struct s3_object now = {0};
    if (s3_object_head(client, ctx, key, &now, err) < 0)
        return -1;
    *there = now.found;
    if (now.found && !str_equal(now.etag, etag))
        return err_set(err, ERR_REFUSED, "another object stands in its place by now, and was left alone");
    return 0;
}

/* In the order of the roles: see there. All are looked at before the first one goes. */
static int delete_objects(struct run *run, const struct ctx *ctx, size_t index, struct sc_err *err)
{
    struct s3_client *client = store_client(pruning_of(run)->store);
    struct prune_item *item = prune_store_item(run, index);
    bool there[PRUNE_ROLES] = {false};
    for (size_t i = 0; i < PRUNE_ROLES; i++) {
        const char *etag = prune_store_part(run)->seen[index][i].etag;
        if (item->objects[i].key && look_again(client, ctx, item->objects[i].key, etag, &there[i], err) < 0)
            return i == PRUNE_BUNDLE ? err_wrap(err, "its bundle of certificates") : -1;
    }
    for (size_t i = 0; i < PRUNE_ROLES; i++) {
        struct prune_object *object = &item->objects[i];
        if (there[i] && s3_object_delete(client, ctx, object->key, NULL, &object->marker, err) < 0)
            return i == PRUNE_BUNDLE
                       ? err_wrap(err, there[PRUNE_PLAIN] ? "the plain snapshot is gone, but not its bundle"
                                                          : "its bundle of certificates")
                       : -1;
    }
    return 0;
}

/* Begun, it is not cancelled, but has to end as cleaning up has. */
static int delete_item(struct run *run, size_t index, struct sc_err *err)
{
    struct prune_item *item = &prune_store_place(run)->items[index];
    const struct ctx ctx = {
        .log = run->log, .cancel = run->late, .deadline_ms = ctx_now_ms() + PRUNE_ACTION_MS};
    if (delete_objects(run, &ctx, index, &item->err) == 0) {
        item->status = PRUNE_REMOVED;
        return 0;
    }
    item->status = PRUNE_FAILED;
    store_explain(pruning_of(run)->store, &item->err);
    if (item->err.kind == ERR_REFUSED)
        return 0;
    return err_set(err, item->err.kind, "not tried any more, as %s could not be removed", item->name);
}

/* What refuses one object does not refuse the next; what else goes wrong does not go right for the rest. */
static int delete_all(struct run *run, struct sc_err *err)
{
    struct prune_place *place = prune_store_place(run);
    AUTO_ERR struct sc_err why = {0};
    if (store_mend(pruning_of(run)->store, &run->ctx, err) < 0)
        return -1;
    run_tell_store(run, RUN_CLEANUP, 0, 0);
    for (size_t i = 0; i < place->n_items; i++) {
        struct prune_item *item = &place->items[i];
        if (item->status != PRUNE_PLANNED)
            continue;
        if (ctx_check(&run->ctx, err) < 0)
            return -1;
        if (why.kind == ERR_NONE) {
            int ignored = delete_item(run, i, &why);
            (void)ignored;
            continue;
        }
        item->status = PRUNE_FAILED;
        err_set(&item->err, why.kind, "%s", why.text);
    }
    return prune_settle(place, err);
}

/* Who asks for it by name is to know that it is not removed. */
static void fail_locked(const struct run *run)
{
    struct prune_place *place = prune_store_place(run);
    for (size_t i = 0; i < place->n_items && pruning_of(run)->names; i++) {
        struct prune_item *item = &place->items[i];
        if (item->reason != RETENTION_LOCKED)
            continue;
        item->status = PRUNE_FAILED;
        err_set(&item->err, ERR_REFUSED, "the object is locked: %s", item->lock);
        err_hint(&item->err, "it can be deleted when that has ended");
    }
}

/* ---- its life ---- */

static int live(struct run *run, struct sc_err *err)
{
    if (look(run, err) < 0 || runner_meet(run->runner, prune_store_index(run), &run->ctx, err) < 0)
        return -1;
    if (!run->go)
        return 0;
    fail_locked(run);
    return delete_all(run, err);
}

void prune_beside(struct run *run)
{
    struct pruning *p = pruning_of(run);
    struct prune_place *place = prune_store_place(run);
    int64_t start = ctx_now_ms();
    run_tell_store(run, RUN_CHECK, 0, 0);
    bool done = live(run, &place->run.err) == 0;
    store_describe(p->store, p->result->store);
    place->status = done ? PRUNE_DONE : PRUNE_PLACE_FAILED;
    place->run.duration_ms = ctx_now_ms() - start;
    run_end_store(run, done ? RUN_DONE : RUN_CHECK, prune_place_status_name(place->status),
                  done ? NULL : &place->run.err);
}
