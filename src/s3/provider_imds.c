/* The IAM role of an EC2 instance, from its metadata service (IMDS): of an etcd node, through whatever its
 * HTTP goes through, and of this machine.
 *
 * Source: Amazon EC2 User Guide, "Use the Instance Metadata Service to access instance metadata". */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "provider.h"
#include "snapctl/base/str.h"
#include "snapctl/s3/sigv4.h"

#define DEFAULT_ENDPOINT "http://" CREDENTIALS_IMDS_HOST
#define ROLES "/latest/meta-data/iam/security-credentials/"

enum { MACHINE_TIMEOUT_MS = 1000, NODE_TIMEOUT_MS = 3000, ROLE_NAME_MAX = 128 };

struct imds {
    struct search *search;
    struct http *http;
    const char *endpoint;
    int64_t timeout_ms;
    struct secret *token; /* NULL: version 1 */
};

/* The answer as one line of printable text, or NULL. */
static char *line_of(const struct http_response *response, size_t max)
{
    const char *text = buf_text(&response->body);
    size_t len = strcspn(text, "\r\n");
    if (len == 0 || len > max)
        return NULL;
    for (size_t i = 0; i < len; i++)
        if (!isgraph((unsigned char)text[i]))
            return NULL;
    return str_dup_n(text, len);
}

/* Only these answers mean that the service knows no tokens. Silence too: with a hop limit of 1 the answer is
 * lost on its way into a container, where version 1 may still work. */
static bool without_tokens(int status)
{
    return status == 403 || status == 404 || status == 405;
}

static int take_token(struct imds *imds, const struct http_response *response, struct sc_err *err)
{
    if (without_tokens(response->status))
        return 0;
    if (response->status != 200)
        return err_set(err, ERR_STORE, "the request for a token was answered with status %d",
                       response->status);
    AUTO_FREE char *line = line_of(response, PROVIDER_ANSWER_MAX);
    if (!line)
        return err_set(err, ERR_STORE, "the token it gave is no token");
    imds->token = secret_new(line, strlen(line));
    log_redact(imds->search->ctx->log, imds->token);
    secret_wipe(line, strlen(line));
    return 0;
}

static int ask_token(struct imds *imds, struct sc_err *err)
{
    AUTO_FREE char *url = str_format("%s/latest/api/token", imds->endpoint);
    const struct http_header lifetime = {"x-aws-ec2-metadata-token-ttl-seconds", "21600"};
    const struct http_request request = {
        .method = "PUT",
        .url = url,
        .headers = &lifetime,
        .n_headers = 1,
        .response_max = PROVIDER_ANSWER_MAX,
        .timeout_ms = imds->timeout_ms,
    };
    struct http_response response = {0};
    AUTO_ERR struct sc_err silence = {0};
    int rc = 0;
    if (http_perform(imds->http, imds->search->ctx, &request, &response, &silence) < 0)
        ctx_log(imds->search->ctx, LOG_DEBUG, "IMDS: no token: %s", silence.text);
    else
        rc = take_token(imds, &response, err);
    response.body.wipe = true;
    http_response_free(&response);
    return rc;
}

static int get(struct imds *imds, const char *path, struct http_response *response, struct sc_err *err)
{
    AUTO_FREE char *url = str_format("%s%s", imds->endpoint, path);
    const struct http_header token = {"x-aws-ec2-metadata-token",
                                      imds->token ? secret_data(imds->token) : NULL};
    return provider_get(imds->http, imds->search->ctx, url, &token, imds->timeout_ms, response, err);
}

static int ask_role(struct imds *imds, char **role, struct sc_err *err)
{
    struct http_response response = {0};
    int rc = get(imds, ROLES, &response, err);
    if (rc == 0 && response.status == 404)
        rc = err_set(err, ERR_AUTH, "no IAM role is attached to it");
    else if (rc == 0 && response.status != 200)
        rc = err_set(err, ERR_STORE, "the request for the role's name was answered with status %d%s",
                     response.status, imds->token ? "" : " (no token could be had)");
    else if (rc == 0 && !(*role = line_of(&response, ROLE_NAME_MAX)))
        rc = err_set(err, ERR_STORE, "what it gave for the role's name is no name");
    http_response_free(&response);
    return rc;
}

static int ask_keys(struct imds *imds, const char *role, struct credentials *out, struct sc_err *err)
{
    AUTO_BUF struct buf path = {0};
    buf_puts(&path, ROLES);
    sigv4_encode(&path, role);
    struct http_response response = {0};
    int rc = get(imds, buf_text(&path), &response, err);
    if (rc == 0 && response.status != 200)
        rc = err_set(err, ERR_STORE, "the request for the keys of role %s was answered with status %d", role,
                     response.status);
    else if (rc == 0)
        rc = provider_parse_json(buf_text(&response.body), response.body.len, out, err);
    http_response_free(&response);
    return rc;
}

/* The region is only good to have. */
static void ask_region(struct imds *imds, struct credentials *out)
{
    struct http_response response = {0};
    AUTO_ERR struct sc_err err = {0};
    if (get(imds, "/latest/meta-data/placement/region", &response, &err) == 0 && response.status == 200)
        out->region = line_of(&response, ROLE_NAME_MAX);
    http_response_free(&response);
}

static int ask_all(struct imds *imds, struct credentials *out, struct sc_err *err)
{
    AUTO_FREE char *role = NULL;
    if (ask_token(imds, err) < 0 || ask_role(imds, &role, err) < 0 || ask_keys(imds, role, out, err) < 0)
        return -1;
    ask_region(imds, out);
    return 0;
}

/* Nobody set this place up, so nothing that goes wrong here ends the search but the ctx. */
static int ask(struct search *search, struct http *http, const char *where, int64_t timeout_ms,
               struct credentials *out, struct sc_err *err)
{
    const char *endpoint = search->setup->imds_endpoint;
    struct imds imds = {search, http, endpoint ? endpoint : DEFAULT_ENDPOINT, timeout_ms, NULL};
    AUTO_ERR struct sc_err reason = {0};
    int rc = ask_all(&imds, out, &reason);
    secret_free(imds.token);
    if (rc == 0)
        return 0;
    if (ctx_check(search->ctx, err) < 0)
        return -1;
    return provider_none(search, "%s%s", where, reason.text);
}

static bool disabled(struct search *search)
{
    const char *value = provider_env(search, "AWS_EC2_METADATA_DISABLED");
    return value && strcasecmp(value, "true") == 0;
}

int provider_node_role(struct search *search, struct credentials *out, struct sc_err *err)
{
    if (disabled(search))
        return provider_none(search, "AWS_EC2_METADATA_DISABLED is set");
    if (!search->setup->node_http)
        return provider_none(search, "no node can be asked");
    AUTO_ERR struct sc_err reason = {0};
    struct http *http;
    const char *node;
    if (search->setup->node_http(search->setup->node_arg, search->ctx, &http, &node, &reason) < 0) {
        if (ctx_check(search->ctx, err) < 0)
            return -1;
        return provider_none(search, "no node can be asked: %s", reason.text);
    }
    AUTO_FREE char *where = str_format("%s: ", node);
    return ask(search, http, where, NODE_TIMEOUT_MS, out, err);
}

int provider_machine_role(struct search *search, struct credentials *out, struct sc_err *err)
{
    if (disabled(search))
        return provider_none(search, "AWS_EC2_METADATA_DISABLED is set");
    const struct http_setup setup = {
        .proxy = "", .connect_ms = MACHINE_TIMEOUT_MS, .stall_ms = MACHINE_TIMEOUT_MS};
    struct http *http = NULL;
    if (http_new(&setup, &http, err) < 0)
        return -1;
    int rc = ask(search, http, "", MACHINE_TIMEOUT_MS, out, err);
    http_free(http);
    return rc;
}
