#include "snapctl/s3/client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "attempt.h"
#include "signing.h"
#include "snapctl/base/retry.h"
#include "snapctl/base/str.h"

enum {
    RETRIES = 64, /* for all requests together; each success gives one back */
    BACKOFF_BASE_MS = 200,
    BACKOFF_CAP_MS = 10000,
};

struct s3_client *s3_client_new(const struct s3_client_setup *setup)
{
    struct s3_client *client = mem_calloc(1, sizeof *client);
    client->http = setup->http;
    client->address = *setup->address;
    client->credentials = *setup->credentials;
    *setup->address = (struct s3_address){0};
    *setup->credentials = (struct credentials){0};
    client->refresh = setup->refresh;
    client->refresh_arg = setup->refresh_arg;
    client->retry_ms = setup->retry_ms ? setup->retry_ms : S3_RETRY_MS;
    client->retries_left = RETRIES;
    return client;
}

void s3_client_free(struct s3_client *client)
{
    if (!client)
        return;
    s3_address_free(&client->address);
    credentials_free(&client->credentials);
    secret_free(client->signing_key);
    free(client);
}

const struct s3_address *s3_client_address(const struct s3_client *client)
{
    return &client->address;
}

struct http *s3_client_http(const struct s3_client *client)
{
    return client->http;
}

void s3_client_use(struct s3_client *client, struct http *http)
{
    client->http = http;
}

void s3_client_has_another_way(struct s3_client *client, bool has)
{
    client->another_way = has;
}

/* ---- replies ---- */

void s3_reply_free(struct s3_reply *reply)
{
    http_response_free(&reply->http);
    s3_refusal_free(&reply->refusal);
}

bool s3_reply_refused(const struct s3_reply *reply, const char *code)
{
    return str_equal(reply->refusal.code, code);
}

char *s3_reply_unquoted(const struct s3_reply *reply, const char *name)
{
    AUTO_FREE char *value = http_response_header(&reply->http, name);
    size_t len = value ? strlen(value) : 0;
    if (len >= 2 && value[0] == '"' && value[len - 1] == '"')
        return str_dup_n(value + 1, len - 2);
    return mem_take(&value);
}

static void copy_response(const struct http_response *from, struct http_response *to)
{
    http_response_free(to);
    to->status = from->status;
    to->head.max = from->head.max;
    to->body.max = from->body.max;
    buf_append(&to->head, from->head.data, from->head.len);
    buf_append(&to->body, from->body.data, from->body.len);
}

bool s3_client_clock(const struct s3_client *client, int64_t *offset)
{
    *offset = client->clock_told_s;
    return client->clock_told;
}

/* ---- attempts ---- */

int s3_attempt_send(struct s3_client *client, const struct ctx *ctx, struct s3_attempt *attempt,
                    struct sc_err *err)
{
    int result = signing_begin(client, ctx, attempt->request, &attempt->call, err);
    /* Signing may have refreshed the credentials. */
    attempt->generation = client->generation;
    return result;
}

void s3_attempt_break_off(struct s3_attempt *attempt)
{
    http_call_free(attempt->call);
    attempt->call = NULL;
}

static enum s3_outcome at_once(struct s3_attempt *attempt, struct sc_err *err)
{
    err_clear(err);
    attempt->not_before_ms = ctx_now_ms();
    return S3_LATER;
}

static int64_t limit_of(const struct s3_client *client, const struct s3_request *request, enum err_kind why)
{
    int64_t limit = request->retry_ms ? request->retry_ms : client->retry_ms;
    return client->another_way && why == ERR_NETWORK ? MIN(limit, S3_PROBE_RETRY_MS) : limit;
}

static enum s3_outcome after_a_pause(struct s3_client *client, const struct ctx *ctx,
                                     struct s3_attempt *attempt, struct sc_err *err)
{
    int64_t now = ctx_now_ms();
    int64_t limit = limit_of(client, attempt->request, err->kind);
    /* Over a slow link a part takes minutes: what went on for so long was no failure until then. */
    bool went_on = err->kind == ERR_NETWORK && attempt->went_ms > client->retry_ms;
    if (!attempt->first_failure_ms || went_on) {
        attempt->first_failure_ms = now;
        attempt->failures = 0;
    }
    int64_t delay = retry_delay_ms(attempt->failures++, BACKOFF_BASE_MS, BACKOFF_CAP_MS);
    AUTO_FREE char *text = str_dup(err->text), *hint = str_dup(err->hint);
    if (now + delay > attempt->first_failure_ms + limit || client->retries_left == 0) {
        AUTO_FREE char *took = str_duration(now - attempt->first_failure_ms);
        if (attempt->failures > 1)
            err_set(err, err->kind, "%s; gave up after %u tries in %s", text, attempt->failures, took);
        if (attempt->failures > 1 && hint)
            err_hint(err, "%s", hint);
        return S3_FAILED;
    }
    client->retries_left--;
    attempt->not_before_ms = now + delay;
    /* What is asked in short is asked often. */
    ctx_log(ctx, attempt->request->retry_ms ? LOG_DEBUG : LOG_INFO, "S3: %s; again in %d ms", text,
            (int)delay);
    return S3_LATER;
}

static enum s3_outcome refused(struct s3_client *client, const struct ctx *ctx, struct s3_attempt *attempt,
                               struct s3_reply *reply, struct sc_err *err)
{
    const struct s3_request *request = attempt->request;
    struct s3_request_names names = {
        .action = request->action,
        .endpoint = client->address.endpoint,
        .bucket = client->address.bucket,
        .region = client->address.region,
        .key = request->key,
        .access_key = client->credentials.access_key,
    };
    enum s3_retry retry = s3_refusal_retry(&reply->refusal);
    s3_refusal_error(&reply->refusal, &names, err);
    if (retry == S3_FINAL)
        return S3_FAILED;
    if (retry == S3_AGAIN || (retry == S3_AGAIN_ONCE && !attempt->damaged_once)) {
        attempt->damaged_once |= retry == S3_AGAIN_ONCE;
        return after_a_pause(client, ctx, attempt, err);
    }
    if (retry == S3_AGAIN_ONCE)
        return S3_FAILED;
    /* Of several in flight, the first one that comes back has the cause corrected for all. */
    bool outdated = attempt->generation != client->generation;
    return outdated || signing_correct(client, ctx, &reply->refusal, &reply->http) ? at_once(attempt, err)
                                                                                   : S3_FAILED;
}

static bool succeeded(const struct s3_request *request, const struct http_response *response)
{
    return response->status >= 200 && response->status < 300 &&
           !(request->error_inside && s3_refusal_inside(response->body.data, response->body.len));
}

enum s3_outcome s3_attempt_judge(struct s3_client *client, const struct ctx *ctx, struct s3_attempt *attempt,
                                 struct s3_reply *reply, struct sc_err *err)
{
    const struct http_response *response = NULL;
    s3_reply_free(reply);
    err_clear(err);
    int result = http_call_result(attempt->call, &response, err);
    if (result == 0)
        copy_response(response, &reply->http);
    attempt->went_ms = http_call_went_ms(attempt->call);
    s3_attempt_break_off(attempt);
    if (result < 0)
        return err->kind == ERR_NETWORK || err->kind == ERR_TIMEOUT ? after_a_pause(client, ctx, attempt, err)
                                                                    : S3_FAILED;
    signing_note_clock(client, &reply->http);
    if (!succeeded(attempt->request, &reply->http)) {
        s3_refusal_parse(reply->http.status, reply->http.body.data, reply->http.body.len, &reply->refusal);
        return refused(client, ctx, attempt, reply, err);
    }
    client->keys_refreshed = false;
    if (client->retries_left < RETRIES)
        client->retries_left++;
    return S3_DONE;
}

/* Waits for the answer. Cancelling is put off by the request's grace: what the store has begun to do, it may
 * do, so that its answer is worth more than a second. */
static int await(struct s3_client *client, const struct ctx *ctx, const struct s3_attempt *attempt,
                 struct sc_err *err)
{
    struct ctx inner = *ctx;
    while (http_wait_for(client->http, &inner, attempt->call, err) < 0) {
        if (err->kind != ERR_CANCELLED || !attempt->request->grace_ms)
            return -1;
        err_clear(err);
        inner.cancel = NULL;
        inner = ctx_within(&inner, attempt->request->grace_ms);
    }
    return 0;
}

int s3_attempt_too_late(struct sc_err *last, struct sc_err *err)
{
    if (err && err->kind == ERR_TIMEOUT && last->kind != ERR_NONE)
        err_move(err, last);
    return -1;
}

int s3_perform(struct s3_client *client, const struct ctx *ctx, const struct s3_request *request,
               struct s3_reply *reply, struct sc_err *err)
{
    struct s3_attempt attempt = {.request = request};
    AUTO_ERR struct sc_err last = {0};
    enum s3_outcome outcome;
    do {
        int64_t pause = attempt.not_before_ms - ctx_now_ms();
        if (ctx_check(ctx, err) < 0 || (pause > 0 && ctx_wait(ctx, -1, 0, pause, err) < 0))
            return s3_attempt_too_late(&last, err);
        if (s3_attempt_send(client, ctx, &attempt, err) < 0)
            return -1;
        if (await(client, ctx, &attempt, &last) < 0) {
            s3_attempt_break_off(&attempt);
            s3_reply_free(reply); /* an earlier try's */
            if (err)
                err_move(err, &last);
            return -1;
        }
        outcome = s3_attempt_judge(client, ctx, &attempt, reply, &last);
    } while (outcome == S3_LATER);
    if (outcome == S3_FAILED && err)
        err_move(err, &last);
    return outcome == S3_DONE ? 0 : -1;
}
