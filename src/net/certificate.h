/* OpenSSH user certificates (OpenSSH, PROTOCOL.certkeys), as far as a client needs to look into its own. */
#ifndef SNAPCTL_SRC_NET_CERTIFICATE_H
#define SNAPCTL_SRC_NET_CERTIFICATE_H

#include <stdint.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/err.h"

struct certificate {
    char *type;             /* "ssh-ed25519-cert-v01@openssh.com" */
    struct buf blob;        /* all of it */
    struct buf key;         /* the public key that it certifies, as a plain blob */
    uint64_t after, before; /* seconds since 1970: valid from, and until before this */
    struct buf principals;  /* as in the blob: strings */
};

/* Reads the text of a -cert.pub file. ERR_CONFIG, without naming it, if it is none or one of a host. */
int certificate_read(const char *text, struct certificate *out, struct sc_err *err) WARN_UNUSED;
void certificate_free(struct certificate *certificate);

/* Why a server would not take the certificate from this user at this time (seconds since 1970), in words;
 * NULL if nothing is known. The caller frees it. */
char *certificate_problem(const struct certificate *certificate, const char *user, int64_t now) WARN_UNUSED;

#endif
