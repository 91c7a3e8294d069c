/* Which snapshots there are, and where: what the listings of nodes and of the store say, put together by
 * name. Pure. */
#ifndef SNAPCTL_CORE_INVENTORY_H
#define SNAPCTL_CORE_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/mem.h"

enum inventory_answer { INVENTORY_UNKNOWN, INVENTORY_NO, INVENTORY_YES };

/* rolling: made by RKE's recurring snapshots, as its name tells (rancher/rke-tools, main.go: the time and
 * "_etcd"). */
enum inventory_kind { INVENTORY_ONE_TIME, INVENTORY_ROLLING };

/* "one-time", "rolling", as in JSON. */
const char *inventory_kind_name(enum inventory_kind kind);

/* A snapshot in one place. */
struct inventory_copy {
    size_t place; /* the node's index; their number stands for the store */
    uint64_t bytes;
    int64_t modified; /* seconds since 1970, by the clock of the place */
    enum inventory_answer state_file;
    bool plain; /* the database alone, without a zip: RKE before v0.2.0 */
};

struct inventory_snapshot {
    const char *name;
    enum inventory_kind kind;
    enum inventory_answer state_file; /* of any copy that tells */
    int64_t modified; /* when it was last written on a node; by the store's time where no node has it */
    uint64_t bytes;   /* of the largest copy */
    struct inventory_copy *copies; /* by place */
    size_t n_copies;
};

struct inventory {
    size_t n_places; /* nodes; the store comes behind them */
    struct inventory_found *found;
    size_t n_found;
    struct inventory_copy *copies;        /* of all snapshots, one behind the other */
    struct inventory_snapshot *snapshots; /* the newest first, after inventory_sort */
    size_t n;
};

struct node_file;

void inventory_free(struct inventory *inventory);

/* A file in a node's snapshot folder, or an object below the store's folder, by its name there: false, and
 * nothing is added, if it is no snapshot's. A plain copy is known by its content: see inventory_is_database.
 */
bool inventory_add(struct inventory *inventory, const char *file, const struct inventory_copy *copy);

/* Whether a file that begins so is a bbolt database (its page.go: the first page is a meta page). */
bool inventory_is_database(const void *head, size_t len);

/* Fills in copy, but for its place, from a file as a node lists it; false: it is no snapshot's. An archive
 * whose directory does not tell of the snapshot has INVENTORY_UNKNOWN for the state file. */
bool inventory_of_file(const struct node_file *file, struct inventory_copy *copy);

/* Puts copies of one name together and sorts: snapshots is right from now on, and nothing can be added. */
void inventory_sort(struct inventory *inventory);

/* NULL: no copy in that place. */
const struct inventory_copy *inventory_copy_at(const struct inventory_snapshot *snapshot, size_t place);

/* By name; NULL: there is none. */
const struct inventory_snapshot *inventory_find(const struct inventory *inventory, const char *name);

#endif
