/* A node's part of `prune`. */
#include <time.h>

#include "copy.h"
#include "prune_run.h"
#include "readback.h"
#include "snapctl/base/str.h"
#include "snapctl/node/files.h"

enum { LIST_TRIES = 3, REMOVE_MS = 120000 };

static struct prune_place *place_of(const struct work *w)
{
    return &pruning_of(w->run)->result->places[w->index];
}

static struct prune_part *part_of(const struct work *w)
{
    return &pruning_of(w->run)->parts[w->index];
}

/* ---- what there is ---- */

/* Without the ends of the files nobody knows what they are. */
static bool is_whole(const struct node_files *files)
{
    return files->n == 0 || files->files[0].end;
}

static int list_whole(struct work *w, struct node_files *files, struct sc_err *err)
{
    for (int tries = 0; tries < LIST_TRIES; tries++) {
        node_files_free(files);
        if (work_list(w, files, err) < 0)
            return -1;
        if (is_whole(files))
            return 0;
    }
    err_set(err, ERR_BUSY, "the files in " NODE_SNAPSHOT_FOLDER " change while they are listed");
    return err_hint(err, "is a snapshot being taken? Try again when it is through");
}

static int list_files(struct work *w, struct sc_err *err)
{
    struct node_files files = {0};
    struct inventory *inventory = &part_of(w)->inventory;
    int result = list_whole(w, &files, err);
    inventory->n_places = 1;
    for (size_t i = 0; i < files.n && result == 0; i++) {
        struct inventory_copy copy;
        if (inventory_of_file(&files.files[i], &copy))
            inventory_add(inventory, files.files[i].name, &copy);
    }
    node_files_free(&files);
    return result;
}

/* An archive whose directory does not tell of the snapshot may be something else. */
static bool tells_nothing(const struct inventory_snapshot *snapshot)
{
    for (size_t k = 0; k < snapshot->n_copies; k++)
        if (!snapshot->copies[k].plain && snapshot->copies[k].state_file == INVENTORY_UNKNOWN)
            return true;
    return false;
}

/* Of a run that may still take it back: one that died and left its lock, or one that began after the probe.
 */
static bool may_go(const struct node_facts *facts, const struct inventory_snapshot *snapshot)
{
    return (facts->lock.id && str_equal(facts->lock.snapshot, snapshot->name)) ||
           (facts->now && snapshot->modified > facts->now);
}

/* What is not sure to be a snapshot neither counts nor goes by a rule. By name it goes, but not in silence.
 */
static void mark_unknown(const struct work *w)
{
    const struct pruning *p = pruning_of(w->run);
    struct prune_part *part = part_of(w);
    for (size_t i = 0; i < part->inventory.n; i++) {
        const struct inventory_snapshot *snapshot = &part->inventory.snapshots[i];
        bool nothing = tells_nothing(snapshot);
        if (!p->names && (nothing || may_go(&w->node.facts, snapshot)))
            part->entries[i].state = RETENTION_IS_UNKNOWN;
        else if (p->names && nothing && prune_concerns(p, &part->entries[i]))
            ctx_log(&w->ctx, LOG_WARN,
                    "%s.zip is damaged, or not a snapshot at all: look before it is removed", snapshot->name);
    }
}

/* The archive of a run that is at work would be taken for the newest good one, and may be taken back. */
static int look_at_lock(const struct work *w, struct sc_err *err)
{
    return pruning_of(w->run)->names ? 0 : node_judge_aspect(&w->node, NODE_LOCK, &w->ctx, err);
}

/* ---- which one is good ---- */

static int read_one(struct work *w, const struct inventory_snapshot *snapshot,
                    const struct inventory_copy *copy, struct sc_err *err)
{
    AUTO_FREE char *name = str_dup(snapshot->name);
    struct verify_copy reading = {.snapshot = name, .plain = copy->plain, .bytes = copy->bytes};
    int result = copy_read_node(w, &reading, NULL, err);
    database_facts_free(reading.database);
    return result;
}

/* One of its copies, with a zip and without, is enough. */
static int prove(void *arg, size_t index)
{
    struct work *w = arg;
    const struct inventory_snapshot *snapshot = &part_of(w)->inventory.snapshots[index];
    AUTO_ERR struct sc_err why = {0};
    int result = -1;
    for (size_t k = 0; k < snapshot->n_copies && result < 0; k++) {
        result = read_one(w, snapshot, &snapshot->copies[k], &why);
        if (result < 0 && why.kind != ERR_CORRUPT)
            break;
    }
    return prune_note_proof(pruning_of(w->run), w->index, index, &w->ctx, result, &why);
}

/* ---- removing ---- */

static void add_file(struct prune_part *part, size_t item, const struct inventory_copy *copy)
{
    const char *name = part->inventory.snapshots[item].name;
    part->files = mem_realloc(part->files, part->n_files + 1, sizeof *part->files);
    part->owners = mem_realloc(part->owners, part->n_files + 1, sizeof *part->owners);
    part->files[part->n_files] = (struct node_removal){
        .file = copy->plain ? str_dup(name) : str_format("%s.zip", name),
        .bytes = copy->bytes,
        .modified = copy->modified,
    };
    part->owners[part->n_files++] = item;
}

static void collect_files(struct work *w)
{
    struct prune_part *part = part_of(w);
    for (size_t i = 0; i < part->inventory.n; i++) {
        const struct inventory_snapshot *snapshot = &part->inventory.snapshots[i];
        for (size_t k = 0; k < snapshot->n_copies && place_of(w)->items[i].status == PRUNE_PLANNED; k++)
            add_file(part, i, &snapshot->copies[k]);
    }
}

static int remove_files(struct work *w, const struct ctx *ctx, bool again, struct sc_err *err)
{
    (void)again;
    return node_remove(&w->node, w->ssh, ctx, part_of(w)->files, part_of(w)->n_files, err);
}

/* Why a file is not removed; NULL: it is gone. */
static const struct {
    enum err_kind kind;
    const char *text, *hint;
} outcomes[] = {
    [NODE_UNTOLD] = {ERR_NETWORK, "the node did not tell what became of it",                     NULL                                   },
    [NODE_REMOVED] = {ERR_NONE,    NULL,                                                          NULL                                   },
    [NODE_GONE] = {ERR_NONE,    NULL,                                                          NULL                                   },
    [NODE_CHANGED] = {ERR_REFUSED, "another file stands in its place by now, and was left alone", NULL                                   },
    [NODE_BUSY] = {ERR_BUSY,    "the container etcd-snapshot-once is at work on that name",
                     "try again when it is through; what a dead run left is removed by snapctl check --fix"                             },
    [NODE_KEPT] = {ERR_DOCKER,  "the node could not remove it",                                "look at its file system and at chattr"},
};

static void note_outcome(struct prune_item *item, enum node_removed how)
{
    if (item->status == PRUNE_FAILED)
        return;
    item->status = outcomes[how].text ? PRUNE_FAILED : PRUNE_REMOVED;
    if (!outcomes[how].text)
        return;
    err_set(&item->err, outcomes[how].kind, "%s", outcomes[how].text);
    if (outcomes[how].hint)
        err_hint(&item->err, "%s", outcomes[how].hint);
}

static int remove_all(struct work *w, struct sc_err *err)
{
    struct prune_part *part = part_of(w);
    struct prune_place *place = place_of(w);
    collect_files(w);
    if (part->n_files == 0)
        return 0;
    w->total = 0;
    work_tell(w, RUN_CLEANUP, 0);
    int result = work_persist(w, &w->ctx, REMOVE_MS, remove_files, err);
    for (size_t i = 0; i < part->n_files; i++)
        note_outcome(&place->items[part->owners[i]], part->files[i].how);
    return result < 0 ? -1 : prune_settle(place, err);
}

/* ---- its life ---- */

/* It is there for a way to the store, if one is wanted, and the others do not wait for it. */
static int live_for_store(struct work *w, struct sc_err *err)
{
    runner_excuse(w->run->runner, w->index);
    if (!work_wait_until_wanted(w, err))
        return ctx_check(&w->ctx, err);
    return work_enter(w, err) < 0 || work_check(w, node_judge_reader, err) < 0 ? -1 : 0;
}

static int look(struct work *w, struct sc_err *err)
{
    struct pruning *p = pruning_of(w->run);
    if (work_enter(w, err) < 0 || work_check(w, node_judge_reader, err) < 0 || look_at_lock(w, err) < 0 ||
        list_files(w, err) < 0)
        return -1;
    int64_t now = w->node.facts.now ? w->node.facts.now : (int64_t)time(NULL);
    prune_sort(p, w->index, now);
    mark_unknown(w);
    return prune_decide(p, w->index, now, prove, w, err);
}

int prune_live(struct work *w, struct sc_err *err)
{
    const struct pruning *p = pruning_of(w->run);
    if (p->trust && p->trust[w->index] == PRUNE_LEAVE)
        return 0;
    if (!p->options->nodes)
        return live_for_store(w, err);
    if (look(w, err) < 0 || runner_meet(w->run->runner, w->index, &w->ctx, err) < 0)
        return -1;
    if (w->run->go && remove_all(w, err) < 0)
        return -1;
    place_of(w)->status = PRUNE_DONE;
    return 0;
}

const char *prune_outcome(struct work *w, bool failed)
{
    if (failed && pruning_of(w->run)->options->nodes)
        place_of(w)->status = PRUNE_PLACE_FAILED;
    return prune_place_status_name(place_of(w)->status);
}
