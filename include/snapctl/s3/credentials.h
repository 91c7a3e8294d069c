/* Where the keys for S3 come from: the first place of a chain that has any.
 *
 * A place that is set up but does not work (one key without the other, a token that STS refuses) ends the
 * search with an error: to go on would sign as somebody else. A place that is not set up is passed over, and
 * tells why. All secrets that are found on the way are registered with the ctx's log. Everything here belongs
 * to the thread that uploads, as struct http does. */
#ifndef SNAPCTL_S3_CREDENTIALS_H
#define SNAPCTL_S3_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "snapctl/base/ctx.h"
#include "snapctl/base/err.h"
#include "snapctl/base/secret.h"
#include "snapctl/net/http.h"

/* In the order in which they are asked; each has a row in credentials.c. */
enum credentials_provider {
    CREDENTIALS_FLAGS,
    CREDENTIALS_CLUSTER_FILE,
    CREDENTIALS_ENVIRONMENT,
    CREDENTIALS_WEB_IDENTITY,
    CREDENTIALS_PROFILE,
    CREDENTIALS_CONTAINER,
    CREDENTIALS_NODE_ROLE,
    CREDENTIALS_MACHINE_ROLE,
    CREDENTIALS_PROVIDERS
};

/* For JSON: "flags", "cluster.yml", "environment", "web-identity", "profile", "container", "node-role",
 * "machine-role". */
const char *credentials_provider_name(enum credentials_provider provider);

struct credentials {
    char *access_key;
    struct secret *secret_key;
    struct secret *session_token; /* NULL: none */
    int64_t expires;              /* seconds since 1970; CREDENTIALS_NEVER */
    char *region;                 /* what the place says beside them; NULL: nothing */
    enum credentials_provider provider;
};

#define CREDENTIALS_NEVER INT64_MAX
#define AUTO_CREDENTIALS CLEANUP(credentials_free)

/* Frees what it holds and empties it. */
void credentials_free(struct credentials *c);

/* Where EC2 instances find their metadata, on port 80. */
#define CREDENTIALS_IMDS_HOST "169.254.169.254"

/* Keys that the user wrote down; NULL where not. */
struct credentials_keys {
    const char *access_key;
    const struct secret *secret_key, *session_token;
};

typedef int credentials_node_http(void *arg, const struct ctx *ctx, struct http **http, const char **node,
                                  struct sc_err *err);

/* All that the chain may look at. Everything outlives its use. */
struct credentials_setup {
    struct credentials_keys flags, cluster_file;     /* each flag overrides its field of cluster.yml */
    const char *(*env)(void *arg, const char *name); /* NULL: not set. Empty counts as not set, too */
    void *env_arg;
    const char *home;   /* for ~/.aws; NULL: no default files */
    const char *region; /* whose STS is asked; NULL: AWS_REGION, AWS_DEFAULT_REGION, else the global one */

    const char *ca_pem, *proxy; /* towards STS: see struct http_setup */

    /* Gives HTTP as an etcd node sends it, for the node's IAM role, and the node's address for messages; both
     * live until it is called again. Called only when the chain comes so far. NULL: there is no node to ask.
     */
    credentials_node_http *node_http;
    void *node_arg;

    /* Without a path; NULL: AWS's own. sts_endpoint comes before AWS_ENDPOINT_URL_STS. */
    const char *sts_endpoint, *container_endpoint, *imds_endpoint;
};

/* Asks one place after the other. If none has keys: ERR_AUTH, whose hint lists all places and what each said.
 * A place that is set up but does not work: ERR_CONFIG, ERR_AUTH, ERR_NETWORK, ERR_CERTIFICATE, ERR_STORE;
 * ERR_TIMEOUT, ERR_CANCELLED. */
int credentials_find(const struct credentials_setup *setup, const struct ctx *ctx, struct credentials *out,
                     struct sc_err *err) WARN_UNUSED;

/* Asks the place that gave them again, and replaces them; after -1 they are as they were. */
int credentials_refresh(const struct credentials_setup *setup, const struct ctx *ctx, struct credentials *c,
                        struct sc_err *err) WARN_UNUSED;

/* Whether they end within five minutes of now (seconds since 1970): time for credentials_refresh. */
bool credentials_expiring(const struct credentials *c, int64_t now);

#endif
