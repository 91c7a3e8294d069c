#include "http_error.h"

#include <errno.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

#include "snapctl/base/str.h"

struct reason {
    int code;
    enum err_kind kind;
    const char *text, *hint;
};

#define ADD_CA                                                                                               \
    "if it is the right server, give the certificate of its CA (PEM), which is added to the system's roots"

/* X509_V_ERR_…, as verify results. */
static const struct reason certificates[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED,                  ERR_CERTIFICATE, "its certificate has expired",
     "renew the server's certificate; if it was renewed, is this machine's clock right?"                                                                                                                     },
    {X509_V_ERR_CERT_NOT_YET_VALID,                ERR_CERTIFICATE, "its certificate is not valid yet",
     "is this machine's clock right?"                                                                                                                                                                        },
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,         ERR_CERTIFICATE, "its certificate is signed by an unknown CA",
     ADD_CA                                                                                                                                                                                                  },
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, ERR_CERTIFICATE,
     "its certificate is signed by an unknown CA",                                                                ADD_CA                                                                                     },
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,   ERR_CERTIFICATE,
     "its certificate is signed by an unknown CA",                                                                ADD_CA                                                                                     },
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,         ERR_CERTIFICATE, "its certificate is signed by an unknown CA",
     ADD_CA                                                                                                                                                                                                  },
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,       ERR_CERTIFICATE,
     "its certificate is signed by itself and unknown",                                                           "if it is the right server, give that certificate (PEM) as the CA's, or sign one with a CA"},
    {X509_V_ERR_CERT_REVOKED,                      ERR_CERTIFICATE, "its certificate was revoked",                NULL                                                                                       },
};

static const struct reason connects[] = {
    {ECONNREFUSED, ERR_NETWORK, "connection refused",
     "the host is up, but nothing listens on that port: is the port right, and the server running?"                   },
    {EHOSTUNREACH, ERR_NETWORK, "no route to host",       "is the host up, and the address right?"                    },
    {ENETUNREACH,  ERR_NETWORK, "network is unreachable", "has this machine a route to that network?"                 },
    {ETIMEDOUT,    ERR_NETWORK, "no answer",              "is the host up, and does a firewall let this port through?"},
    {ENOENT,       ERR_NETWORK, "no such socket",         NULL                                                        },
};

/* What libcurl's own text would only repeat has no detail. */
static const struct {
    struct reason reason;
    bool with_detail;
} results[] = {
    {{CURLE_COULDNT_RESOLVE_HOST, ERR_NETWORK, "cannot resolve the host's name",
      "is the name right, and does this machine's DNS know it?"},
     false                                                                                                                  },
    {{CURLE_COULDNT_RESOLVE_PROXY, ERR_NETWORK, "cannot resolve the proxy's name",
      "is the proxy's URL right? Without one of its own, https_proxy, http_proxy, all_proxy and no_proxy apply"},
     true                                                                                                                   },
    {{CURLE_PROXY, ERR_NETWORK, "the proxy failed", NULL},                                                             true },
    {{CURLE_SSL_CONNECT_ERROR, ERR_NETWORK, "TLS handshake failed",
      "does the server speak TLS (1.2 or newer) on this port, or plain HTTP?"},
     true                                                                                                                   },
    {{CURLE_GOT_NOTHING, ERR_NETWORK, "closed the connection without an answer", NULL},                                false},
    {{CURLE_PARTIAL_FILE, ERR_NETWORK, "the connection broke off in the middle of the answer", NULL},                  false},
    {{CURLE_SEND_ERROR, ERR_NETWORK, "the connection broke off while sending", NULL},                                  true },
    {{CURLE_RECV_ERROR, ERR_NETWORK, "the connection broke off while receiving", NULL},                                true },
    {{CURLE_UNSUPPORTED_PROTOCOL, ERR_NETWORK, "what answers there does not speak HTTP",
      "are host and port right?"},
     true                                                                                                                   },
    {{CURLE_WEIRD_SERVER_REPLY, ERR_NETWORK, "what answers there does not speak HTTP",
      "are host and port right?"},
     true                                                                                                                   },
    {{CURLE_URL_MALFORMAT, ERR_CONFIG, "not a usable URL", NULL},                                                      true },
    {{CURLE_SSL_CACERT_BADFILE, ERR_SYSTEM, "cannot read this machine's root certificates",
      "is the package ca-certificates installed?"},
     true                                                                                                                   },
};

static int set(const struct reason *reason, const char *where, struct sc_err *err)
{
    err_set(err, reason->kind, "%s: %s", where, reason->text);
    return reason->hint ? err_hint(err, "%s", reason->hint) : -1;
}

static const struct reason *find(const struct reason *table, size_t n, long code)
{
    for (size_t i = 0; i < n; i++)
        if (table[i].code == code)
            return &table[i];
    return NULL;
}

/* A name that does not match is found by libcurl itself; OpenSSL's result is then none, which libcurl gives
 * as OK or as unspecified. */
static int certificate_error(CURL *easy, const char *where, const char *detail, struct sc_err *err)
{
    long result = X509_V_OK;
    curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result);
    if (result == X509_V_OK || result == X509_V_ERR_UNSPECIFIED) {
        err_set(err, ERR_CERTIFICATE, "%s: its certificate is another host's", where);
        return err_hint(err, "use a name that the certificate has, or let it be issued for this one (%s)",
                        detail);
    }
    const struct reason *reason = find(certificates, sizeof certificates / sizeof *certificates, result);
    if (reason)
        return set(reason, where, err);
    return err_set(err, ERR_CERTIFICATE, "%s: its certificate cannot be trusted: %s", where,
                   X509_verify_cert_error_string(result));
}

/* libcurl quotes the URL that it does not understand, with the password in it. */
static int proxy_url_error(const char *where, struct sc_err *err)
{
    err_set(err, ERR_CONFIG, "%s: the URL of the proxy cannot be used", where);
    return err_hint(err,
                    "it is http://HOST:PORT or http://USER:PASSWORD@HOST:PORT; in a password / is written "
                    "%%2F, # is %%23 and @ is %%40");
}

/* Behind a proxy it is the proxy that could not be reached; only libcurl's text tells. */
static int connect_error(CURL *easy, const char *where, const char *detail, struct sc_err *err)
{
    long number = 0;
    char host[256], port[6];
    AUTO_FREE char *other = NULL;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
    if (sscanf(detail, "Failed to connect to %255s port %5[0-9]", host, port) == 2)
        other = str_format(strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
    if (other && strcmp(other, where) != 0)
        where = other;
    const struct reason *reason = find(connects, sizeof connects / sizeof *connects, number);
    if (reason)
        return set(reason, where, err);
    errno = (int)number;
    return number ? err_set_errno(err, ERR_NETWORK, "%s: cannot connect", where)
                  : err_set(err, ERR_NETWORK, "%s: cannot connect: %s", where, detail);
}

/* The whole call has a deadline of ours: what libcurl limits is the way to a connection. */
static int timeout_error(CURL *easy, const char *where, struct sc_err *err)
{
    curl_off_t resolved = 0;
    long connected_from = 0;
    curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
    curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &connected_from);
    if (resolved == 0) {
        err_set(err, ERR_NETWORK, "%s: no answer from the name server", where);
        return err_hint(err, "does this machine's DNS work?");
    }
    if (connected_from == 0)
        return set(find(connects, sizeof connects / sizeof *connects, ETIMEDOUT), where, err);
    err_set(err, ERR_NETWORK, "%s: connected, but the TLS handshake got no answer", where);
    return err_hint(err,
                    "does the server speak TLS on this port, and does a firewall or proxy hold it back?");
}

static int proxy_refusal(long status, const char *where, struct sc_err *err)
{
    bool login = status == 407;
    err_set(err, login ? ERR_AUTH : ERR_NETWORK, "%s: the proxy refuses to connect there (HTTP %ld)", where,
            status);
    return login ? err_hint(err,
                            "the proxy wants a login: give its URL as http://USER:PASSWORD@HOST:PORT, and if "
                            "it has one, look at user and password")
                 : err_hint(err, "let the proxy allow this host and port, or leave it out with no_proxy");
}

int http_error(CURL *easy, CURLcode code, const char *where, const char *detail, struct sc_err *err)
{
    AUTO_FREE char *seen = str_visible(*detail ? detail : curl_easy_strerror(code),
                                       strlen(*detail ? detail : curl_easy_strerror(code)), false);
    long tunnel = 0;
    curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
    if (tunnel >= 300)
        return proxy_refusal(tunnel, where, err);
    if (str_starts(detail, "Unsupported proxy"))
        return proxy_url_error(where, err);
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return certificate_error(easy, where, seen, err);
    if (code == CURLE_COULDNT_CONNECT)
        return connect_error(easy, where, seen, err);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return timeout_error(easy, where, err);
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        if (results[i].reason.code == (int)code) {
            set(&results[i].reason, where, err);
            if (!results[i].with_detail)
                return -1;
            AUTO_FREE char *hint = str_dup(results[i].reason.hint);
            err_set(err, results[i].reason.kind, "%s: %s: %s", where, results[i].reason.text, seen);
            return hint ? err_hint(err, "%s", hint) : -1;
        }
    return err_set(err, ERR_NETWORK, "%s: %s", where, seen);
}
