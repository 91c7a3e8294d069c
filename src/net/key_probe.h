/* Asks libssh2 itself whether it can read a private key, without a server: what it would offer as the public
 * key, and nothing if it could not sign either. */
#ifndef SNAPCTL_SRC_NET_KEY_PROBE_H
#define SNAPCTL_SRC_NET_KEY_PROBE_H

#include <stdbool.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/secret.h"

/* False if the key cannot be read, or not with this passphrase ("" for none). The public key's blob (RFC
 * 4253, section 6.6) is appended to blob. */
bool key_probe(const struct secret *pem, const char *passphrase, struct buf *blob);

#endif
