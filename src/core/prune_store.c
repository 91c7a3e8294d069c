/* The store's part of `prune`. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "copy.h"
#include "prune_run.h"
#include "snapctl/base/str.h"
#include "snapctl/node/files.h"
#include "snapctl/s3/object.h"

enum {
    ACTION_MS = 60000,
    OTHERS_MAX = 100, /* objects that are looked at for a warning alone */
};

/* RKE's default, which many clusters have. */
static const char nobodys_cluster[] = "local";

static size_t index_of(const struct run *run)
{
    return run->plan->n_nodes;
}

static struct prune_place *place_of(const struct run *run)
{
    return &pruning_of(run)->result->places[index_of(run)];
}

static struct prune_part *part_of(const struct run *run)
{
    return &pruning_of(run)->parts[index_of(run)];
}

static int64_t now_there(const struct run *run)
{
    int64_t offset;
    bool told = s3_client_clock(store_client(pruning_of(run)->store), &offset);
    return (int64_t)time(NULL) + (told ? offset : 0);
}

static const char *folder_of(const struct run *run)
{
    return store_folder(pruning_of(run)->store);
}

/* ---- what there is ---- */

static int take_object(void *arg, const struct s3_entry *entry)
{
    struct run *run = arg;
    const struct inventory_copy copy = {.bytes = entry->bytes, .modified = entry->modified};
    inventory_add(&part_of(run)->inventory, entry->key + strlen(folder_of(run)), &copy);
    return 0;
}

static int list_objects(struct run *run, struct sc_err *err)
{
    const struct pruning *p = pruning_of(run);
    const char *prefix = p->options->rule.prefix;
    AUTO_FREE char *start = str_format("%s%s", folder_of(run), prefix ? prefix : "");
    part_of(run)->inventory.n_places = 1;
    if (store_list(p->store, &run->ctx, start, take_object, run, err) < 0)
        return -1;
    prune_sort(pruning_of(run), index_of(run), now_there(run));
    struct prune_place *place = place_of(run);
    part_of(run)->seen = mem_calloc(place->n_items, sizeof *part_of(run)->seen);
    for (size_t i = 0; i < place->n_items; i++)
        place->items[i].key = str_format("%s%s.zip", folder_of(run), place->items[i].name);
    return 0;
}

/* The bucket may be shared. */
static bool is_ours(const struct pruning *p, const struct s3_object *object)
{
    bool named = p->cluster && s3_object_is_of(object, p->cluster);
    if (object->cluster && !named)
        return false;
    return p->options->claimed || (named && strcmp(p->cluster, nobodys_cluster) != 0);
}

/* What our upload marked is one; of others the directory at the end tells. */
static int is_snapshot(struct run *run, const struct ctx *ctx, const struct prune_item *item,
                       const struct s3_object *object, bool *is, struct sc_err *err)
{
    char end[NODE_END_BYTES];
    size_t got;
    struct archive_facts facts;
    *is = str_equal(object->snapshot, item->name);
    if (*is)
        return 0;
    if (s3_object_tail(store_client(pruning_of(run)->store), ctx, item->key, object->bytes, end, sizeof end,
                       &got, err) < 0)
        return -1;
    *is = archive_check_tail(item->name, false, end, got, object->bytes, &facts, NULL) == 0;
    return 0;
}

static char *describe_lock(const struct s3_object *object)
{
    char until[32];
    struct tm tm;
    time_t t = (time_t)object->lock_until;
    if (object->legal_hold)
        return str_dup("legal hold");
    if (!object->lock_until || !gmtime_r(&t, &tm) ||
        !strftime(until, sizeof until, "%Y-%m-%dT%H:%M:%SZ", &tm))
        return str_dup(object->lock_mode);
    return str_format("%s until %s", object->lock_mode, until);
}

static int judge_object(struct run *run, const struct ctx *ctx, size_t index, const struct s3_object *object,
                        struct sc_err *err)
{
    struct pruning *p = pruning_of(run);
    struct prune_item *item = &place_of(run)->items[index];
    struct retention_entry *entry = &part_of(run)->entries[index];
    bool snapshot = p->names != NULL;
    if (!object->found || !is_ours(p, object)) {
        entry->state = RETENTION_IS_FOREIGN;
        return 0;
    }
    if (!snapshot && is_snapshot(run, ctx, item, object, &snapshot, err) < 0)
        return -1;
    if (s3_object_is_locked(object, now_there(run))) {
        item->lock = describe_lock(object);
        entry->state = RETENTION_IS_LOCKED;
    }
    if (!snapshot)
        entry->state = RETENTION_IS_UNKNOWN;
    item->version_id = str_dup(object->version_id);
    part_of(run)->seen[index].etag = str_dup(object->etag);
    return 0;
}

static int look_at_object(struct run *run, size_t index, struct sc_err *err)
{
    AUTO_OBJECT struct s3_object object = {0};
    struct store *store = pruning_of(run)->store;
    const struct ctx ctx = ctx_within(&run->ctx, ACTION_MS);
    if (s3_object_head(store_client(store), &ctx, place_of(run)->items[index].key, &object, err) == 0 &&
        judge_object(run, &ctx, index, &object, err) == 0)
        return 0;
    store_explain(store, err);
    return -1;
}

/* One that stays where others are removed by name: whose it is, decides whether there is a warning. *left:
 * how many may still be looked at. */
static void look_at_other(struct run *run, size_t index, unsigned *left)
{
    AUTO_OBJECT struct s3_object object = {0};
    const struct pruning *p = pruning_of(run);
    struct retention_entry *entry = &part_of(run)->entries[index];
    const struct ctx ctx = ctx_within(&run->ctx, ACTION_MS);
    entry->state = RETENTION_IS_FOREIGN;
    if (!*left)
        return;
    bool told =
        s3_object_head(store_client(p->store), &ctx, place_of(run)->items[index].key, &object, NULL) == 0;
    bool ours = told && object.found && is_ours(p, &object);
    if (ours)
        entry->state = RETENTION_FREE;
    *left = told && !ours ? *left - 1 : 0;
}

static int look_at_objects(struct run *run, struct sc_err *err)
{
    const struct pruning *p = pruning_of(run);
    const struct retention_entry *entries = part_of(run)->entries;
    size_t n = place_of(run)->n_items;
    unsigned left = 0;
    for (size_t i = 0; i < n; i++) {
        if (!prune_concerns(p, &entries[i]) || prune_is_imagined(p, index_of(run), entries[i].name))
            continue;
        left = OTHERS_MAX;
        if (look_at_object(run, i, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < n && p->names; i++)
        if (!prune_is_named(p, &entries[i]))
            look_at_other(run, i, &left);
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

static int prove(void *arg, size_t index)
{
    struct run *run = arg;
    const struct prune_item *item = &place_of(run)->items[index];
    struct reading reading = {run, item->bytes};
    struct verify_copy copy = {.where = item->key, .snapshot = item->name, .bytes = item->bytes};
    struct ctx ctx = run->ctx;
    ctx.who = log_who_store;
    AUTO_ERR struct sc_err why = {0};
    int result = copy_read_store(pruning_of(run)->store, &ctx, &copy, NULL, tell_progress, &reading, &why);
    database_facts_free(copy.database);
    return prune_note_proof(pruning_of(run), index_of(run), index, &ctx, result, &why);
}

/* Why there may be less to remove than there seems to be. */
static void tell_foreign(const struct run *run)
{
    const struct pruning *p = pruning_of(run);
    bool named = p->cluster && strcmp(p->cluster, nobodys_cluster) != 0;
    if (!place_of(run)->n_foreign)
        return;
    log_write(run->log, LOG_INFO, NULL,
              "S3: %zu object%s left alone, as another cluster is named there, or none%s%s",
              place_of(run)->n_foreign, place_of(run)->n_foreign == 1 ? " is" : "s are",
              p->options->claimed
                  ? ""
                  : "; --folder says that what lies in it, and names no other, is this cluster's",
              named ? "" : " (RKE's default name, local, stands for none)");
}

/* Is there a bundle of certificates that our upload put beside this snapshot? One that a plain snapshot of
 * the name needs is not this one's. */
static int find_bundle(struct run *run, size_t index, struct sc_err *err)
{
    const struct pruning *p = pruning_of(run);
    struct s3_client *client = store_client(p->store);
    struct prune_item *item = &place_of(run)->items[index];
    AUTO_OBJECT struct s3_object bundle = {0}, plain = {0};
    AUTO_FREE char *bare = str_dup_n(item->key, strlen(item->key) - strlen(".zip"));
    AUTO_FREE char *key = str_format("%s." NODE_BUNDLE_FILE, bare);
    const struct ctx ctx = ctx_within(&run->ctx, ACTION_MS);
    if (s3_object_head(client, &ctx, key, &bundle, err) < 0)
        return -1;
    if (!bundle.found || !is_ours(p, &bundle) || !str_equal(bundle.snapshot, item->name))
        return 0;
    if (s3_object_head(client, &ctx, bare, &plain, err) < 0)
        return -1;
    if (str_equal(plain.snapshot, item->name))
        return 0;
    item->bundle = (struct prune_bundle){.key = mem_take(&key), .version_id = mem_take(&bundle.version_id)};
    part_of(run)->seen[index].bundle_etag = mem_take(&bundle.etag);
    return 0;
}

/* Of all that are to be removed; if that cannot be told, none is. */
static int find_bundles(struct run *run, struct sc_err *err)
{
    struct prune_place *place = place_of(run);
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
    if (list_objects(run, err) < 0 || look_at_objects(run, err) < 0)
        return -1;
    int result = prune_decide(pruning_of(run), index_of(run), now_there(run), prove, run, err);
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

static int delete_bundle(struct s3_client *client, const struct ctx *ctx, struct prune_bundle *bundle,
                         const char *etag, struct sc_err *err)
{
    bool there;
    if (!bundle->key)
        return 0;
    if (look_again(client, ctx, bundle->key, etag, &there, err) < 0 ||
        (there && s3_object_delete(client, ctx, bundle->key, NULL, &bundle->marker, err) < 0))
        return err_wrap(err, "its bundle of certificates");
    return 0;
}

/* The bundle goes first: where that is as far as it comes, the snapshot is still listed, and can be removed
 * by the next run; private keys without it would stay for ever. */
static int delete_objects(struct run *run, const struct ctx *ctx, size_t index, struct sc_err *err)
{
    struct s3_client *client = store_client(pruning_of(run)->store);
    struct prune_item *item = &place_of(run)->items[index];
    const struct prune_seen *seen = &part_of(run)->seen[index];
    bool there;
    if (look_again(client, ctx, item->key, seen->etag, &there, err) < 0 ||
        delete_bundle(client, ctx, &item->bundle, seen->bundle_etag, err) < 0)
        return -1;
    return there ? s3_object_delete(client, ctx, item->key, NULL, &item->marker, err) : 0;
}

/* Begun, it is not cancelled, but has to end as cleaning up has. */
static int delete_item(struct run *run, size_t index, struct sc_err *err)
{
    struct prune_item *item = &place_of(run)->items[index];
    const struct ctx ctx = {.log = run->log, .cancel = run->late, .deadline_ms = ctx_now_ms() + ACTION_MS};
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
    struct prune_place *place = place_of(run);
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
    struct prune_place *place = place_of(run);
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
    if (look(run, err) < 0 || runner_meet(run->runner, index_of(run), &run->ctx, err) < 0)
        return -1;
    if (!run->go)
        return 0;
    fail_locked(run);
    return delete_all(run, err);
}

void prune_beside(struct run *run)
{
    struct pruning *p = pruning_of(run);
    struct prune_place *place = place_of(run);
    int64_t start = ctx_now_ms();
    run_tell_store(run, RUN_CHECK, 0, 0);
    bool done = live(run, &place->run.err) == 0;
    store_describe(p->store, p->result->store);
    place->status = done ? PRUNE_DONE : PRUNE_PLACE_FAILED;
    place->run.duration_ms = ctx_now_ms() - start;
    run_end_store(run, done ? RUN_DONE : RUN_CHECK, prune_place_status_name(place->status),
                  done ? NULL : &place->run.err);
}
