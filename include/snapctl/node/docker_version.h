/* Which Docker engines are known to be good for which Kubernetes (rancher/rke, metadata of the releases v1.2
 * to v1.6: K8sDockerVersions). Pure. */
#ifndef SNAPCTL_NODE_DOCKER_VERSION_H
#define SNAPCTL_NODE_DOCKER_VERSION_H

#include "snapctl/base/mem.h"

enum docker_version_verdict {
    DOCKER_VERSION_GOOD,
    DOCKER_VERSION_NEWER,       /* than all that are known for this Kubernetes: worth a warning */
    DOCKER_VERSION_UNSUPPORTED, /* older, between known ones, or not understood */
};

/* kubernetes: "v1.26.4-rancher2-1"; NULL, or a version without a row, stands for the nearest row, the newest
 * for NULL. engine: "20.10.24+dfsg1". */
enum docker_version_verdict docker_version_judge(const char *kubernetes, const char *engine);

/* The versions of the row, as RKE lists them: "1.13.x 17.03.x …". The caller frees it. */
char *docker_version_list(const char *kubernetes) WARN_UNUSED;

/* The minor version of a Kubernetes 1.x version string; a large number for NULL or what is not understood. */
int docker_version_kubernetes_minor(const char *kubernetes);

#endif
