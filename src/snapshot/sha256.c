#include "sha256.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct sha256 {
    EVP_MD_CTX *evp;
};

/* OpenSSL fails here only for want of memory, or where SHA-256 itself is switched off. */
static void must(int ok)
{
    if (!ok)
        abort();
}

struct sha256 *sha256_new(void)
{
    struct sha256 *hash = mem_calloc(1, sizeof *hash);
    hash->evp = EVP_MD_CTX_new();
    must(hash->evp != NULL && EVP_DigestInit_ex(hash->evp, EVP_sha256(), NULL));
    return hash;
}

void sha256_free(struct sha256 *hash)
{
    if (!hash)
        return;
    EVP_MD_CTX_free(hash->evp);
    free(hash);
}

void sha256_update(struct sha256 *hash, const void *data, size_t len)
{
    must(EVP_DigestUpdate(hash->evp, data, len));
}

void sha256_finish(struct sha256 *hash, unsigned char digest[SHA256_BYTES])
{
    must(EVP_DigestFinal_ex(hash->evp, digest, NULL));
}

void sha256_hex(const unsigned char digest[SHA256_BYTES], char hex[SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[SHA256_HEX - 1] = '\0';
}
