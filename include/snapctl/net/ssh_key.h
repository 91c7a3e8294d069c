/* A user's private key and, if there is one, its OpenSSH certificate. Immutable once unlocked, so many
 * sessions in many threads can use one. */
#ifndef SNAPCTL_NET_SSH_KEY_H
#define SNAPCTL_NET_SSH_KEY_H

#include <stdbool.h>

#include "snapctl/base/err.h"
#include "snapctl/base/secret.h"

struct ssh_key;

enum { SSH_KEY_MAX_BYTES = 1 << 20 };

/* Takes key text: PEM (PKCS#1, SEC1, PKCS#8, plain or encrypted) or OpenSSH's own format. label names it in
 * messages: a path, or "ssh_key of node 10.0.0.1". certificate is the text of a -cert.pub file, or NULL.
 * ERR_CONFIG if it is no private key (a public key, a PuTTY key and so on are told apart), or the certificate
 * is none, is a host certificate, or does not belong to the key; label is in the error. */
int ssh_key_new(const char *label, const struct secret *pem, const char *certificate, struct ssh_key **out,
                struct sc_err *err) WARN_UNUSED;
void ssh_key_free(struct ssh_key *key);

/* True if a passphrase is needed and was not given yet. */
bool ssh_key_locked(const struct ssh_key *key);

/* Tries the passphrase, without any server; ERR_AUTH if it is wrong, and the key stays locked. A key of
 * OpenSSH's format takes a tenth of a second or more, by its rounds of bcrypt (and once again for each
 * session that uses it). ERR_CONFIG if the unlocked key does not belong to its certificate. */
int ssh_key_unlock(struct ssh_key *key, const struct secret *passphrase, struct sc_err *err) WARN_UNUSED;

const char *ssh_key_label(const struct ssh_key *key);

/* "ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", with "-cert-v01@openssh.com" when a certificate is used.
 * While a key is locked that may not be known; then it is "type unknown until unlocked". */
const char *ssh_key_type(const struct ssh_key *key);

#endif
