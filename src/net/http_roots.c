#include "http_roots.h"

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

enum { ROOTS_MAX = 8 << 20, CA_PEM_MAX = 1 << 20 };

static void bio_cleanup(BIO **bio)
{
    BIO_free(*bio);
}

static int no_certificate(int n, struct sc_err *err)
{
    unsigned long last = ERR_peek_last_error();
    ERR_clear_error();
    if (ERR_GET_REASON(last) != PEM_R_NO_START_LINE)
        return err_set(err, ERR_CONFIG, "certificate %d of the CA's PEM text is broken", n + 1);
    if (n > 0)
        return 0;
    err_set(err, ERR_CONFIG, "the CA's PEM text holds no certificate");
    return err_hint(err, "it must have a -----BEGIN CERTIFICATE----- block");
}

/* Only certificates are taken over, each written anew: whatever else stands there (a private key, comments)
 * never reaches libcurl. */
static int append_own(const char *ca_pem, struct buf *out, struct sc_err *err)
{
    size_t len = strlen(ca_pem);
    if (len > CA_PEM_MAX)
        return err_set(err, ERR_CONFIG, "the CA's PEM text is larger than 1 MiB");
    CLEANUP(bio_cleanup) BIO *in = BIO_new_mem_buf(ca_pem, (int)len);
    for (int n = 0;; n++) {
        X509 *certificate = PEM_read_bio_X509(in, NULL, NULL, NULL);
        if (!certificate)
            return no_certificate(n, err);
        CLEANUP(bio_cleanup) BIO *pem = BIO_new(BIO_s_mem());
        PEM_write_bio_X509(pem, certificate);
        X509_free(certificate);
        char *data;
        long data_len = BIO_get_mem_data(pem, &data);
        buf_append(out, data, (size_t)data_len);
    }
}

static int append_system(struct buf *out, struct sc_err *err)
{
    const char *path = curl_version_info(CURLVERSION_NOW)->cainfo;
    FILE *bundle = path ? fopen(path, "re") : NULL;
    if (!bundle)
        return 0;
    char chunk[16384];
    size_t n;
    bool fits = true;
    while (fits && (n = fread(chunk, 1, sizeof chunk, bundle)) > 0)
        fits = buf_append(out, chunk, n);
    fclose(bundle);
    return fits ? 0 : err_set(err, ERR_SYSTEM, "%s is larger than 8 MiB", path);
}

int http_roots(const char *ca_pem, struct buf *out, struct sc_err *err)
{
    out->max = ROOTS_MAX;
    return append_own(ca_pem, out, err) < 0 ? -1 : append_system(out, err);
}
