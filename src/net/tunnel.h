/* TCP through an SSH session: a socket whose bytes a thread carries over a direct-tcpip channel. */
#ifndef SNAPCTL_SRC_NET_TUNNEL_H
#define SNAPCTL_SRC_NET_TUNNEL_H

#include "snapctl/base/ctx.h"

struct ssh;
struct tunnel;

/* Opens a channel from the far end of `via` to host:port, and a thread that owns `via` from then on. *fd is
 * the caller's end, non-blocking. On failure via remains the caller's. */
int tunnel_open(struct ssh *via, const struct ctx *ctx, const char *host, int port, struct tunnel **out,
                int *fd, struct sc_err *err) WARN_UNUSED;

/* Why the tunnel broke, if it did by itself: fills err and returns -1; 0 otherwise. */
int tunnel_check(struct tunnel *tunnel, struct sc_err *err) WARN_UNUSED;

/* Stops the thread and closes `via`, at once. NULL is allowed. */
void tunnel_close(struct tunnel *tunnel);

#endif
