#include <stdlib.h>

#include "prune_run.h"

const char *prune_status_name(enum prune_status status)
{
    static const char *const names[] = {"kept", "planned", "removed", "failed"};
    return names[status];
}

const char *prune_place_status_name(enum prune_place_status status)
{
    static const char *const names[] = {"skipped", "done", "failed"};
    return names[status];
}

const struct prune_object *prune_main_object(const struct prune_item *item)
{
    const struct prune_object *archive = &item->objects[PRUNE_ARCHIVE];
    return archive->key ? archive : &item->objects[PRUNE_PLAIN];
}

bool prune_is_told(const struct prune_item *item)
{
    return item->reason < RETENTION_FOREIGN;
}

size_t prune_count(const struct prune_result *r, enum prune_status status)
{
    size_t n = 0;
    for (size_t i = 0; i <= r->n_nodes; i++)
        for (size_t k = 0; k < r->places[i].n_items; k++)
            n += r->places[i].items[k].status == status && prune_is_told(&r->places[i].items[k]);
    return n;
}

void prune_item_free(struct prune_item *item)
{
    free(item->name);
    free(item->lock);
    for (size_t i = 0; i < PRUNE_ROLES; i++) {
        free(item->objects[i].key);
        free(item->objects[i].version_id);
    }
    err_clear(&item->err);
}

static void free_place(struct prune_place *place)
{
    for (size_t i = 0; i < place->n_items; i++)
        prune_item_free(&place->items[i]);
    free(place->items);
    run_node_clear(&place->run);
}

void prune_result_free(struct prune_result *r)
{
    if (!r)
        return;
    for (size_t i = 0; i <= r->n_nodes; i++)
        free_place(&r->places[i]);
    free(r->places);
    store_result_free(r->store);
    free(r->store);
    err_clear(&r->err);
    free(r);
}
