/* TCP through an SSH session, over direct-tcpip channels (RFC 4254, section 7.2). One thread owns the session
 * and carries the bytes of all its connections. */
#ifndef SNAPCTL_NET_TUNNEL_H
#define SNAPCTL_NET_TUNNEL_H

#include "snapctl/base/ctx.h"
#include "snapctl/base/err.h"

struct ssh;
struct tunnel;

enum { TUNNEL_CONNECTIONS_MAX = 72 };

/* One connection from the far end of `via` to host:port. *fd is the caller's end, non-blocking. On failure
 * via remains the caller's: ERR_NETWORK, ERR_TIMEOUT, ERR_CANCELLED. */
int tunnel_open(struct ssh *via, const struct ctx *ctx, const char *host, int port, struct tunnel **out,
                int *fd, struct sc_err *err) WARN_UNUSED;

/* Any number of connections, up to TUNNEL_CONNECTIONS_MAX at a time: one for each that this process makes to
 * a socket of the tunnel's own; other processes' are refused (SO_PEERCRED). Nothing is dialled yet. On
 * failure via remains the caller's: ERR_SYSTEM. */
int tunnel_listen(struct ssh *via, const struct ctx *ctx, const char *host, int port, struct tunnel **out,
                  struct sc_err *err) WARN_UNUSED;

/* The address of that socket, as struct http_setup takes it: "@" and its name, for an abstract one (unix(7)),
 * of which nothing is left when the process ends. */
const char *tunnel_socket(const struct tunnel *tunnel);

/* Why the tunnel broke by itself, or why its last connection could not be made: fills err and returns -1; 0
 * otherwise. *broken (may be NULL): nothing more goes through it. */
int tunnel_check(struct tunnel *tunnel, bool *broken, struct sc_err *err) WARN_UNUSED;

/* Stops the thread and closes `via`, at once. NULL is allowed. */
void tunnel_close(struct tunnel *tunnel);

#endif
