#include "compare.h"

#include <inttypes.h>

#include "members.h"

static void compare_members(const struct save_node *a, const struct save_node *b, struct log *log)
{
    AUTO_FREE char *differs = members_differ(a->database, b->database);
    if (differs)
        log_write(log, LOG_WARN, NULL,
                  "the snapshots of %s and %s do not have the same members of etcd; in the latter: %s",
                  a->run.address, b->run.address, differs);
}

/* Also of nodes whose snapshot failed, or was not looked into. */
static void compare_clusters(const struct save_result *r, struct log *log)
{
    const struct save_node *first = NULL;
    for (size_t i = 0; i < r->n_nodes; i++) {
        const struct save_node *node = &r->nodes[i];
        if (!node->cluster_id)
            continue;
        first = first ? first : node;
        if (node->cluster_id != first->cluster_id)
            log_write(log, LOG_WARN, NULL,
                      "the etcds of %s and %s are not in the same cluster: their ids are %" PRIx64
                      " and %" PRIx64 "; restore from a node of the cluster that is the right one",
                      first->run.address, node->run.address, first->cluster_id, node->cluster_id);
    }
}

static void tell_revisions(int64_t lowest, int64_t highest, struct log *log)
{
    if (lowest < highest)
        log_write(log, LOG_INFO, NULL,
                  "the snapshots have revisions from %" PRId64 " to %" PRId64
                  ", as etcd was written to while they were taken",
                  lowest, highest);
}

/* The bundle is the same on all nodes, or should be. */
static void compare_bundles(const struct save_result *r, struct log *log)
{
    const struct save_node *first = NULL;
    for (size_t i = 0; i < r->n_nodes; i++) {
        const struct save_node *node = &r->nodes[i];
        if (!node->bundle)
            continue;
        first = first ? first : node;
        if (!bundle_facts_agree(first->bundle, node->bundle))
            log_write(log, LOG_WARN, NULL, "the bundles of %s and %s do not have the same certificates",
                      first->run.address, node->run.address);
    }
}

void compare_nodes(const struct save_result *r, struct log *log)
{
    const struct save_node *first = NULL;
    int64_t lowest = INT64_MAX, highest = INT64_MIN;
    for (size_t i = 0; i < r->n_nodes; i++) {
        const struct save_node *node = &r->nodes[i];
        if (!node->database)
            continue;
        first = first ? first : node;
        compare_members(first, node, log);
        lowest = node->database->revision < lowest ? node->database->revision : lowest;
        highest = node->database->revision > highest ? node->database->revision : highest;
    }
    tell_revisions(lowest, highest, log);
    compare_clusters(r, log);
    compare_bundles(r, log);
}
