/* The certificates that RKE before v0.2.0 leaves on its nodes, for the bundle. */
#ifndef SNAPCTL_NODE_CERTIFICATES_PRIVATE_H
#define SNAPCTL_NODE_CERTIFICATES_PRIVATE_H

#include "snapctl/node/node.h"

/* ERR_CONFIG: there is nothing to be bundled. elsewhere: how many files are this node's alone. Returns -1. */
int certificates_fail(const struct node *node, int64_t elsewhere, struct sc_err *err);

#endif
