/* Whether snapshots come from one cluster with one list of members. Pure. */
#ifndef SNAPCTL_SRC_CORE_MEMBERS_H
#define SNAPCTL_SRC_CORE_MEMBERS_H

#include "snapctl/snapshot/database.h"

/* What differs in the member list of b from that of a, in words; NULL: nothing. The caller frees it. */
char *members_differ(const struct database_facts *a, const struct database_facts *b) WARN_UNUSED;

#endif
