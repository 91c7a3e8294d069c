/* The command lines that run on a node: assignments, then the scripts of src/node/scripts. */
#ifndef SNAPCTL_NODE_SCRIPT_PRIVATE_H
#define SNAPCTL_NODE_SCRIPT_PRIVATE_H

#include "snapctl/node/node.h"

enum script_kind {
    SCRIPT_PROBE,
    SCRIPT_LOOK,
    SCRIPT_PULL,
    SCRIPT_WORK,
    SCRIPT_RESUME,
    SCRIPT_READ_ALL,
    SCRIPT_READ_TAIL,
    SCRIPT_READ_NEW_BUNDLE, /* the run's own */
    SCRIPT_READ_BUNDLE,
    SCRIPT_COPY,    /* of node->copy */
    SCRIPT_CLEANUP, /* undoes */
    SCRIPT_RELEASE, /* the archive is good */
    SCRIPT_LIST,
    SCRIPT_HEALTH,
    SCRIPT_FIX,
    SCRIPT_REMOVE,
};

/* The whole command line for ssh_run; the caller frees it. */
char *script_command(const struct node *node, enum script_kind kind) WARN_UNUSED;

/* ".pki.bundle.tar.gz.RUN": what the bundle is called until it counts; the caller frees it. */
char *script_new_bundle(const struct node *node) WARN_UNUSED;

/* <prefix>/etc/kubernetes on the node; the caller frees it. */
char *script_kubernetes_folder(const struct node *node) WARN_UNUSED;

/* The registry that image names, "" for Docker's own; the caller frees it. */
char *script_image_registry(const char *image) WARN_UNUSED;

/* The job's registry that has a password for the node's image; NULL if there is none. */
const struct node_registry *script_registry(const struct node *node);

#endif
