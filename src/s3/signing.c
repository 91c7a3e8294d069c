#include "signing.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "snapctl/base/str.h"

enum { REFRESH_PAUSE_MS = 60000, HEADERS_MAX = S3_REQUEST_HEADERS + 1 + SIGV4_FIELDS_MAX };

static void forget_key(struct s3_client *client)
{
    secret_free(client->signing_key);
    client->signing_key = NULL;
    client->generation++;
}

int s3_client_set_region(struct s3_client *client, const char *region)
{
    if (s3_address_set_region(&client->address, region) < 0)
        return -1;
    forget_key(client);
    return 0;
}

/* ---- signing ---- */

/* "host", "content-type" and "x-amz-*"; what a proxy may change is sent unsigned. */
static size_t signed_headers(const struct s3_client *client, const struct s3_request *request,
                             struct sigv4_field *out)
{
    size_t n = 0;
    out[n++] = (struct sigv4_field){"host", client->address.host};
    for (size_t i = 0; i < request->n_headers; i++) {
        const struct s3_pair *h = &request->headers[i];
        if (strcmp(h->name, "content-type") == 0 || str_starts(h->name, "x-amz-"))
            out[n++] = (struct sigv4_field){h->name, h->value};
    }
    return n;
}

static const struct secret *key_for_now(struct s3_client *client, const struct sigv4_signer *signer,
                                        int64_t now)
{
    char time[SIGV4_TIME_SIZE];
    sigv4_time(now, time);
    if (client->signing_key && strncmp(time, client->signing_day, 8) == 0)
        return client->signing_key;
    secret_free(client->signing_key);
    client->signing_key = sigv4_signing_key(signer, time);
    memcpy(client->signing_day, time, 8);
    return client->signing_key;
}

static int sign(struct s3_client *client, const struct s3_request *request, const char *path,
                const char *body_hash, struct sigv4_signed *out, struct sc_err *err)
{
    struct sigv4_field headers[HEADERS_MAX], query[S3_REQUEST_QUERY];
    struct sigv4_signer signer = {
        .access_key = client->credentials.access_key,
        .secret_key = client->credentials.secret_key,
        .session_token = client->credentials.session_token,
        .region = client->address.region,
        .service = &sigv4_s3,
    };
    for (size_t i = 0; i < request->n_query; i++)
        query[i] = (struct sigv4_field){request->query[i].name, request->query[i].value};
    struct sigv4_request plain = {
        .method = request->method,
        .path = path,
        .query = query,
        .n_query = request->n_query,
        .headers = headers,
        .n_headers = signed_headers(client, request, headers),
        .body_hash = body_hash,
    };
    int64_t now = (int64_t)time(NULL) + client->clock_offset_s;
    return sigv4_sign(&signer, key_for_now(client, &signer, now), now, &plain, out, err);
}

static int begin(struct s3_client *client, const struct s3_request *request, const char *path,
                 const struct sigv4_signed *signature, struct http_call **call, struct sc_err *err)
{
    struct http_header headers[HEADERS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < request->n_headers; i++)
        headers[n++] = (struct http_header){request->headers[i].name, request->headers[i].value};
    for (size_t i = 0; i < signature->n_fields; i++)
        headers[n++] = (struct http_header){signature->fields[i].name, signature->fields[i].value};
    AUTO_FREE char *url = str_format("%s%s%s%s", client->address.base, path, signature->query.len ? "?" : "",
                                     buf_text(&signature->query));
    struct http_request http = {
        .method = request->method,
        .url = url,
        .headers = headers,
        .n_headers = n,
        .body = request->body,
        .body_len = request->body_len,
        .response_max = request->response_max,
    };
    return http_begin(client->http, &http, NULL, call, err);
}

/* Ahead of time: a refusal in the middle of a large part would cost the part. Where it fails, the old ones
 * may still do. */
static void refresh_early(struct s3_client *client, const struct ctx *ctx)
{
    int64_t now_ms = ctx_now_ms();
    bool due = client->refresh && credentials_expiring(&client->credentials, (int64_t)time(NULL));
    if (!due || (client->refresh_tried_ms && now_ms - client->refresh_tried_ms < REFRESH_PAUSE_MS))
        return;
    AUTO_ERR struct sc_err err = {0};
    client->refresh_tried_ms = now_ms;
    if (client->refresh(client->refresh_arg, ctx, &client->credentials, &err) == 0)
        forget_key(client);
    else
        ctx_log(ctx, LOG_WARN, "the S3 credentials expire soon and cannot be refreshed: %s", err.text);
}

int signing_begin(struct s3_client *client, const struct ctx *ctx, const struct s3_request *request,
                  struct http_call **call, struct sc_err *err)
{
    char hash[SIGV4_HASH_SIZE] = "";
    struct sigv4_signed signature = {0};
    AUTO_FREE char *path = s3_address_path(&client->address, request->key);
    refresh_early(client, ctx);
    if (!request->body_hash)
        sigv4_hash(request->body, request->body_len, hash);
    if (sign(client, request, path, request->body_hash ? request->body_hash : hash, &signature, err) < 0)
        return -1;
    int result = begin(client, request, path, &signature, call, err);
    sigv4_signed_free(&signature);
    return result;
}

/* ---- corrections ---- */

/* The one request that is sent to learn the region; whatever its status, a header tells it. */
static char *region_of_bucket(struct s3_client *client, const struct ctx *ctx)
{
    AUTO_REQUEST struct s3_request request = {.method = "HEAD", .action = "s3:ListBucket"};
    struct http_call *call = NULL;
    const struct http_response *response = NULL;
    char *region = NULL;
    if (signing_begin(client, ctx, &request, &call, NULL) < 0)
        return NULL;
    if (http_wait_for(client->http, ctx, call, NULL) == 0 && http_call_result(call, &response, NULL) == 0)
        region = http_response_header(response, "x-amz-bucket-region");
    http_call_free(call);
    return region;
}

static bool correct_region(struct s3_client *client, const struct ctx *ctx, const struct s3_refusal *refusal,
                           const struct http_response *response)
{
    if (client->region_corrected)
        return false;
    client->region_corrected = true;
    AUTO_FREE char *region = http_response_header(response, "x-amz-bucket-region");
    if (!region)
        region = str_dup(refusal->region);
    if (!region)
        region = region_of_bucket(client, ctx);
    AUTO_FREE char *before = str_dup(client->address.region);
    if (!region || s3_client_set_region(client, region) < 0)
        return false;
    ctx_log(ctx, LOG_INFO, "bucket %s is in region %s, not %s", client->address.bucket, region, before);
    return true;
}

/* "Tue, 24 Nov 2026 11:20:00 GMT" (RFC 9110, 5.6.7). */
static bool parse_date(const char *text, int64_t *seconds)
{
    struct tm tm = {0};
    const char *end = text ? strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm) : NULL;
    if (!end || *end)
        return false;
    *seconds = (int64_t)timegm(&tm);
    return true;
}

void signing_note_clock(struct s3_client *client, const struct http_response *response)
{
    int64_t theirs;
    AUTO_FREE char *date = http_response_header(response, "date");
    if (!parse_date(date, &theirs))
        return;
    client->clock_told = true;
    client->clock_told_s = theirs - (int64_t)time(NULL);
}

static bool correct_clock(struct s3_client *client, const struct ctx *ctx,
                          const struct http_response *response)
{
    int64_t theirs;
    AUTO_FREE char *date = http_response_header(response, "date");
    if (client->clock_corrected || !parse_date(date, &theirs))
        return false;
    client->clock_corrected = true;
    client->clock_offset_s = theirs - (int64_t)time(NULL);
    client->generation++;
    int64_t off = client->clock_offset_s;
    AUTO_FREE char *amount = str_duration((off < 0 ? -off : off) * 1000);
    ctx_log(ctx, LOG_WARN, "the clock of this machine is %s %s that of %s: going on with the store's time",
            amount, off < 0 ? "ahead of" : "behind", client->address.endpoint);
    return true;
}

static bool refresh_keys(struct s3_client *client, const struct ctx *ctx)
{
    AUTO_ERR struct sc_err err = {0};
    if (client->keys_refreshed || !client->refresh)
        return false;
    client->keys_refreshed = true;
    if (client->refresh(client->refresh_arg, ctx, &client->credentials, &err) < 0) {
        ctx_log(ctx, LOG_WARN, "the S3 credentials expired and cannot be refreshed: %s", err.text);
        return false;
    }
    forget_key(client);
    ctx_log(ctx, LOG_INFO, "the S3 credentials expired and were refreshed");
    return true;
}

bool signing_correct(struct s3_client *client, const struct ctx *ctx, const struct s3_refusal *refusal,
                     const struct http_response *response)
{
    switch (s3_refusal_retry(refusal)) {
    case S3_REGION:
        return correct_region(client, ctx, refusal, response);
    case S3_CLOCK:
        return correct_clock(client, ctx, response);
    case S3_KEYS:
        return refresh_keys(client, ctx);
    default:
        return false;
    }
}
