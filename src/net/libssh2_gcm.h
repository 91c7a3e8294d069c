/* AES-GCM of SSH (RFC 5647, as OpenSSH's PROTOCOL, 1.6, has it) for libssh2, by whole packets: its own gives
 * OpenSSL 16 bytes at a time, and takes five times as long. It is the fastest cipher of a node, too.
 *
 * The linker sends libssh2's question for its ciphers here (--wrap=libssh2_crypt_methods), and libssh2 finds
 * the ones below before its own of the same names. Those stay behind them for private keys that are
 * enciphered so: there it takes the last of a name.
 *
 * Names and shapes are those of libssh2 1.11.1 (src/libssh2_priv.h, struct _LIBSSH2_CRYPT_METHOD). */
#ifndef SNAPCTL_SRC_NET_LIBSSH2_GCM_H
#define SNAPCTL_SRC_NET_LIBSSH2_GCM_H

#include <stddef.h>

/* A libssh2.so in the same process, as libcurl brings one, must not find them. */
#pragma GCC visibility push(hidden)

/* The session is libssh2's, and of no use here. */
struct libssh2_crypt_method {
    const char *name;
    const char *pem_annotation;
    int block_bytes, iv_bytes, key_bytes, tag_bytes;
    long flags;

    /* Makes *self, for one direction. The caller wipes and frees iv and key where *free_iv and *free_key are
     * set, which they are. -1: *self is NULL. */
    int (*init)(void *session, const struct libssh2_crypt_method *method, unsigned char *iv, int *free_iv,
                unsigned char *key, int *free_key, int encrypts, void **self);

    /* *size: of the packet that begins with data, without its own 4 bytes and the tag; not authenticated yet.
     * 0 if no packet can have it, which libssh2 refuses. Always succeeds: libssh2 would free the packet
     * before again. */
    int (*size)(void *session, unsigned number, unsigned char *data, size_t len, unsigned *size, void **self);

    /* One packet. Enciphers len bytes of data but for its size, the first 4, and puts the tag behind them. Or
     * deciphers, but for size and tag, len bytes to the beginning of data. Not 0: the tag is another one. */
    int (*crypt)(void *session, unsigned number, unsigned char *data, size_t len, void **self, int unused);

    /* *self may be NULL. Afterwards it is. */
    int (*free)(void *session, void **self);

    const void *(*algorithm)(void);
};

typedef const struct libssh2_crypt_method *const *libssh2_crypt_methods_list(void);

/* aes128-gcm@openssh.com and aes256-gcm@openssh.com. */
enum { LIBSSH2_GCM_METHODS = 2 };
extern const struct libssh2_crypt_method libssh2_gcm_methods[LIBSSH2_GCM_METHODS];

/* libssh2's own, NULL behind them, and what it is given instead: with the two above in front, unless its own
 * of the same names are not of the shape that is known here. By the linker's names. */
libssh2_crypt_methods_list __real_libssh2_crypt_methods, __wrap_libssh2_crypt_methods;

#pragma GCC visibility pop

#endif
