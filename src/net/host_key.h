/* Is the server the one that it should be? */
#ifndef SNAPCTL_SRC_NET_HOST_KEY_H
#define SNAPCTL_SRC_NET_HOST_KEY_H

#include "session.h"

/* After the handshake: judges the server's key by the policy, asks or adds it where the policy says so.
 * bastion: through which the host was reached, or NULL. ERR_HOST_KEY with the remedy to copy. */
int host_key_check(struct ssh *ssh, const struct ctx *ctx, const struct ssh_policy *policy,
                   const struct ssh_host *host, const struct ssh_host *bastion,
                   struct sc_err *err) WARN_UNUSED;

#endif
