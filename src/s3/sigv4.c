#include "snapctl/s3/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sigv4_canonical.h"
#include "snapctl/base/str.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define SCOPE_END "aws4_request"

enum { DIGEST_SIZE = 32, DAY_LEN = 8, PRESIGN_FIELDS = 6 };

const struct sigv4_service sigv4_s3 = {.name = "s3", .normalise_path = false, .sign_body_field = true};

void sigv4_signed_free(struct sigv4_signed *s)
{
    buf_free(&s->query);
    buf_free(&s->canonical_request);
    free(s->string_to_sign);
    free(s->authorization);
    *s = (struct sigv4_signed){0};
}

void sigv4_time(int64_t seconds, char out[SIGV4_TIME_SIZE])
{
    struct tm tm;
    time_t t = (time_t)seconds;
    if (!gmtime_r(&t, &tm) || strftime(out, SIGV4_TIME_SIZE, "%Y%m%dT%H%M%SZ", &tm) == 0)
        memcpy(out, "19700101T000000Z", SIGV4_TIME_SIZE);
}

static void hex(const unsigned char digest[DIGEST_SIZE], char out[SIGV4_HASH_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 0xf];
    }
    out[SIGV4_HASH_SIZE - 1] = '\0';
}

void sigv4_hash(const void *data, size_t len, char out[SIGV4_HASH_SIZE])
{
    unsigned char digest[DIGEST_SIZE];
    /* It fails only for want of memory, or without any OpenSSL provider. */
    if (EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL) != 1)
        abort();
    hex(digest, out);
}

static void authenticate(const char *key, size_t key_len, const char *text, size_t len,
                         unsigned char out[DIGEST_SIZE])
{
    if (!HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text, len, out, NULL))
        abort();
}

struct secret *sigv4_signing_key(const struct sigv4_signer *signer, const char *time)
{
    const struct secret_part start[] = {
        {"AWS4",                          4                             },
        {secret_data(signer->secret_key), secret_len(signer->secret_key)}
    };
    AUTO_SECRET struct secret *salted = secret_join(start, 2);
    const struct secret_part steps[] = {
        {time,                  DAY_LEN                      },
        {signer->region,        strlen(signer->region)       },
        {signer->service->name, strlen(signer->service->name)},
        {SCOPE_END,             strlen(SCOPE_END)            }
    };
    unsigned char key[DIGEST_SIZE];
    authenticate(secret_data(salted), secret_len(salted), steps[0].data, steps[0].len, key);
    for (size_t i = 1; i < sizeof steps / sizeof *steps; i++) {
        unsigned char next[DIGEST_SIZE];
        authenticate((const char *)key, DIGEST_SIZE, steps[i].data, steps[i].len, next);
        memcpy(key, next, DIGEST_SIZE);
        secret_wipe(next, sizeof next);
    }
    struct secret *result = secret_new((const char *)key, DIGEST_SIZE);
    secret_wipe(key, sizeof key);
    return result;
}

/* Day, region, service: what the key is good for. */
static char *scope_of(const struct sigv4_signer *signer, const char *time)
{
    return str_format("%.*s/%s/%s/" SCOPE_END, DAY_LEN, time, signer->region, signer->service->name);
}

static void add_field(struct sigv4_signed *out, const char *name, const char *value)
{
    out->fields[out->n_fields++] = (struct sigv4_field){name, value};
}

/* Both lists, one behind the other. */
static struct sigv4_field *join_fields(const struct sigv4_field *a, size_t n_a, const struct sigv4_field *b,
                                       size_t n_b)
{
    struct sigv4_field *all = mem_calloc(n_a + n_b + 1, sizeof *all);
    if (n_a)
        memcpy(all, a, n_a * sizeof *all);
    if (n_b)
        memcpy(all + n_a, b, n_b * sizeof *all);
    return all;
}

static int too_large(struct sigv4_signed *out, struct sc_err *err)
{
    sigv4_signed_free(out);
    return err_set(err, ERR_CONFIG, "the request is too large to be signed (over %d bytes)",
                   SIGV4_REQUEST_MAX);
}

/* Needs query, header_block and names in their canonical form, and makes the rest. */
static int make_signature(const struct sigv4_signer *signer, const struct secret *key,
                          const struct sigv4_request *request, const struct buf *header_block,
                          const char *names, struct sigv4_signed *out, struct sc_err *err)
{
    struct buf *canonical = &out->canonical_request;
    buf_printf(canonical, "%s\n", request->method);
    sigv4_canonical_path(canonical, signer->service, request->path);
    buf_puts(canonical, "\n");
    buf_append(canonical, buf_text(&out->query), out->query.len);
    buf_puts(canonical, "\n");
    buf_append(canonical, buf_text(header_block), header_block->len);
    buf_printf(canonical, "\n%s\n%s", names, request->body_hash);
    if (canonical->truncated || out->query.truncated || header_block->truncated)
        return too_large(out, err);

    AUTO_FREE char *scope = scope_of(signer, out->time);
    char hash[SIGV4_HASH_SIZE];
    sigv4_hash(canonical->data, canonical->len, hash);
    out->string_to_sign = str_format(ALGORITHM "\n%s\n%s\n%s", out->time, scope, hash);

    unsigned char digest[DIGEST_SIZE];
    authenticate(secret_data(key), secret_len(key), out->string_to_sign, strlen(out->string_to_sign), digest);
    hex(digest, out->signature);
    return 0;
}

static void begin(struct sigv4_signed *out, int64_t seconds)
{
    *out = (struct sigv4_signed){
        .query = {.max = SIGV4_REQUEST_MAX, .wipe = true},
        .canonical_request = {.max = SIGV4_REQUEST_MAX, .wipe = true},
    };
    sigv4_time(seconds, out->time);
}

int sigv4_sign(const struct sigv4_signer *signer, const struct secret *key, int64_t seconds,
               const struct sigv4_request *request, struct sigv4_signed *out, struct sc_err *err)
{
    begin(out, seconds);
    add_field(out, "x-amz-date", out->time);
    if (signer->service->sign_body_field)
        add_field(out, "x-amz-content-sha256", request->body_hash);
    if (signer->session_token)
        add_field(out, "x-amz-security-token", secret_data(signer->session_token));
    AUTO_FREE struct sigv4_field *headers =
        join_fields(request->headers, request->n_headers, out->fields, out->n_fields);

    AUTO_BUF struct buf block = {.max = SIGV4_REQUEST_MAX, .wipe = true};
    AUTO_BUF struct buf names = {.max = SIGV4_REQUEST_MAX};
    sigv4_canonical_headers(&block, &names, headers, request->n_headers + out->n_fields);
    sigv4_encode_query(&out->query, request->query, request->n_query);
    if (make_signature(signer, key, request, &block, buf_text(&names), out, err) < 0)
        return -1;

    AUTO_FREE char *scope = scope_of(signer, out->time);
    out->authorization = str_format(ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                                    signer->access_key, scope, buf_text(&names), out->signature);
    add_field(out, "authorization", out->authorization);
    return 0;
}

int sigv4_presign(const struct sigv4_signer *signer, const struct secret *key, int64_t seconds,
                  int64_t expires_s, const struct sigv4_request *request, struct sigv4_signed *out,
                  struct sc_err *err)
{
    begin(out, seconds);
    if (expires_s < 1 || expires_s > SIGV4_EXPIRES_MAX_S)
        return err_set(err, ERR_USAGE, "a presigned request can live for 1 s to %d s, not %lld s",
                       SIGV4_EXPIRES_MAX_S, (long long)expires_s);
    AUTO_BUF struct buf block = {.max = SIGV4_REQUEST_MAX, .wipe = true};
    AUTO_BUF struct buf names = {.max = SIGV4_REQUEST_MAX};
    sigv4_canonical_headers(&block, &names, request->headers, request->n_headers);

    AUTO_FREE char *scope = scope_of(signer, out->time);
    AUTO_FREE char *credential = str_format("%s/%s", signer->access_key, scope);
    AUTO_FREE char *expires = str_format("%lld", (long long)expires_s);
    const struct sigv4_field added[PRESIGN_FIELDS] = {
        {"X-Amz-Algorithm",      ALGORITHM                                                        },
        {"X-Amz-Credential",     credential                                                       },
        {"X-Amz-Date",           out->time                                                        },
        {"X-Amz-Expires",        expires                                                          },
        {"X-Amz-SignedHeaders",  buf_text(&names)                                                 },
        {"X-Amz-Security-Token", signer->session_token ? secret_data(signer->session_token) : NULL},
    };
    size_t n_added = signer->session_token ? PRESIGN_FIELDS : PRESIGN_FIELDS - 1;
    AUTO_FREE struct sigv4_field *query = join_fields(request->query, request->n_query, added, n_added);
    sigv4_encode_query(&out->query, query, request->n_query + n_added);
    if (make_signature(signer, key, request, &block, buf_text(&names), out, err) < 0)
        return -1;
    return buf_printf(&out->query, "&X-Amz-Signature=%s", out->signature) ? 0 : too_large(out, err);
}
