/* Which of the objects that a listing has are snapshots. */
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/node/node.h"
#include "snapctl/s3/object.h"
#include "store.h"

#define BUNDLE_ENDING "." NODE_BUNDLE_FILE

/* An object that is no archive, and may be a plain snapshot, or the bundle beside one. */
struct other {
    char *key;
    char *name; /* NULL: no snapshot can be called so */
    uint64_t bytes;
    int64_t modified;
};

struct snapshots {
    struct store *store;
    store_snapshot_seen *seen;
    void *arg;
    struct other *others;
    size_t n, room;
};

static void keep(struct snapshots *s, const struct s3_entry *entry, char **name)
{
    if (s->n == s->room) {
        s->room = s->room ? 2 * s->room : 64;
        s->others = mem_realloc(s->others, s->room, sizeof *s->others);
    }
    s->others[s->n++] = (struct other){.key = str_dup(entry->key),
                                       .name = mem_take(name),
                                       .bytes = entry->bytes,
                                       .modified = entry->modified};
}

static int take_entry(void *arg, const struct s3_entry *entry)
{
    struct snapshots *s = arg;
    bool zip;
    AUTO_FREE char *name = node_snapshot_of(entry->key + strlen(store_folder(s->store)), &zip);
    const struct store_snapshot archive = {
        .key = entry->key, .name = name, .bytes = entry->bytes, .modified = entry->modified};
    if (name && zip)
        s->seen(s->arg, &archive);
    else if (name || str_ends(entry->key, BUNDLE_ENDING))
        keep(s, entry, &name);
    return 0;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct other *)a)->key, ((const struct other *)b)->key);
}

static bool has_bundle(const struct snapshots *s, const struct other *other)
{
    AUTO_FREE char *key = str_format("%s" BUNDLE_ENDING, other->key);
    const struct other wanted = {.key = key};
    return bsearch(&wanted, s->others, s->n, sizeof *s->others, by_key) != NULL;
}

/* Our upload puts the bundle there before the snapshot: what has none beside it need not be asked about, so
 * that a bucket full of other things is listed as fast as an empty one. What is left is moved to the front.
 */
static void drop_others(struct snapshots *s)
{
    size_t left = 0;
    AUTO_FREE bool *stays = mem_calloc(s->n, sizeof *stays);
    if (s->n)
        qsort(s->others, s->n, sizeof *s->others, by_key);
    for (size_t i = 0; i < s->n; i++)
        stays[i] = s->others[i].name && has_bundle(s, &s->others[i]);
    for (size_t i = 0; i < s->n; i++) {
        struct other other = s->others[i];
        if (stays[i]) {
            s->others[left++] = other;
            continue;
        }
        free(other.key);
        free(other.name);
    }
    s->n = left;
}

static void tell_plain(const struct snapshots *s, const struct s3_head *heads)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct other *other = &s->others[i];
        const struct store_snapshot plain = {.key = other->key,
                                             .name = other->name,
                                             .plain = true,
                                             .bytes = other->bytes,
                                             .modified = other->modified};
        if (str_equal(heads[i].object.snapshot, other->name))
            s->seen(s->arg, &plain);
    }
}

static void warn(const struct ctx *ctx, const struct s3_head *heads, size_t n)
{
    size_t dark = 0;
    const struct sc_err *first = NULL;
    for (size_t i = 0; i < n; i++)
        if (heads[i].err.kind != ERR_NONE && !dark++)
            first = &heads[i].err;
    if (first)
        ctx_log(ctx, LOG_WARN, "S3: %zu object%s may be %s, but cannot be looked at, and %s left out: %s",
                dark, dark == 1 ? "" : "s", dark == 1 ? "a plain snapshot" : "plain snapshots",
                dark == 1 ? "is" : "are", first->text);
}

static int ask(struct snapshots *s, const struct ctx *ctx, struct sc_err *err)
{
    drop_others(s);
    struct s3_head *heads = mem_calloc(s->n, sizeof *heads);
    for (size_t i = 0; i < s->n; i++)
        heads[i].key = s->others[i].key;
    int result = s3_object_heads(store_client(s->store), ctx, heads, s->n, err);
    if (result == 0) {
        tell_plain(s, heads);
        warn(ctx, heads, s->n);
    } else {
        store_explain(s->store, err);
    }
    s3_heads_free(heads, s->n);
    return result;
}

int store_snapshots(struct store *store, const struct ctx *ctx, const char *prefix, store_snapshot_seen *seen,
                    void *arg, struct sc_err *err)
{
    struct snapshots s = {.store = store, .seen = seen, .arg = arg};
    int result = store_list(store, ctx, prefix, take_entry, &s, err);
    if (result == 0)
        result = ask(&s, ctx, err);
    for (size_t i = 0; i < s.n; i++) {
        free(s.others[i].key);
        free(s.others[i].name);
    }
    free(s.others);
    return result;
}
