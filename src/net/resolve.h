/* Name resolution with a deadline. */
#ifndef SNAPCTL_SRC_NET_RESOLVE_H
#define SNAPCTL_SRC_NET_RESOLVE_H

#include <netdb.h>

#include "snapctl/base/ctx.h"

/* The TCP addresses of a name, or of an IPv4 or IPv6 address as it is written. Free with freeaddrinfo.
 * ERR_NETWORK if the name has none, ERR_TIMEOUT, ERR_CANCELLED. */
int resolve(const struct ctx *ctx, const char *host, int port, struct addrinfo **out,
            struct sc_err *err) WARN_UNUSED;

#endif
