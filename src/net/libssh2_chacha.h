/* ChaCha20 and Poly1305 as libssh2 calls them for chacha20-poly1305@openssh.com (its src/chacha.h and
 * src/poly1305.h), done by OpenSSL: libssh2's own are portable C, and take a sixth of all the processor's
 * time of an upload. A static libssh2 is linked with these instead of its own; a shared one goes on using its
 * own.
 *
 * Names and shapes are libssh2's. Nothing here may fail, so the cipher is offered only where
 * libssh2_chacha_works. */
#ifndef SNAPCTL_SRC_NET_LIBSSH2_CHACHA_H
#define SNAPCTL_SRC_NET_LIBSSH2_CHACHA_H

#include <stdbool.h>
#include <stddef.h>

/* OpenSSL may be set up to do without ChaCha20, as for FIPS 140. */
bool libssh2_chacha_works(void);

/* A libssh2.so in the same process, as libcurl brings one, must not find them. */
#pragma GCC visibility push(hidden)

/* libssh2 keeps 64 bytes for it, and never looks into them. */
struct chacha_ctx {
    unsigned char key[32];
    unsigned char iv[16]; /* counter and nonce, 8 bytes each */
    unsigned char unused[16];
};

/* bits: 256, as SSH has no other. */
void chacha_keysetup(struct chacha_ctx *ctx, const unsigned char *key, unsigned bits);

/* nonce and counter: 8 bytes each; counter NULL: 0. Comes before each call of chacha_encrypt_bytes. */
void chacha_ivsetup(struct chacha_ctx *ctx, const unsigned char *nonce, const unsigned char *counter);

/* in and out may be the same. Fewer than 2^32 blocks. */
void chacha_encrypt_bytes(struct chacha_ctx *ctx, const unsigned char *in, unsigned char *out, unsigned len);

void poly1305_auth(unsigned char tag[16], const unsigned char *data, size_t len, const unsigned char key[32]);

#pragma GCC visibility pop

#endif
