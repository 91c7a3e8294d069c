/* User authentication: the configured key, or the agent's. */
#ifndef SNAPCTL_SRC_NET_AUTH_H
#define SNAPCTL_SRC_NET_AUTH_H

#include "session.h"

/* ERR_AUTH tells what was tried and what the server would accept. */
int auth(struct ssh *ssh, const struct ctx *ctx, const struct ssh_host *host, struct sc_err *err) WARN_UNUSED;

#endif
