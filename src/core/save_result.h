/* Making the result that save and upload share. */
#ifndef SNAPCTL_SRC_CORE_SAVE_RESULT_H
#define SNAPCTL_SRC_CORE_SAVE_RESULT_H

#include "readback.h"
#include "snapctl/core/plan.h"
#include "snapctl/core/save.h"

/* All nodes of the plan, which have failed until something else is said. */
struct save_result *save_result_new(const struct plan *plan) WARN_UNUSED;

/* In a node's thread: the run was refused before this node was touched. Returns -1, with ERR_REFUSED. */
int save_result_skip(struct save_node *node, struct sc_err *err);

/* The node's archive was read back and is good: moves what was found. */
void save_result_keep(struct save_node *node, struct readback *r);

#endif
