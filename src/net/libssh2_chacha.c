#include "libssh2_chacha.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok)
{
    if (!ok)
        abort();
}

bool libssh2_chacha_works(void)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "ChaCha20", NULL);
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "POLY1305", NULL);
    bool works = cipher && mac;
    EVP_CIPHER_free(cipher);
    EVP_MAC_free(mac);
    return works;
}

void chacha_keysetup(struct chacha_ctx *ctx, const unsigned char *key, unsigned bits)
{
    must(bits == 8 * sizeof ctx->key);
    memcpy(ctx->key, key, sizeof ctx->key);
}

void chacha_ivsetup(struct chacha_ctx *ctx, const unsigned char *nonce, const unsigned char *counter)
{
    size_t half = sizeof ctx->iv / 2;
    memset(ctx->iv, 0, half);
    if (counter)
        memcpy(ctx->iv, counter, half);
    memcpy(ctx->iv + half, nonce, half);
}

void chacha_encrypt_bytes(struct chacha_ctx *ctx, const unsigned char *in, unsigned char *out, unsigned len)
{
    int n;
    EVP_CIPHER_CTX *evp = EVP_CIPHER_CTX_new();
    must(evp && EVP_EncryptInit_ex(evp, EVP_chacha20(), NULL, ctx->key, ctx->iv) &&
         EVP_EncryptUpdate(evp, out, &n, in, (int)len));
    EVP_CIPHER_CTX_free(evp);
}

void poly1305_auth(unsigned char tag[16], const unsigned char *data, size_t len, const unsigned char key[32])
{
    must(EVP_Q_mac(NULL, "POLY1305", NULL, NULL, NULL, key, 32, data, len, tag, 16, NULL) != NULL);
}
