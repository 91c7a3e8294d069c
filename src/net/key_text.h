/* The text of a private key file: which form it has, and the same key in the shape that libssh2 reads. */
#ifndef SNAPCTL_SRC_NET_KEY_TEXT_H
#define SNAPCTL_SRC_NET_KEY_TEXT_H

#include <stdbool.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/err.h"
#include "snapctl/base/secret.h"

struct key_text {
    struct secret *pem; /* the armoured block alone, in lines of 64 characters */
    bool openssh;       /* OpenSSH's own format; else PKCS#1, SEC1 or PKCS#8 */
    bool encrypted;
    struct buf blob; /* the public key where it can be read in the clear (OpenSSH's format), else empty */
};

/* ERR_CONFIG, without naming the key, if the text is no private key that can be used. */
int key_text_read(const char *text, size_t len, struct key_text *out, struct sc_err *err) WARN_UNUSED;

#endif
