/* Removing snapshots from a node. */
#ifndef SNAPCTL_NODE_REMOVE_H
#define SNAPCTL_NODE_REMOVE_H

#include "snapctl/node/node.h"

enum node_removed {
    NODE_UNTOLD, /* nothing was said of it */
    NODE_REMOVED,
    NODE_GONE,    /* it was not there any more */
    NODE_CHANGED, /* another file stands there by now, and was left alone */
    NODE_BUSY,    /* the lock's container is for its name: it was left alone */
    NODE_KEPT,    /* it could not be removed; the log has the reason */
};

/* A file of the snapshots' folder, as node_list told of it. */
struct node_removal {
    const char *file; /* node_file_name_valid; outlives it */
    uint64_t bytes;
    int64_t modified;
    enum node_removed how; /* the result */
};

/* Removes those of which nothing was said yet, in one command for each 24 KiB of names (some 400), after
 * node_probe. ERR_DOCKER; after a lost connection it can be called again. */
int node_remove(const struct node *node, struct ssh *ssh, const struct ctx *ctx, struct node_removal *files,
                size_t n, struct sc_err *err) WARN_UNUSED;

/* Reads what remove.sh printed: hostile input, for node_remove, tests and fuzzers. */
void node_parse_removals(struct node_removal *files, size_t n, const char *text);

#endif
