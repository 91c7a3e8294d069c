#include "libssh2_gcm.h"

#include <libssh2.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/mem.h"

enum { SIZE_BYTES = 4, IV_BYTES = 12, TAG_BYTES = 16, BLOCK_BYTES = 16, METHODS_MAX = 32 };

/* Bits of flags. */
enum { INTEGRATED_MAC = 1, PLAIN_SIZE = 2, WHOLE_PACKETS = 4 };

struct gcm {
    EVP_CIPHER_CTX *evp;
    bool encrypts;
};

/* ---- one direction ---- */

static int gcm_free(void *session, void **self)
{
    struct gcm *gcm = *self;
    (void)session;
    if (gcm)
        EVP_CIPHER_CTX_free(gcm->evp);
    free(gcm);
    *self = NULL;
    return 0;
}

static int gcm_init(void *session, const struct libssh2_crypt_method *method, unsigned char *iv, int *free_iv,
                    unsigned char *key, int *free_key, int encrypts, void **self)
{
    const EVP_CIPHER *cipher = method->key_bytes == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
    struct gcm *gcm = mem_calloc(1, sizeof *gcm);
    gcm->encrypts = encrypts;
    gcm->evp = EVP_CIPHER_CTX_new();
    *free_iv = *free_key = 1;
    *self = gcm;
    if (gcm->evp && EVP_CipherInit_ex(gcm->evp, cipher, NULL, key, NULL, encrypts) == 1 &&
        EVP_CIPHER_CTX_ctrl(gcm->evp, EVP_CTRL_GCM_SET_IV_FIXED, -1, iv) == 1)
        return 0;
    gcm_free(session, self);
    return -1;
}

static int gcm_size(void *session, unsigned number, unsigned char *data, size_t len, unsigned *size,
                    void **self)
{
    (void)session;
    (void)number;
    (void)self;
    *size = 0;
    if (len < SIZE_BYTES)
        return 0;
    unsigned told = (unsigned)data[0] << 24 | (unsigned)data[1] << 16 | (unsigned)data[2] << 8 | data[3];
    /* RFC 5647, 7.2. */
    if (told % BLOCK_BYTES == 0)
        *size = told;
    return 0;
}

/* The next IV, and the size as what is authenticated only. */
static bool begin(const struct gcm *gcm, const unsigned char *size)
{
    int n;
    return EVP_CIPHER_CTX_ctrl(gcm->evp, EVP_CTRL_GCM_IV_GEN, -1, (unsigned char[IV_BYTES]){0}) == 1 &&
           EVP_CipherUpdate(gcm->evp, NULL, &n, size, SIZE_BYTES) == 1;
}

static bool encrypt(const struct gcm *gcm, unsigned char *data, int len)
{
    int n;
    return EVP_EncryptUpdate(gcm->evp, data, &n, data, len) == 1 &&
           EVP_EncryptFinal_ex(gcm->evp, data + len, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(gcm->evp, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, data + len) == 1;
}

static bool decrypt(const struct gcm *gcm, unsigned char *data, int len)
{
    int n;
    return EVP_CIPHER_CTX_ctrl(gcm->evp, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, data + len) == 1 &&
           EVP_DecryptUpdate(gcm->evp, data, &n, data, len) == 1 &&
           EVP_DecryptFinal_ex(gcm->evp, data + len, &n) == 1;
}

static int gcm_crypt(void *session, unsigned number, unsigned char *data, size_t len, void **self, int unused)
{
    const struct gcm *gcm = *self;
    (void)session;
    (void)number;
    (void)unused;
    if (!gcm || len < SIZE_BYTES || len > INT32_MAX || !begin(gcm, data))
        return LIBSSH2_ERROR_DECRYPT;
    if (gcm->encrypts)
        return encrypt(gcm, data + SIZE_BYTES, (int)len - SIZE_BYTES) ? 0 : LIBSSH2_ERROR_ENCRYPT;
    if (!decrypt(gcm, data + SIZE_BYTES, (int)len))
        return LIBSSH2_ERROR_DECRYPT;
    memmove(data, data + SIZE_BYTES, len);
    return 0;
}

const struct libssh2_crypt_method libssh2_gcm_methods[LIBSSH2_GCM_METHODS] = {
    {"aes128-gcm@openssh.com", "", BLOCK_BYTES, IV_BYTES, 16, TAG_BYTES, WHOLE_PACKETS, gcm_init, gcm_size,
     gcm_crypt, gcm_free, NULL},
    {"aes256-gcm@openssh.com", "", BLOCK_BYTES, IV_BYTES, 32, TAG_BYTES, WHOLE_PACKETS, gcm_init, gcm_size,
     gcm_crypt, gcm_free, NULL},
};

/* ---- among libssh2's ---- */

static struct {
    pthread_once_t once;
    bool known; /* the shape */
    const struct libssh2_crypt_method *list[METHODS_MAX];
} all = {.once = PTHREAD_ONCE_INIT};

/* Whether libssh2's own of the same name says of itself what it did when this was written. */
static bool is_known(const struct libssh2_crypt_method *own, const struct libssh2_crypt_method *ours)
{
    return own->block_bytes == BLOCK_BYTES && own->iv_bytes == IV_BYTES &&
           own->key_bytes == ours->key_bytes && own->tag_bytes == TAG_BYTES &&
           own->flags == (INTEGRATED_MAC | PLAIN_SIZE);
}

static void make_list(void)
{
    const struct libssh2_crypt_method *const *own = __real_libssh2_crypt_methods();
    size_t n = 0, n_known = 0;
    for (; n < LIBSSH2_GCM_METHODS; n++)
        all.list[n] = &libssh2_gcm_methods[n];
    for (; *own && n < METHODS_MAX - 1; own++, n++) {
        all.list[n] = *own;
        for (size_t i = 0; i < LIBSSH2_GCM_METHODS; i++)
            if (strcmp((*own)->name, libssh2_gcm_methods[i].name) == 0)
                n_known += is_known(*own, &libssh2_gcm_methods[i]);
    }
    all.known = !*own && n_known == LIBSSH2_GCM_METHODS;
}

const struct libssh2_crypt_method *const *__wrap_libssh2_crypt_methods(void)
{
    pthread_once(&all.once, make_list);
    return all.known ? all.list : __real_libssh2_crypt_methods();
}
