#include "snapctl/net/http.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "http_call.h"
#include "http_roots.h"
#include "snapctl/base/str.h"

enum { CONNECT_MS = 10000, STALL_MS = 60000, POLL_MS = 1000 };

struct http {
    CURLM *multi;
    struct http_settings settings;
    struct http_call *calls;
    atomic_bool woken;
};

void http_init(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        abort();
}

void http_exit(void)
{
    curl_global_cleanup();
}

const char *http_library_version(void)
{
    return "libcurl/" LIBCURL_VERSION;
}

int http_new(const struct http_setup *setup, struct http **out, struct sc_err *err)
{
    struct http *http = mem_calloc(1, sizeof *http);
    http->settings = (struct http_settings){
        .skip_tls_verify = setup->skip_tls_verify,
        .proxy = str_dup(setup->proxy),
        .unix_socket = str_dup(setup->unix_socket),
        .connect_ms = setup->connect_ms ? setup->connect_ms : CONNECT_MS,
        .stall_ms = setup->stall_ms ? setup->stall_ms : STALL_MS,
    };
    if (setup->ca_pem && http_roots(setup->ca_pem, &http->settings.roots, err) < 0) {
        http_free(http);
        return -1;
    }
    http->multi = curl_multi_init();
    if (!http->multi) {
        http_free(http);
        return err_set(err, ERR_SYSTEM, "libcurl cannot begin");
    }
    *out = http;
    return 0;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    while (http->calls)
        http_call_free(http->calls);
    curl_multi_cleanup(http->multi);
    buf_free(&http->settings.roots);
    free(http->settings.proxy);
    free(http->settings.unix_socket);
    free(http);
}

void http_response_free(struct http_response *response)
{
    buf_free(&response->head);
    buf_free(&response->body);
    response->status = 0;
}

char *http_response_header(const struct http_response *response, const char *name)
{
    size_t len = strlen(name);
    for (const char *line = buf_text(&response->head); *line;) {
        const char *end = strchrnul(line, '\n');
        if (strncmp(line, name, len) == 0 && strncmp(line + len, ": ", 2) == 0)
            return str_dup_n(line + len + 2, (size_t)(end - line) - len - 2);
        line = *end ? end + 1 : end;
    }
    return NULL;
}

int http_begin(struct http *http, const struct http_request *request, void *tag, struct http_call **out,
               struct sc_err *err)
{
    struct http_call *call = NULL;
    if (http_call_new(&http->settings, request, &call, err) < 0)
        return -1;
    if (curl_multi_add_handle(http->multi, call->easy)) {
        http_call_drop(call);
        err_set(err, ERR_SYSTEM, "libcurl cannot begin a request");
        return -1;
    }
    call->http = http;
    call->tag = tag;
    call->next = http->calls;
    http->calls = call;
    *out = call;
    return 0;
}

static void collect(struct http *http)
{
    const CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(http->multi, &left))) {
        char *private = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        http_call_end((struct http_call *)(void *)private, message->data.result);
    }
}

/* Looks at the clocks of all calls in flight. *next_ms: when that must be done again. */
static size_t expire(struct http *http, int64_t *next_ms)
{
    size_t in_flight = 0;
    for (struct http_call *call = http->calls; call; call = call->next) {
        if (call->state != CALL_IN_FLIGHT)
            continue;
        if (http_call_expired(call, http->settings.stall_ms, next_ms))
            curl_multi_remove_handle(http->multi, call->easy);
        else
            in_flight++;
    }
    return in_flight;
}

/* wanted: NULL for any. */
static struct http_call *next_ended(struct http *http, const struct http_call *wanted)
{
    for (struct http_call *call = http->calls; call; call = call->next)
        if (call->state == CALL_ENDED && (!wanted || call == wanted)) {
            call->state = CALL_TOLD;
            return call;
        }
    return NULL;
}

static void poll_until(struct http *http, const struct ctx *ctx, int64_t until_ms)
{
    struct curl_waitfd cancel = {.fd = ctx->cancel ? cancel_fd(ctx->cancel) : -1, .events = CURL_WAIT_POLLIN};
    int64_t left = MIN(until_ms, ctx->deadline_ms) - ctx_now_ms();
    /* The clocks of the calls begin to run by what libcurl does in between, so it is never left alone for
     * long. */
    curl_multi_poll(http->multi, &cancel, ctx->cancel ? 1 : 0, left < 0 ? 0 : (int)MIN(left, POLL_MS), NULL);
}

static int wait_for(struct http *http, const struct ctx *ctx, int64_t max_ms, const struct http_call *wanted,
                    struct http_call **done, struct sc_err *err)
{
    int64_t until = max_ms < 0 ? CTX_NO_DEADLINE : ctx_now_ms() + max_ms;
    *done = NULL;
    for (;;) {
        int running;
        int64_t next = until;
        if (ctx_check(ctx, err) < 0)
            return -1;
        CURLMcode code = curl_multi_perform(http->multi, &running);
        if (code)
            return err_set(err, ERR_SYSTEM, "libcurl: %s", curl_multi_strerror(code));
        collect(http);
        size_t in_flight = expire(http, &next);
        *done = next_ended(http, wanted);
        bool nothing_to_wait_for = in_flight == 0 && max_ms < 0;
        if (*done || nothing_to_wait_for || ctx_now_ms() >= until || atomic_exchange(&http->woken, false))
            return 0;
        poll_until(http, ctx, next);
    }
}

int http_wait(struct http *http, const struct ctx *ctx, int64_t max_ms, struct http_call **done,
              struct sc_err *err)
{
    return wait_for(http, ctx, max_ms, NULL, done, err);
}

int http_wait_for(struct http *http, const struct ctx *ctx, const struct http_call *call, struct sc_err *err)
{
    struct http_call *done = NULL;
    int result = 0;
    while (result == 0 && done != call)
        result = wait_for(http, ctx, -1, call, &done, err);
    return result;
}

void http_wake(struct http *http)
{
    atomic_store(&http->woken, true);
    curl_multi_wakeup(http->multi);
}

void *http_call_tag(const struct http_call *call)
{
    return call->tag;
}

int64_t http_call_went_ms(const struct http_call *call)
{
    return call->connected ? call->moved_at_ms - call->begun_ms : 0;
}

int http_call_result(struct http_call *call, const struct http_response **response, struct sc_err *err)
{
    *response = &call->response;
    if (call->err.kind == ERR_NONE)
        return 0;
    if (err)
        err_move(err, &call->err);
    return -1;
}

void http_call_free(struct http_call *call)
{
    if (!call)
        return;
    struct http_call **at = &call->http->calls;
    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    curl_multi_remove_handle(call->http->multi, call->easy);
    http_call_drop(call);
}

int http_perform(struct http *http, const struct ctx *ctx, const struct http_request *request,
                 struct http_response *response, struct sc_err *err)
{
    struct http_call *call = NULL;
    if (http_begin(http, request, NULL, &call, err) < 0)
        return -1;
    int result = http_wait_for(http, ctx, call, err);
    const struct http_response *got = NULL;
    if (result == 0)
        result = http_call_result(call, &got, err);
    else
        err_wrap(err, "%s", call->where);
    if (result == 0) {
        http_response_free(response);
        *response = call->response;
        call->response = (struct http_response){0};
    }
    http_call_free(call);
    return result;
}
