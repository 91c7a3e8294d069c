/* The certificates that a TLS server may be signed by. */
#ifndef SNAPCTL_NET_HTTP_ROOTS_H
#define SNAPCTL_NET_HTTP_ROOTS_H

#include "snapctl/base/buf.h"
#include "snapctl/base/err.h"

/* PEM of all certificates in ca_pem and, behind them, of the system's bundle, where libcurl knows one:
 * handing libcurl a text of roots replaces its own bundle (not its folder of hashed roots). ERR_CONFIG if
 * ca_pem holds no certificate or a broken one. */
int http_roots(const char *ca_pem, struct buf *out, struct sc_err *err) WARN_UNUSED;

#endif
