/* One request on its way: libcurl's handle, and what came back. Private to http.c. */
#ifndef SNAPCTL_NET_HTTP_CALL_H
#define SNAPCTL_NET_HTTP_CALL_H

#include <curl/curl.h>

#include "snapctl/net/http.h"

struct http_call {
    struct http *http;
    struct http_call *next; /* of the pool's calls */
    void *tag;
    CURL *easy;
    struct curl_slist *headers;
    char *where; /* host:port */
    char detail[CURL_ERROR_SIZE];
    struct http_response response;
    uint64_t received;
    int64_t timeout_ms, deadline_ms;
    int64_t begun_ms;
    uint64_t moved; /* as last seen */
    int64_t moved_at_ms;
    bool connected;
    enum { CALL_IN_FLIGHT, CALL_ENDED, CALL_TOLD } state;
    struct sc_err err; /* why it failed */
};

/* Copied from struct http_setup, with the defaults filled in. */
struct http_settings {
    struct buf roots; /* empty: libcurl's own */
    bool skip_tls_verify;
    char *proxy, *unix_socket;
    int64_t connect_ms, stall_ms;
};

int http_call_new(const struct http_settings *settings, const struct http_request *request,
                  struct http_call **out, struct sc_err *err) WARN_UNUSED;

/* Frees it all, whether in the pool or not. */
void http_call_drop(struct http_call *call);

/* Its transfer ended as libcurl says. */
void http_call_end(struct http_call *call, CURLcode code);

/* Ends it, with an error, if its time is over or nothing has moved for stall_ms; else *next_ms is when to
 * look again. */
bool http_call_expired(struct http_call *call, int64_t stall_ms, int64_t *next_ms);

#endif
