#include "write.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attempt.h"
#include "snapctl/base/retry.h"
#include "snapctl/base/str.h"

enum { DAY_S = 86400 };

void s3_write_mark(struct s3_write *write)
{
    unsigned char random[(S3_MARK_SIZE - 1) / 2];
    retry_random(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++) {
        write->mark[2 * i] = "0123456789abcdef"[random[i] >> 4];
        write->mark[2 * i + 1] = "0123456789abcdef"[random[i] & 15];
    }
    write->mark[S3_MARK_SIZE - 1] = '\0';
}

/* A name of metadata becomes part of a header's. */
static bool name_is_plain(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

int s3_write_check(const struct s3_write *write, struct sc_err *err)
{
    if (write->n_tags > S3_TAGS_MAX)
        return err_set(err, ERR_CONFIG, "an object in S3 can have %d tags at most", S3_TAGS_MAX);
    if (write->n_metadata > S3_METADATA_MAX)
        return err_set(err, ERR_CONFIG, "more than %d fields of metadata", S3_METADATA_MAX);
    for (size_t i = 0; i < write->n_metadata; i++)
        if (!name_is_plain(write->metadata[i].name))
            return err_set(err, ERR_CONFIG, "\"%s\" cannot be a name of metadata", write->metadata[i].name);
    if (write->kms_key && strpbrk(write->kms_key, "\r\n"))
        return err_set(err, ERR_CONFIG, "the KMS key's name has a line break");
    return 0;
}

bool write_wants_checksum(const struct s3_write *write)
{
    return write->checksum_sha256 || write->lock_mode;
}

void write_checksum(const char *hex, char out[45])
{
    unsigned char digest[32];
    for (size_t i = 0; i < sizeof digest; i++) {
        char byte[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        digest[i] = (unsigned char)strtoul(byte, NULL, 16);
    }
    EVP_EncodeBlock((unsigned char *)out, digest, sizeof digest);
}

char *write_metadata(const char *value)
{
    struct buf encoded = {0};
    bool plain = true;
    for (const char *p = value; *p; p++)
        plain = plain && *p >= ' ' && *p <= '~';
    if (plain)
        return str_dup(value);
    sigv4_encode(&encoded, value);
    return buf_take(&encoded);
}

static void metadata_header(struct s3_request *request, const char *name, const char *value)
{
    AUTO_FREE char *header = str_format("x-amz-meta-%s", name);
    AUTO_FREE char *sent = write_metadata(value);
    s3_request_header(request, header, sent);
}

static void lock_headers(const struct s3_write *write, struct s3_request *request)
{
    if (!write->lock_mode)
        return;
    time_t until = time(NULL) + (time_t)write->lock_days * DAY_S;
    struct tm tm;
    char text[32];
    gmtime_r(&until, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    s3_request_header(request, "x-amz-object-lock-mode", write->lock_mode);
    s3_request_header(request, "x-amz-object-lock-retain-until-date", text);
}

void write_headers(const struct s3_write *write, struct s3_request *request)
{
    s3_request_header(request, "content-type", write->content_type ? write->content_type : "application/zip");
    if (write->sse)
        s3_request_header(request, "x-amz-server-side-encryption", write->sse);
    if (write->sse && write->kms_key)
        s3_request_header(request, "x-amz-server-side-encryption-aws-kms-key-id", write->kms_key);
    for (size_t i = 0; i < write->n_metadata; i++)
        metadata_header(request, write->metadata[i].name, write->metadata[i].value);
    s3_request_header(request, "x-amz-meta-snapctl-upload", write->mark);
    lock_headers(write, request);
    if (write->n_tags == 0)
        return;
    AUTO_BUF struct buf tags = {0};
    sigv4_encode_query(&tags, write->tags, write->n_tags);
    s3_request_header(request, "x-amz-tagging", buf_text(&tags));
}

bool write_came_through(struct s3_client *client, const struct ctx *ctx, const struct s3_write *write,
                        struct s3_written *out)
{
    AUTO_OBJECT struct s3_object object = {0};
    struct ctx inner = *ctx;
    inner.cancel = NULL;
    inner.deadline_ms = CTX_NO_DEADLINE;
    inner = ctx_within(&inner, S3_GRACE_MS);
    if (s3_object_head(client, &inner, write->key, &object, NULL) < 0 || !str_equal(object.mark, write->mark))
        return false;
    s3_written_free(out);
    out->etag = mem_take(&object.etag);
    out->version_id = mem_take(&object.version_id);
    return true;
}
