#include "http_call.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "http_error.h"
#include "snapctl/base/str.h"

enum { HEAD_MAX = 64 << 10, RESPONSE_MAX = 1 << 20, UPLOAD_BUFFER = 256 << 10 };

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
    struct http_call *call = arg;
    call->received += size * n;
    return buf_append(&call->response.body, data, size * n) ? size * n : 0;
}

/* One line at a time. A status line begins a new head: what came before was an interim answer (100). */
static size_t take_head(char *data, size_t size, size_t n, void *arg)
{
    struct http_call *call = arg;
    struct buf *head = &call->response.head;
    size_t len = size * n;
    call->received += len;
    if (len >= 5 && memcmp(data, "HTTP/", 5) == 0)
        buf_reset(head);
    const char *colon = memchr(data, ':', len), *end = data + len;
    if (!colon || isspace((unsigned char)*data))
        return len;
    bool fits = true;
    for (const char *p = data; p < colon; p++)
        fits = buf_append(head, &(char){(char)tolower((unsigned char)*p)}, 1);
    while (++colon < end && isspace((unsigned char)*colon))
        ;
    while (end > colon && isspace((unsigned char)end[-1]))
        end--;
    fits = fits && buf_puts(head, ": ") && buf_append(head, colon, (size_t)(end - colon)) &&
           buf_puts(head, "\n");
    return fits ? len : 0;
}

static char *where_of(const char *url)
{
    CURLU *parts = curl_url();
    char *host = NULL, *port = NULL, *where = NULL;
    if (parts && !curl_url_set(parts, CURLUPART_URL, url, CURLU_PATH_AS_IS) &&
        !curl_url_get(parts, CURLUPART_HOST, &host, 0) &&
        !curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
        where = str_format("%s:%s", host, port);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
    return where ? where : str_dup("the URL"); /* which may have a password in it */
}

static void add_header(struct http_call *call, const char *line)
{
    struct curl_slist *longer = curl_slist_append(call->headers, line);
    if (longer)
        call->headers = longer;
}

static int set_headers(struct http_call *call, const struct http_request *request, struct sc_err *err)
{
    bool typed = false;
    for (size_t i = 0; i < request->n_headers; i++) {
        const struct http_header *h = &request->headers[i];
        if (strpbrk(h->name, "\r\n:; ") || strpbrk(h->value, "\r\n"))
            return err_set(err, ERR_CONFIG,
                           "a header's name or value has a character that is not allowed there");
        /* libcurl takes "name:" for "do not send it". */
        AUTO_FREE char *line =
            *h->value ? str_format("%s: %s", h->name, h->value) : str_format("%s;", h->name);
        add_header(call, line);
        secret_wipe(line, strlen(line));
        typed = typed || strcasecmp(h->name, "content-type") == 0;
    }
    if (!typed)
        add_header(call, "Content-Type:");
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
    return 0;
}

static void set_method(CURL *easy, const struct http_request *request)
{
    bool writes =
        request->body || strcmp(request->method, "PUT") == 0 || strcmp(request->method, "POST") == 0;
    if (writes) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body ? request->body : "");
    } else if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_security(CURL *easy, const struct http_settings *settings)
{
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, settings->skip_tls_verify ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, settings->skip_tls_verify ? 0L : 2L);
    struct curl_blob roots = {
        .data = settings->roots.data, .len = settings->roots.len, .flags = CURL_BLOB_NOCOPY};
    if (roots.len)
        curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &roots);
}

static void set_route(CURL *easy, const struct http_settings *settings)
{
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)settings->connect_ms);
    if (settings->unix_socket && *settings->unix_socket == '@')
        curl_easy_setopt(easy, CURLOPT_ABSTRACT_UNIX_SOCKET, settings->unix_socket + 1);
    else
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, settings->unix_socket);
    if (settings->unix_socket || settings->proxy) {
        curl_easy_setopt(easy, CURLOPT_PROXY, settings->unix_socket ? "" : settings->proxy);
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    }
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

static void set_options(struct http_call *call)
{
    CURL *easy = call->easy;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* A name server that does not answer must not hold up whoever breaks the call off. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "snapctl/" SNAPCTL_VERSION);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->detail);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
}

int http_call_new(const struct http_settings *settings, const struct http_request *request,
                  struct http_call **out, struct sc_err *err)
{
    struct http_call *call = mem_calloc(1, sizeof *call);
    call->where = where_of(request->url);
    call->response.head.max = HEAD_MAX;
    call->response.body.max = request->response_max ? request->response_max : RESPONSE_MAX;
    call->begun_ms = call->moved_at_ms = ctx_now_ms();
    call->timeout_ms = request->timeout_ms;
    call->deadline_ms = request->timeout_ms ? call->moved_at_ms + request->timeout_ms : CTX_NO_DEADLINE;
    call->easy = curl_easy_init();
    if (!call->easy) {
        http_call_drop(call);
        err_set(err, ERR_SYSTEM, "libcurl cannot begin a request");
        return -1;
    }
    set_options(call);
    set_security(call->easy, settings);
    set_route(call->easy, settings);
    set_method(call->easy, request);
    curl_easy_setopt(call->easy, CURLOPT_URL, request->url);
    if (set_headers(call, request, err) < 0) {
        http_call_drop(call);
        return -1;
    }
    *out = call;
    return 0;
}

void http_call_drop(struct http_call *call)
{
    curl_easy_cleanup(call->easy);
    for (struct curl_slist *line = call->headers; line; line = line->next)
        secret_wipe(line->data, strlen(line->data));
    curl_slist_free_all(call->headers);
    http_response_free(&call->response);
    err_clear(&call->err);
    free(call->where);
    free(call);
}

/* Bytes, in both directions; the connection itself counts as the first. */
static void see_what_moved(struct http_call *call)
{
    curl_off_t ready = 0, sent = 0;
    curl_easy_getinfo(call->easy, CURLINFO_PRETRANSFER_TIME_T, &ready);
    curl_easy_getinfo(call->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    uint64_t sum = (uint64_t)sent + call->received;
    if (sum != call->moved || !call->connected) {
        call->moved = sum;
        call->moved_at_ms = ctx_now_ms();
    }
    call->connected = ready > 0;
}

void http_call_end(struct http_call *call, CURLcode code)
{
    long status = 0;
    see_what_moved(call);
    call->state = CALL_ENDED;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    call->response.status = (int)status;
    if (call->response.body.truncated || call->response.head.truncated)
        err_set(&call->err, ERR_NETWORK, "%s: the answer's %s is larger than %zu bytes", call->where,
                call->response.body.truncated ? "body" : "head",
                call->response.body.truncated ? call->response.body.max : call->response.head.max);
    else if (code != CURLE_OK)
        http_error(call->easy, code, call->where, call->detail, &call->err);
}

bool http_call_expired(struct http_call *call, int64_t stall_ms, int64_t *next_ms)
{
    see_what_moved(call);
    int64_t now = ctx_now_ms();
    call->state = CALL_ENDED;
    if (now >= call->deadline_ms) {
        AUTO_FREE char *limit = str_duration(call->timeout_ms);
        err_set(&call->err, ERR_TIMEOUT, "%s: not done within %s", call->where, limit);
        return true;
    }
    if (now >= call->moved_at_ms + stall_ms) {
        AUTO_FREE char *limit = str_duration(stall_ms);
        err_set(&call->err, ERR_NETWORK, "%s: nothing moved for %s", call->where, limit);
        return true;
    }
    call->state = CALL_IN_FLIGHT;
    int64_t stalled_at = call->moved_at_ms + stall_ms;
    int64_t next = call->deadline_ms < stalled_at ? call->deadline_ms : stalled_at;
    if (next < *next_ms)
        *next_ms = next;
    return false;
}
