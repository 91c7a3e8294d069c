/* Which objects of the store are this cluster's snapshots. */
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <time.h>

#include "prune_store.h"
#include "snapctl/base/str.h"
#include "snapctl/node/files.h"

enum { OTHERS_MAX = 100 }; /* objects that are looked at for a warning alone */

/* RKE's default, which many clusters have. */
static const char nobodys_cluster[] = "local";

int64_t prune_store_now(const struct run *run)
{
    int64_t offset;
    bool told = s3_client_clock(store_client(pruning_of(run)->store), &offset);
    return (int64_t)time(NULL) + (told ? offset : 0);
}

bool prune_store_is_named(const struct pruning *p)
{
    return p->cluster && strcmp(p->cluster, nobodys_cluster) != 0;
}

bool prune_store_is_ours(const struct pruning *p, const struct s3_object *object)
{
    bool named = p->cluster && s3_object_is_of(object, p->cluster);
    if (object->cluster && !named)
        return false;
    return p->options->claimed || (named && prune_store_is_named(p));
}

char *prune_store_lock(const struct s3_object *object)
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

/* An object that is looked at. */
struct look {
    size_t index; /* of its item */
    enum prune_role role;
    enum retention_state state;
};

struct looking {
    struct run *run;
    struct look *looks;
    struct s3_head *heads, *bytes; /* of each: the answer to HEAD, and what was read of it */
    size_t n;
};

/* All of the items that may be concerned. */
static void collect(struct looking *l)
{
    const struct pruning *p = pruning_of(l->run);
    const struct prune_place *place = prune_store_place(l->run);
    size_t most = place->n_items * PRUNE_ROLES;
    l->looks = mem_calloc(most, sizeof *l->looks);
    l->heads = mem_calloc(most, sizeof *l->heads);
    l->bytes = mem_calloc(most, sizeof *l->bytes);
    for (size_t i = 0; i < place->n_items; i++) {
        const struct retention_entry *entry = &prune_store_part(l->run)->entries[i];
        bool concerned =
            prune_concerns(p, entry) && !prune_is_imagined(p, prune_store_index(l->run), entry->name);
        for (size_t role = 0; role < PRUNE_ROLES && concerned; role++) {
            if (!place->items[i].objects[role].key)
                continue;
            l->looks[l->n] = (struct look){.index = i, .role = (enum prune_role)role};
            l->heads[l->n++].key = place->items[i].objects[role].key;
        }
    }
}

/* An error of any object is one of all: who cannot see them all does not remove any. */
static int ask(struct looking *l, struct s3_head *heads, struct sc_err *err)
{
    if (s3_object_heads(store_client(pruning_of(l->run)->store), &l->run->ctx, heads, l->n, err) < 0)
        return -1;
    for (size_t i = 0; i < l->n; i++)
        if (heads[i].err.kind != ERR_NONE) {
            err_move(err, &heads[i].err);
            return -1;
        }
    return 0;
}

static void judge_by_marks(struct looking *l, size_t at)
{
    struct look *look = &l->looks[at];
    const struct s3_object *object = &l->heads[at].object;
    struct prune_item *item = prune_store_item(l->run, look->index);
    struct prune_object *to = &item->objects[look->role];
    const struct prune_seen *listed = &prune_store_part(l->run)->seen[look->index][look->role];
    bool marked = look->role == PRUNE_ARCHIVE || str_equal(object->snapshot, item->name);
    look->state = RETENTION_IS_FOREIGN;
    if (!object->found || !marked || !prune_store_is_ours(pruning_of(l->run), object))
        return;
    bool locked = s3_object_is_locked(object, prune_store_now(l->run));
    look->state = locked ? RETENTION_IS_LOCKED : RETENTION_FREE;
    /* It was replaced since it was listed, so no rule knows its time. */
    if (object->bytes != listed->bytes && !pruning_of(l->run)->names)
        look->state = RETENTION_IS_UNKNOWN;
    if (locked && !item->lock)
        item->lock = prune_store_lock(object);
    to->version_id = str_dup(object->version_id);
    prune_store_part(l->run)->seen[look->index][look->role].etag = str_dup(object->etag);
}

/* An archive that our upload marked is one; of others the directory at the end tells. A plain one is marked,
 * or it would not be here; but who copies an object copies its marks along, and those of the bundle are the
 * same: how it begins tells, as on nodes. By name goes what is damaged, too. */
static bool has_to_show(const struct looking *l, size_t at)
{
    const struct look *look = &l->looks[at];
    const char *name = prune_store_item(l->run, look->index)->name;
    return !pruning_of(l->run)->names && look->state != RETENTION_IS_FOREIGN &&
           (look->role == PRUNE_PLAIN || !str_equal(l->heads[at].object.snapshot, name));
}

static bool shows_it(const struct look *look, const struct s3_object *object, const struct buf *bytes,
                     const char *name)
{
    struct archive_facts facts;
    return look->role == PRUNE_PLAIN
               ? inventory_is_database(bytes->data, bytes->len)
               : archive_check_tail(name, false, bytes->data, bytes->len, object->bytes, &facts, NULL) == 0;
}

static struct s3_head bytes_of(const struct look *look, const struct s3_head *head)
{
    bool plain = look->role == PRUNE_PLAIN;
    size_t len = (size_t)MIN(head->object.bytes, plain ? NODE_HEAD_BYTES : NODE_END_BYTES);
    return (struct s3_head){.key = head->key, .len = len, .from = plain ? 0 : head->object.bytes - len};
}

/* What does not show what it is, is not known to be a snapshot. */
static int judge_by_bytes(struct looking *l, struct sc_err *err)
{
    AUTO_FREE size_t *asked = mem_calloc(l->n, sizeof *asked);
    struct looking some = {.run = l->run};
    for (size_t i = 0; i < l->n; i++)
        if (has_to_show(l, i)) {
            l->bytes[some.n] = bytes_of(&l->looks[i], &l->heads[i]);
            asked[some.n++] = i;
        }
    if (ask(&some, l->bytes, err) < 0)
        return -1;
    for (size_t k = 0; k < some.n; k++) {
        struct look *look = &l->looks[asked[k]];
        const char *name = prune_store_item(l->run, look->index)->name;
        if (!shows_it(look, &l->heads[asked[k]].object, &l->bytes[k].bytes, name))
            look->state = RETENTION_IS_UNKNOWN;
    }
    return 0;
}

/* What is no part of the snapshot neither goes with it nor makes it younger. */
static void drop_object(struct run *run, size_t index, enum prune_role role)
{
    struct prune_item *item = prune_store_item(run, index);
    struct retention_entry *entry = &prune_store_part(run)->entries[index];
    const struct prune_seen *left =
        &prune_store_part(run)->seen[index][role == PRUNE_PLAIN ? PRUNE_ARCHIVE : PRUNE_PLAIN];
    free(item->objects[role].key);
    item->objects[role].key = NULL;
    prune_forget_copy(pruning_of(run), entry, role == PRUNE_PLAIN);
    item->bytes = left->bytes;
    entry->modified = item->modified = left->modified;
}

/* As on nodes: an archive and a plain snapshot of one name stay or go together, and where the archive is in
 * doubt, or one of them is locked, both stay; what does not begin as a database is nothing to the archive of
 * its name. Neither is what is another cluster's. */
static void settle_item(struct run *run, size_t index, const enum retention_state states[PRUNE_ROLES])
{
    const struct prune_object *objects = prune_store_item(run, index)->objects;
    const enum retention_state none = RETENTION_IS_FOREIGN;
    enum retention_state plain = objects[PRUNE_PLAIN].key ? states[PRUNE_PLAIN] : none;
    enum retention_state archive = objects[PRUNE_ARCHIVE].key ? states[PRUNE_ARCHIVE] : none;
    bool both = objects[PRUNE_PLAIN].key && objects[PRUNE_ARCHIVE].key;
    bool without_archive = archive == none;
    bool without_plain = !without_archive && plain >= RETENTION_IS_UNKNOWN;
    prune_store_part(run)->entries[index].state = without_archive ? plain
                                                  : without_plain ? archive
                                                                  : MAX(plain, archive);
    if (prune_store_part(run)->entries[index].state != RETENTION_IS_LOCKED) {
        free(prune_store_item(run, index)->lock);
        prune_store_item(run, index)->lock = NULL;
    }
    if (both && without_plain)
        drop_object(run, index, PRUNE_PLAIN);
    else if (both && without_archive && plain != none)
        drop_object(run, index, PRUNE_ARCHIVE);
    else
        return;
    prune_store_place(run)->n_foreign += plain == none || archive == none;
}

static void settle_all(const struct looking *l)
{
    for (size_t i = 0; i < l->n;) {
        size_t index = l->looks[i].index;
        enum retention_state states[PRUNE_ROLES] = {RETENTION_FREE};
        for (; i < l->n && l->looks[i].index == index; i++)
            states[l->looks[i].role] = l->looks[i].state;
        settle_item(l->run, index, states);
    }
}

static void swap_with_next(void *at, size_t size)
{
    AUTO_FREE void *kept = mem_calloc(1, size);
    char *next = (char *)at + size;
    memcpy(kept, at, size);
    memcpy(at, next, size);
    memcpy(next, kept, size);
}

/* Those that lost an object may be older than they seemed. */
static void sort_again(struct run *run)
{
    struct prune_part *part = prune_store_part(run);
    struct prune_item *items = prune_store_place(run)->items;
    for (size_t i = prune_store_place(run)->n_items; i-- > 0;)
        for (size_t k = i;
             k + 1 < prune_store_place(run)->n_items && items[k].modified < items[k + 1].modified; k++) {
            swap_with_next(&items[k], sizeof *items);
            swap_with_next(&part->entries[k], sizeof *part->entries);
            swap_with_next(&part->seen[k], sizeof *part->seen);
        }
}

static int look_at_concerned(struct looking *l, struct sc_err *err)
{
    collect(l);
    if (ask(l, l->heads, err) < 0)
        return -1;
    for (size_t i = 0; i < l->n; i++)
        judge_by_marks(l, i);
    if (judge_by_bytes(l, err) < 0)
        return -1;
    settle_all(l);
    sort_again(l->run);
    return 0;
}

/* One that stays where others are removed by name: whose it is, decides whether there is a warning. *left:
 * how many may still be looked at. */
static void look_at_other(struct run *run, size_t index, unsigned *left)
{
    AUTO_OBJECT struct s3_object object = {0};
    const struct pruning *p = pruning_of(run);
    struct retention_entry *entry = &prune_store_part(run)->entries[index];
    const struct ctx ctx = ctx_within(&run->ctx, PRUNE_ACTION_MS);
    entry->state = RETENTION_IS_FOREIGN;
    if (!*left)
        return;
    const char *key = prune_main_object(prune_store_item(run, index))->key;
    bool told = s3_object_head(store_client(p->store), &ctx, key, &object, NULL) == 0;
    bool ours = told && object.found && prune_store_is_ours(p, &object);
    if (ours)
        entry->state = RETENTION_FREE;
    *left = told && !ours ? *left - 1 : 0;
}

int prune_store_look(struct run *run, struct sc_err *err)
{
    const struct pruning *p = pruning_of(run);
    struct looking l = {.run = run};
    int result = look_at_concerned(&l, err);
    unsigned left = l.n ? OTHERS_MAX : 0;
    s3_heads_free(l.heads, l.n);
    s3_heads_free(l.bytes, l.n);
    free(l.looks);
    if (result < 0)
        store_explain(p->store, err);
    for (size_t i = 0; i < prune_store_place(run)->n_items && p->names && result == 0; i++)
        if (!prune_is_named(p, &prune_store_part(run)->entries[i]))
            look_at_other(run, i, &left);
    return result;
}
