/* What the places of the credentials chain have in common: see snapctl/s3/credentials.h. */
#ifndef SNAPCTL_S3_PROVIDER_H
#define SNAPCTL_S3_PROVIDER_H

#include "snapctl/base/buf.h"
#include "snapctl/s3/credentials.h"

enum { PROVIDER_FILE_MAX = 1 << 20, PROVIDER_ANSWER_MAX = 64 * 1024 };

/* A search under way. */
struct search {
    const struct credentials_setup *setup;
    const struct ctx *ctx;
    struct buf why; /* what a place without keys says */
};

/* A place of the chain. 0 with keys in out, or 0 with the reason in search->why; -1 ends the search. It
 * registers the secrets it meets with the log; those in out are its caller's to register. */
typedef int provider_ask(struct search *search, struct credentials *out, struct sc_err *err);

provider_ask provider_flags, provider_cluster_file, provider_environment, provider_web_identity,
    provider_profile, provider_container, provider_node_role, provider_machine_role;

/* The variable's value; NULL if it is not set or empty. */
const char *provider_env(const struct search *search, const char *name);

/* Says why a place has no keys; returns 0. */
int provider_none(struct search *search, const char *format, ...) PRINTF_LIKE(2, 3);

/* Takes a pair of keys, NULL where one is not there. ERR_CONFIG if it is only one: the names are for that. */
struct provider_names {
    const char *place, *access_key, *secret_key;
};
int provider_take(const struct provider_names *names, const struct credentials_keys *keys,
                  struct credentials *out, struct sc_err *err) WARN_UNUSED;

/* One GET with at most one header (value NULL: none). The body is wiped when it is freed. */
int provider_get(struct http *http, const struct ctx *ctx, const char *url, const struct http_header *header,
                 int64_t timeout_ms, struct http_response *response, struct sc_err *err) WARN_UNUSED;

/* Reads the JSON that instances and containers give: AccessKeyId, SecretAccessKey, Token and Expiration, or a
 * Code with a Message. ERR_AUTH for the latter, ERR_STORE for what is neither. */
int provider_parse_json(const char *text, size_t len, struct credentials *out,
                        struct sc_err *err) WARN_UNUSED;

#endif
