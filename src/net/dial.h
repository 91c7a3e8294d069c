/* A TCP connection with a deadline. */
#ifndef SNAPCTL_SRC_NET_DIAL_H
#define SNAPCTL_SRC_NET_DIAL_H

#include "snapctl/base/ctx.h"

/* Connects to the first of the host's addresses that answers, each given its share of SSH_CONNECT_MS. The
 * descriptor is the caller's: non-blocking, close-on-exec, with TCP keepalives. ERR_NETWORK, ERR_TIMEOUT,
 * ERR_CANCELLED. */
int dial(const struct ctx *ctx, const char *host, int port, int *fd, struct sc_err *err) WARN_UNUSED;

#endif
