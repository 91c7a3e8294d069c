#include "save_result.h"

#include <stdlib.h>
#include <time.h>

#include "snapctl/base/str.h"

const char *save_status_name(enum save_status status)
{
    static const char *const names[] = {"failed", "saved",   "unknown", "checked",
                                        "found",  "missing", "skipped", "bundled"};
    return names[status];
}

int save_result_skip(struct save_node *node, struct sc_err *err)
{
    node->status = SAVE_SKIPPED;
    return err_set(err, ERR_REFUSED, "not begun, as the run was refused");
}

struct save_result *save_result_new(const struct plan *plan)
{
    struct save_result *r = mem_calloc(1, sizeof *r);
    r->name = str_dup(plan->job.name);
    r->started = (int64_t)time(NULL);
    r->n_nodes = plan->n_nodes;
    r->nodes = mem_calloc(plan->n_nodes, sizeof *r->nodes);
    for (size_t i = 0; i < plan->n_nodes; i++) {
        r->nodes[i].bundle_only = plan->nodes[i].bundle_only;
        r->nodes[i].path = node_archive_path(&plan->job);
    }
    return r;
}

void save_result_keep(struct save_node *node, struct readback *r)
{
    node->facts = r->facts;
    node->verified = true;
    database_facts_free(node->database);
    node->database = r->database;
    r->database = NULL;
}

void save_result_free(struct save_result *result)
{
    if (!result)
        return;
    for (size_t i = 0; i < result->n_nodes; i++) {
        run_node_clear(&result->nodes[i].run);
        free(result->nodes[i].path);
        free(result->nodes[i].commands);
        database_facts_free(result->nodes[i].database);
        bundle_facts_free(result->nodes[i].bundle);
    }
    prune_result_free(result->pruned);
    store_result_free(result->store);
    free(result->store);
    free(result->nodes);
    free(result->name);
    err_clear(&result->err);
    free(result);
}
