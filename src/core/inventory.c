#include "snapctl/core/inventory.h"

#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/node/files.h"
#include "snapctl/snapshot/archive.h"

struct inventory_found {
    char *name;
    struct inventory_copy copy;
};

const char *inventory_kind_name(enum inventory_kind kind)
{
    static const char *const names[] = {"one-time", "rolling"};
    return names[kind];
}

void inventory_free(struct inventory *inventory)
{
    for (size_t i = 0; i < inventory->n_found; i++)
        free(inventory->found[i].name);
    free(inventory->found);
    free(inventory->copies);
    free(inventory->snapshots);
    *inventory = (struct inventory){0};
}

bool inventory_is_database(const void *head, size_t len)
{
    static const unsigned char magic[] = {0xed, 0xda, 0x0c, 0xed};
    enum { AT = 16 }; /* behind the page's header */
    return len >= AT + sizeof magic && memcmp((const char *)head + AT, magic, sizeof magic) == 0;
}

bool inventory_add(struct inventory *inventory, const char *file, const struct inventory_copy *copy)
{
    bool zip;
    AUTO_FREE char *name = node_snapshot_of(file, &zip);
    if (!name || zip == copy->plain)
        return false;
    inventory->found = mem_realloc(inventory->found, inventory->n_found + 1, sizeof *inventory->found);
    inventory->found[inventory->n_found++] = (struct inventory_found){mem_take(&name), *copy};
    return true;
}

static enum inventory_answer state_in(const struct node_file *file)
{
    struct archive_facts facts;
    AUTO_FREE char *name = node_snapshot_of(file->name, NULL);
    if (!file->end ||
        archive_check_tail(name, false, file->end, file->end_len, file->bytes, &facts, NULL) < 0)
        return INVENTORY_UNKNOWN;
    return facts.state_file ? INVENTORY_YES : INVENTORY_NO;
}

bool inventory_of_file(const struct node_file *file, struct inventory_copy *copy)
{
    bool zip = str_ends(file->name, ".zip");
    bool database = file->head && inventory_is_database(file->head, file->head_len);
    if (!zip && !database)
        return false;
    *copy = (struct inventory_copy){
        .bytes = file->bytes,
        .modified = file->modified,
        .plain = !zip,
        .state_file = zip ? state_in(file) : INVENTORY_NO,
    };
    return true;
}

/* "2024-03-01T12:00:00Z_etcd", with safe_timestamp "2024-03-01T12-00-00Z_etcd". */
static enum inventory_kind kind_of(const char *name)
{
    static const char shape[] = "0000-00-00T00:00:00Z_etcd";
    if (strlen(name) != strlen(shape))
        return INVENTORY_ONE_TIME;
    for (size_t i = 0; shape[i]; i++) {
        bool fits = shape[i] == '0'   ? name[i] >= '0' && name[i] <= '9'
                    : shape[i] == ':' ? name[i] == ':' || name[i] == '-'
                                      : name[i] == shape[i];
        if (!fits)
            return INVENTORY_ONE_TIME;
    }
    return INVENTORY_ROLLING;
}

/* In a place that has both, the archive comes first. */
static int by_name_and_place(const void *a, const void *b)
{
    const struct inventory_found *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    if (!order)
        order = (x->copy.place > y->copy.place) - (x->copy.place < y->copy.place);
    return order ? order : x->copy.plain - y->copy.plain;
}

static int by_time(const void *a, const void *b)
{
    const struct inventory_snapshot *x = a, *y = b;
    int order = (x->modified < y->modified) - (x->modified > y->modified);
    return order ? order : strcmp(x->name, y->name);
}

/* A node's time counts before the store's, which is that of an upload. */
static void summarize(const struct inventory *inventory, struct inventory_snapshot *snapshot)
{
    bool on_node = snapshot->copies[0].place < inventory->n_places;
    for (size_t i = 0; i < snapshot->n_copies; i++) {
        const struct inventory_copy *copy = &snapshot->copies[i];
        if (copy->bytes > snapshot->bytes)
            snapshot->bytes = copy->bytes;
        if (copy->state_file > snapshot->state_file)
            snapshot->state_file = copy->state_file;
        if (on_node == (copy->place < inventory->n_places) && copy->modified > snapshot->modified)
            snapshot->modified = copy->modified;
    }
}

void inventory_sort(struct inventory *inventory)
{
    size_t n = inventory->n_found;
    if (n == 0)
        return;
    qsort(inventory->found, n, sizeof *inventory->found, by_name_and_place);
    inventory->copies = mem_calloc(n, sizeof *inventory->copies);
    inventory->snapshots = mem_calloc(n, sizeof *inventory->snapshots);
    for (size_t i = 0; i < n; i++) {
        const struct inventory_found *found = &inventory->found[i];
        inventory->copies[i] = found->copy;
        if (i == 0 || strcmp(found->name, found[-1].name) != 0)
            inventory->snapshots[inventory->n++] = (struct inventory_snapshot){
                .name = found->name, .kind = kind_of(found->name), .copies = &inventory->copies[i]};
        inventory->snapshots[inventory->n - 1].n_copies++;
    }
    for (size_t i = 0; i < inventory->n; i++)
        summarize(inventory, &inventory->snapshots[i]);
    qsort(inventory->snapshots, inventory->n, sizeof *inventory->snapshots, by_time);
}

const struct inventory_copy *inventory_copy_at(const struct inventory_snapshot *snapshot, size_t place)
{
    for (size_t i = 0; i < snapshot->n_copies; i++)
        if (snapshot->copies[i].place == place)
            return &snapshot->copies[i];
    return NULL;
}

const struct inventory_snapshot *inventory_find(const struct inventory *inventory, const char *name)
{
    for (size_t i = 0; i < inventory->n; i++)
        if (strcmp(inventory->snapshots[i].name, name) == 0)
            return &inventory->snapshots[i];
    return NULL;
}
