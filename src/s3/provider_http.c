#include <jansson.h>
#include <string.h>

#include "provider.h"
#include "rfc3339.h"
#include "snapctl/base/str.h"

int provider_get(struct http *http, const struct ctx *ctx, const char *url, const struct http_header *header,
                 int64_t timeout_ms, struct http_response *response, struct sc_err *err)
{
    const struct http_request request = {
        .method = "GET",
        .url = url,
        .headers = header,
        .n_headers = header->value ? 1 : 0,
        .response_max = PROVIDER_ANSWER_MAX,
        .timeout_ms = timeout_ms,
    };
    int rc = http_perform(http, ctx, &request, response, err);
    response->body.wipe = true;
    return rc;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value && *value ? value : NULL;
}

/* What is there instead of keys. */
static int refused(const json_t *object, struct sc_err *err)
{
    const char *code = text_of(object, "Code"), *message = text_of(object, "Message");
    /* Containers write them small. */
    code = code ? code : text_of(object, "code");
    message = message ? message : text_of(object, "message");
    if (!code && !message)
        return err_set(err, ERR_STORE, "the answer holds no keys");
    AUTO_FREE char *text =
        str_format("%s: %s", code ? code : "refused", message ? message : "no reason given");
    AUTO_FREE char *visible = str_visible(text, strlen(text), false);
    return err_set(err, ERR_AUTH, "%s", visible);
}

static struct secret *secret_of(const char *text)
{
    return text ? secret_new(text, strlen(text)) : NULL;
}

static int take_keys(const json_t *object, struct credentials *out, struct sc_err *err)
{
    const char *code = text_of(object, "Code");
    const char *access_key = text_of(object, "AccessKeyId"), *secret = text_of(object, "SecretAccessKey");
    const char *token = text_of(object, "Token"), *expiration = text_of(object, "Expiration");
    if ((code && strcmp(code, "Success") != 0) || !access_key || !secret)
        return refused(object, err);
    int64_t expires = CREDENTIALS_NEVER;
    if (expiration && !rfc3339_parse(expiration, &expires))
        return err_set(err, ERR_STORE, "the answer's Expiration is no time");
    out->access_key = str_dup(access_key);
    out->secret_key = secret_of(secret);
    out->session_token = secret_of(token);
    out->expires = expires;
    return 0;
}

int provider_parse_json(const char *text, size_t len, struct credentials *out, struct sc_err *err)
{
    json_t *object = json_loadb(text, len, 0, NULL);
    if (!object)
        return err_set(err, ERR_STORE, "the answer is not JSON");
    int rc = take_keys(object, out, err);
    json_decref(object);
    return rc;
}
