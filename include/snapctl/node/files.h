/* What is in the snapshots' folder of a node. */
#ifndef SNAPCTL_NODE_FILES_H
#define SNAPCTL_NODE_FILES_H

#include "snapctl/base/buf.h"
#include "snapctl/node/node.h"

enum {
    NODE_HEAD_BYTES = 32,
    NODE_END_BYTES = 1024, /* holds the directory of a snapshot's zip */
};

struct node_file {
    char *name; /* [A-Za-z0-9][A-Za-z0-9._+:-]*, without the folder */
    uint64_t bytes;
    int64_t modified;       /* seconds since 1970, by the node's clock */
    const char *head, *end; /* its first NODE_HEAD_BYTES and last NODE_END_BYTES, or all of a shorter file;
                               NULL: not known, as the folder changed meanwhile */
    size_t head_len, end_len;
};

struct node_files {
    struct node_file *files;
    size_t n;
    struct buf raw; /* what the pointers point into */
};
void node_files_free(struct node_files *files);

/* Lists the regular files whose names a snapshot may have, in one command (in a container where the user is
 * not root). After node_probe. ERR_DOCKER if it cannot be looked into, or has more files than fit into 64 MiB
 * of answer. */
int node_list(struct node *node, struct ssh *ssh, const struct ctx *ctx, struct node_files *files,
              struct sc_err *err) WARN_UNUSED;

/* Reads what list.sh printed, which is moved into files: hostile input, for node_list, tests and fuzzers. */
void node_parse_files(struct node_files *files, struct buf *text);

#endif
