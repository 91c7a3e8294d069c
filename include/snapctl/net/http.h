/* HTTP and HTTPS over libcurl's multi interface, several requests in flight.
 *
 * A struct http is a pool of connections with common settings, and belongs to one thread. No redirects are
 * followed, no cookies kept, no netrc read; bodies and headers of responses are capped. Certificates are
 * verified against the system's roots and the setup's own. HTTP/1.1 only (a request that fails must not take
 * its neighbours along), TLS 1.2 or newer. A body of more than 1 MiB is announced with Expect: 100-continue,
 * so that a refusal comes before it was sent and is not lost with a reset connection; a server that says
 * nothing gets the body after a second. Call http_init once before any thread. */
#ifndef SNAPCTL_NET_HTTP_H
#define SNAPCTL_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/ctx.h"
#include "snapctl/base/err.h"

void http_init(void);
void http_exit(void);

/* "libcurl/7.88.1", for --version. */
const char *http_library_version(void);

struct http;

struct http_setup {
    const char *ca_pem;      /* PEM text that adds to the system's roots; NULL: none */
    bool skip_tls_verify;    /* takes any certificate */
    const char *proxy;       /* URL; NULL: the environment's, as curl applies it; "": none at all */
    const char *unix_socket; /* a socket that is connected to instead of the host: its path, or "@" and the
                                name of an abstract one; NULL: none */
    int64_t connect_ms;      /* 0: 10 s */
    int64_t stall_ms;        /* connected, and nothing moved for so long: ERR_NETWORK; 0: 60 s */
};

/* The setup's strings are copied. ERR_CONFIG if ca_pem holds no certificate, or a broken one. */
int http_new(const struct http_setup *setup, struct http **out, struct sc_err *err) WARN_UNUSED;
/* Breaks off and frees all its calls too. NULL is allowed. */
void http_free(struct http *http);

struct http_header {
    const char *name, *value;
};

struct http_request {
    const char *method; /* "GET", "HEAD", "PUT", "POST", "DELETE" */
    const char *url;    /* sent as it is: path and query already encoded, dot segments kept */
    const struct http_header *headers;
    size_t n_headers;
    const void *body; /* outlives the call; NULL: none */
    size_t body_len;
    size_t response_max; /* of the response's body; 0: 1 MiB */
    int64_t timeout_ms;  /* of the whole call; 0: the ctx's only */
};

struct http_response {
    int status;      /* 200, 404, …; 0 until there is one */
    struct buf head; /* header lines, "name: value\n", names in lower case; at most 64 KiB */
    struct buf body;
};
void http_response_free(struct http_response *response);

/* The value of the first header of that name (lower case), or NULL. The caller frees it. */
char *http_response_header(const struct http_response *response, const char *name) WARN_UNUSED;

/* One request, to its end. A status such as 404 is no error here. ERR_NETWORK (resolve, connect, TLS
 * handshake, proxy, broken off, stalled, too large; the text says which and where), ERR_CERTIFICATE (with a
 * hint for each reason), ERR_TIMEOUT, ERR_CANCELLED. The request is not sent again by itself, but for one
 * thing: if a connection kept from an earlier request turns out to be closed before anything was answered. */
int http_perform(struct http *http, const struct ctx *ctx, const struct http_request *request,
                 struct http_response *response, struct sc_err *err) WARN_UNUSED;

/* Several requests in flight: begin them, then wait for any to end. The call owns its response. The request's
 * strings are copied, its body is not. */
struct http_call;
int http_begin(struct http *http, const struct http_request *request, void *tag, struct http_call **out,
               struct sc_err *err) WARN_UNUSED;
/* Moves data for at most max_ms (-1: until a call ends or the ctx does; with none in flight it returns at
 * once). *done is a call that ended, each one told once, or NULL: the time is over, or http_wake was called.
 */
int http_wait(struct http *http, const struct ctx *ctx, int64_t max_ms, struct http_call **done,
              struct sc_err *err) WARN_UNUSED;
/* Until this one has ended, or the ctx; http_wait still tells those that end meanwhile. */
int http_wait_for(struct http *http, const struct ctx *ctx, const struct http_call *call,
                  struct sc_err *err) WARN_UNUSED;
/* Makes the http_wait that runs, or else the next one that would wait, return: the one function that other
 * threads may call. */
void http_wake(struct http *http);
void *http_call_tag(const struct http_call *call);
/* For how many milliseconds from its beginning on bytes moved, once it was connected; 0: it was not. */
int64_t http_call_went_ms(const struct http_call *call);

/* How it ended: 0 with the response, which the call owns, or -1 with the error. Asked once, of a call that
 * ended. */
int http_call_result(struct http_call *call, const struct http_response **response,
                     struct sc_err *err) WARN_UNUSED;
/* Frees it; one in flight is broken off. NULL is allowed. */
void http_call_free(struct http_call *call);

#endif
