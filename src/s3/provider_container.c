/* The role of a container (ECS, EKS pod identity), from the address that the environment names.
 *
 * Source: AWS SDKs and Tools Reference Guide, "Container credential provider". */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "provider.h"
#include "snapctl/base/str.h"

#define DEFAULT_ENDPOINT "http://169.254.170.2"

enum { TIMEOUT_MS = 5000 };

/* Hosts that may be asked without TLS, beside loopback: the token goes there in the clear. */
static const char *const plain_hosts[] = {"localhost", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};

static bool is_loopback(const char *host)
{
    struct in_addr address;
    return strcmp(host, "[::1]") == 0 ||
           (inet_pton(AF_INET, host, &address) == 1 && (ntohl(address.s_addr) >> 24) == 127);
}

static bool plain_allowed(const char *host)
{
    for (size_t i = 0; i < sizeof plain_hosts / sizeof *plain_hosts; i++)
        if (strcasecmp(host, plain_hosts[i]) == 0)
            return true;
    return is_loopback(host);
}

/* Taken apart by libcurl, as it will be when it is asked: two readers of one URL may see two hosts. */
static bool url_allowed(const char *url)
{
    char *scheme = NULL, *host = NULL, *user = NULL;
    CURLU *parts = curl_url();
    bool known = parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
                 curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                 curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                 curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_NO_USER;
    bool allowed = known && (strcasecmp(scheme, "https") == 0 ||
                             (strcasecmp(scheme, "http") == 0 && plain_allowed(host)));
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_url_cleanup(parts);
    return allowed;
}

static int find_url(const struct search *search, const char *relative, const char *full, char **url,
                    struct sc_err *err)
{
    const char *endpoint = search->setup->container_endpoint;
    if (relative && *relative != '/')
        return err_set(err, ERR_CONFIG, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not start with /");
    *url = relative ? str_format("%s%s", endpoint ? endpoint : DEFAULT_ENDPOINT, relative) : str_dup(full);
    if (url_allowed(*url))
        return 0;
    err_set(err, ERR_CONFIG, "AWS_CONTAINER_CREDENTIALS_FULL_URI may not be asked");
    return err_hint(err, "only https URLs are asked, and http ones of loopback, 169.254.170.2, "
                         "169.254.170.23 and [fd00:ec2::23], all without a user name");
}

/* The value for the header authorization; NULL: none is sent. */
static int find_token(const struct search *search, struct secret **token, struct sc_err *err)
{
    const char *file = provider_env(search, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *value = provider_env(search, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (file) {
        if (secret_read_file(file, PROVIDER_ANSWER_MAX, 1, token, err) < 0)
            return err_wrap(err, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    } else if (value) {
        *token = secret_new(value, strlen(value));
    }
    log_redact(search->ctx->log, *token);
    if (*token && strcspn(secret_data(*token), "\r\n") != secret_len(*token))
        return err_set(err, ERR_CONFIG, "the container's authorization token has more than one line");
    return 0;
}

static int request(const struct search *search, const char *url, const struct secret *token,
                   struct credentials *out, struct sc_err *err)
{
    const struct http_setup setup = {.proxy = "", .connect_ms = TIMEOUT_MS, .stall_ms = TIMEOUT_MS};
    const struct http_header authorization = {"authorization", token ? secret_data(token) : NULL};
    struct http *http = NULL;
    if (http_new(&setup, &http, err) < 0)
        return -1;
    struct http_response response = {0};
    int rc = provider_get(http, search->ctx, url, &authorization, TIMEOUT_MS, &response, err);
    if (rc == 0)
        rc = provider_parse_json(buf_text(&response.body), response.body.len, out, err);
    /* Errors are told in JSON, with a status that says less. */
    if (rc < 0 && response.status != 0 && response.status != 200)
        err_wrap(err, "status %d", response.status);
    http_response_free(&response);
    http_free(http);
    return rc;
}

int provider_container(struct search *search, struct credentials *out, struct sc_err *err)
{
    const char *relative = provider_env(search, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = provider_env(search, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (!relative && !full)
        return provider_none(search, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and "
                                     "AWS_CONTAINER_CREDENTIALS_FULL_URI are not set");
    AUTO_FREE char *url = NULL;
    AUTO_SECRET struct secret *token = NULL;
    if (find_url(search, relative, full, &url, err) < 0 || find_token(search, &token, err) < 0 ||
        request(search, url, token, out, err) < 0)
        return err_wrap(err, "the container's role");
    return 0;
}
