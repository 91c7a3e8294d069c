/* What of a struct ssh_key only authentication needs. */
#ifndef SNAPCTL_SRC_NET_KEY_H
#define SNAPCTL_SRC_NET_KEY_H

#include <stdint.h>

#include "snapctl/net/ssh_key.h"

const struct secret *key_pem(const struct ssh_key *key);

/* "" if there is none. */
const char *key_passphrase(const struct ssh_key *key);

/* "type base64": the certificate, or else the public key. NULL while that is not known (locked). */
const char *key_public_line(const struct ssh_key *key);

/* As certificate_problem; NULL for a key without a certificate. */
char *key_certificate_problem(const struct ssh_key *key, const char *user, int64_t now) WARN_UNUSED;

/* "SHA256:…" of the public key, as ssh-keygen -l prints it. The caller frees it. */
char *key_fingerprint(const struct ssh_key *key) WARN_UNUSED;

#endif
