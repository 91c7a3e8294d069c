/* A web identity token (of a Kubernetes service account, of a CI job) against keys from STS.
 *
 * Source: AWS STS API Reference, AssumeRoleWithWebIdentity. The request is not signed: the token is the
 * proof. */
#include <string.h>

#include "provider.h"
#include "snapctl/base/retry.h"
#include "snapctl/base/str.h"
#include "snapctl/s3/sigv4.h"
#include "sts.h"

enum { TOKEN_MAX = 64 * 1024, ATTEMPTS = 3, TIMEOUT_MS = 20000, BACKOFF_MS = 200, BACKOFF_MAX_MS = 2000 };

/* Refusals that a later attempt may not meet; the rest is final. */
static const char *const passing_codes[] = {"IDPCommunicationError", "Throttling",      "ThrottlingException",
                                            "RequestLimitExceeded",  "InternalFailure", "ServiceUnavailable"};

static const struct {
    const char *code, *hint;
} hints[] = {
    {"AccessDenied",
     "the trust policy of AWS_ROLE_ARN must allow sts:AssumeRoleWithWebIdentity to this token's issuer, "
     "audience and subject"                                                                         },
    {"ExpiredTokenException", "the token in AWS_WEB_IDENTITY_TOKEN_FILE is too old: have it renewed"},
    {"InvalidIdentityToken",  "the token's issuer is not known to the account of AWS_ROLE_ARN"      },
    {"ValidationError",       "look at AWS_ROLE_ARN and AWS_ROLE_SESSION_NAME"                      },
};

static bool is_passing(int status, const char *code)
{
    for (size_t i = 0; i < sizeof passing_codes / sizeof *passing_codes; i++)
        if (str_equal(code, passing_codes[i]))
            return true;
    return status == 429 || status >= 500;
}

static char *find_url(const struct search *search)
{
    const char *endpoint = search->setup->sts_endpoint, *region = search->setup->region;
    endpoint = endpoint ? endpoint : provider_env(search, "AWS_ENDPOINT_URL_STS");
    region = region ? region : provider_env(search, "AWS_REGION");
    region = region ? region : provider_env(search, "AWS_DEFAULT_REGION");
    if (endpoint)
        return str_format("%s%s", endpoint, str_ends(endpoint, "/") ? "" : "/");
    if (!region)
        return str_dup("https://sts.amazonaws.com/");
    AUTO_BUF struct buf name = {0};
    sigv4_encode(&name, region);
    return str_format("https://sts.%s.amazonaws.com%s/", buf_text(&name),
                      str_starts(region, "cn-") ? ".cn" : "");
}

static void make_form(const struct search *search, const char *role, const struct secret *token,
                      struct buf *form)
{
    const char *session = provider_env(search, "AWS_ROLE_SESSION_NAME");
    const struct sigv4_field fields[] = {
        {"Action",           "AssumeRoleWithWebIdentity"  },
        {"Version",          "2011-06-15"                 },
        {"RoleArn",          role                         },
        {"RoleSessionName",  session ? session : "snapctl"},
        {"WebIdentityToken", secret_data(token)           },
    };
    sigv4_encode_query(form, fields, sizeof fields / sizeof *fields);
}

static int refuse(int status, const struct sts_answer *answer, struct sc_err *err)
{
    err_set(err, is_passing(status, answer->code) ? ERR_STORE : ERR_AUTH, "STS answered %s: %s",
            answer->code ? answer->code : "without a code",
            answer->message ? answer->message : "no reason given");
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (str_equal(answer->code, hints[i].code))
            return err_hint(err, "%s", hints[i].hint);
    return -1;
}

static int take_answer(const struct http_response *response, struct credentials *out, struct sc_err *err)
{
    struct sts_answer answer;
    if (sts_parse(buf_text(&response->body), response->body.len, &answer, err) < 0) {
        sts_answer_free(&answer);
        return err_wrap(err, "status %d", response->status);
    }
    int rc = 0;
    if (answer.credentials.access_key) {
        answer.credentials.provider = out->provider;
        *out = answer.credentials;
        answer.credentials = (struct credentials){0};
    } else {
        rc = refuse(response->status, &answer, err);
    }
    sts_answer_free(&answer);
    return rc;
}

static int post(struct http *http, const struct ctx *ctx, const char *url, const struct buf *form,
                struct credentials *out, struct sc_err *err)
{
    const struct http_header type = {"content-type", "application/x-www-form-urlencoded"};
    const struct http_request request = {
        .method = "POST",
        .url = url,
        .headers = &type,
        .n_headers = 1,
        .body = form->data,
        .body_len = form->len,
        .response_max = PROVIDER_ANSWER_MAX,
        .timeout_ms = TIMEOUT_MS,
    };
    struct http_response response = {0};
    int rc = http_perform(http, ctx, &request, &response, err);
    if (rc == 0)
        rc = take_answer(&response, out, err);
    response.body.wipe = true;
    http_response_free(&response);
    return rc;
}

static bool worth_another(enum err_kind kind)
{
    return kind == ERR_NETWORK || kind == ERR_TIMEOUT || kind == ERR_STORE;
}

static int assume_role(const struct search *search, const char *url, const struct buf *form,
                       struct credentials *out, struct sc_err *err)
{
    const struct http_setup setup = {.ca_pem = search->setup->ca_pem, .proxy = search->setup->proxy};
    struct http *http = NULL;
    if (http_new(&setup, &http, err) < 0)
        return -1;
    int rc = post(http, search->ctx, url, form, out, err);
    for (unsigned i = 1; rc < 0 && i < ATTEMPTS && worth_another(err->kind); i++) {
        ctx_log(search->ctx, LOG_DEBUG, "STS: %s; trying again", err->text);
        if (ctx_wait(search->ctx, -1, 0, retry_delay_ms(i - 1, BACKOFF_MS, BACKOFF_MAX_MS), err) < 0)
            break;
        rc = post(http, search->ctx, url, form, out, err);
    }
    http_free(http);
    return rc;
}

int provider_web_identity(struct search *search, struct credentials *out, struct sc_err *err)
{
    const char *file = provider_env(search, "AWS_WEB_IDENTITY_TOKEN_FILE");
    const char *role = provider_env(search, "AWS_ROLE_ARN");
    if (!file)
        return provider_none(search, "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
    if (!role)
        return err_set(err, ERR_CONFIG,
                       "web identity: AWS_WEB_IDENTITY_TOKEN_FILE without AWS_ROLE_ARN: both are needed");
    AUTO_SECRET struct secret *token = NULL;
    if (secret_read_file(file, TOKEN_MAX, 1, &token, err) < 0)
        return err_wrap(err, "web identity: AWS_WEB_IDENTITY_TOKEN_FILE");
    log_redact(search->ctx->log, token);
    AUTO_FREE char *url = find_url(search);
    AUTO_BUF struct buf form = {.wipe = true};
    make_form(search, role, token, &form);
    if (assume_role(search, url, &form, out, err) < 0)
        return err_wrap(err, "web identity: role %s", role);
    return 0;
}
