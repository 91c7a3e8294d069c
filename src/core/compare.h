/* Whether the snapshots of a run belong together. */
#ifndef SNAPCTL_SRC_CORE_COMPARE_H
#define SNAPCTL_SRC_CORE_COMPARE_H

#include "snapctl/base/log.h"
#include "snapctl/core/save.h"

/* Compares what was found in the databases of the nodes, and the clusters' ids that their etcds told. Warns
 * of other members and other clusters: then one node is behind, or was started anew, and only a person can
 * say which. Tells revisions that differ, as they may: each snapshot has what was written until it was taken.
 */
void compare_nodes(const struct save_result *result, struct log *log);

#endif
