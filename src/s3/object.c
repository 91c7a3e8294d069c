#include "snapctl/s3/object.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "attempt.h"
#include "describe.h"
#include "rfc3339.h"
#include "snapctl/base/str.h"
#include "snapctl/s3/xml.h"
#include "write.h"

enum { ONCE_MS = 1 };

void s3_object_free(struct s3_object *object)
{
    free(object->etag);
    free(object->version_id);
    free(object->modified);
    free(object->mark);
    free(object->sse);
    free(object->snapshot);
    free(object->cluster);
    free(object->lock_mode);
    *object = (struct s3_object){0};
}

void s3_written_free(struct s3_written *written)
{
    free(written->etag);
    free(written->version_id);
    *written = (struct s3_written){0};
}

/* ---- asking ---- */

/* "bytes 0-0/4711" tells the whole size where only a byte was asked for. */
static uint64_t size_of(const struct s3_reply *reply)
{
    AUTO_FREE char *range = http_response_header(&reply->http, "content-range");
    AUTO_FREE char *length = http_response_header(&reply->http, "content-length");
    const char *slash = range ? strchr(range, '/') : NULL;
    int64_t bytes = 0;
    if (slash && str_to_int(slash + 1, 0, INT64_MAX, &bytes))
        return (uint64_t)bytes;
    return length && str_to_int(length, 0, INT64_MAX, &bytes) ? (uint64_t)bytes : 0;
}

static int64_t tags_of(const struct s3_reply *reply)
{
    AUTO_FREE char *count = http_response_header(&reply->http, "x-amz-tagging-count");
    int64_t n = -1;
    return count && str_to_int(count, 0, INT64_MAX, &n) ? n : -1;
}

/* Told only to those who may see it: s3:GetObjectRetention, s3:GetObjectLegalHold. */
static void describe_lock(const struct s3_reply *reply, struct s3_object *object)
{
    AUTO_FREE char *until = http_response_header(&reply->http, "x-amz-object-lock-retain-until-date");
    AUTO_FREE char *hold = http_response_header(&reply->http, "x-amz-object-lock-legal-hold");
    object->lock_mode = http_response_header(&reply->http, "x-amz-object-lock-mode");
    object->legal_hold = str_equal(hold, "ON");
    if (!until || !rfc3339_parse(until, &object->lock_until))
        object->lock_until = 0;
}

void describe_object(const struct s3_reply *reply, struct s3_object *object)
{
    object->found = true;
    object->bytes = size_of(reply);
    object->etag = s3_reply_unquoted(reply, "etag");
    object->version_id = http_response_header(&reply->http, "x-amz-version-id");
    object->modified = http_response_header(&reply->http, "last-modified");
    object->mark = http_response_header(&reply->http, "x-amz-meta-snapctl-upload");
    object->sse = http_response_header(&reply->http, "x-amz-server-side-encryption");
    object->n_tags = tags_of(reply);
    object->snapshot = http_response_header(&reply->http, "x-amz-meta-snapctl-snapshot");
    object->cluster = http_response_header(&reply->http, "x-amz-meta-snapctl-cluster");
    describe_lock(reply, object);
}

bool s3_object_is_of(const struct s3_object *object, const char *cluster)
{
    AUTO_FREE char *wanted = write_metadata(cluster);
    return str_equal(object->cluster, wanted);
}

bool s3_object_is_locked(const struct s3_object *object, int64_t now)
{
    return object->legal_hold || (object->lock_mode && (!object->lock_until || object->lock_until > now));
}

/* S3 says which of its things is missing; a bare 404 is another web server's. */
static int no_store(const struct s3_client *client, struct sc_err *err)
{
    const struct s3_address *address = s3_client_address(client);
    err_set(err, ERR_CONFIG, "%s answered \"404 not found\" the way that no S3 service does",
            address->endpoint);
    return err_hint(err, "is that the address of an S3 service, and its port?");
}

int s3_object_probe(struct s3_client *client, const struct ctx *ctx, const char *key, enum s3_name *name,
                    struct s3_object *object, struct sc_err *err)
{
    AUTO_REQUEST struct s3_request request = {
        .method = "GET", .action = "s3:GetObject", .key = key, .retry_ms = S3_PROBE_RETRY_MS};
    AUTO_REPLY struct s3_reply reply = {0};
    AUTO_ERR struct sc_err why = {0};
    s3_request_header(&request, "range", "bytes=0-0");
    s3_object_free(object);
    *name = S3_NAME_TAKEN;
    if (s3_perform(client, ctx, &request, &reply, &why) == 0) {
        describe_object(&reply, object);
        return 0;
    }
    /* An empty object has no first byte. */
    if (s3_reply_refused(&reply, "InvalidRange")) {
        object->found = true;
        return 0;
    }
    *name = s3_reply_refused(&reply, "NoSuchKey") ? S3_NAME_FREE : S3_NAME_UNKNOWN;
    if (*name == S3_NAME_FREE && !strstr(buf_text(&reply.http.body), "NoSuchKey"))
        return no_store(client, err);
    if (*name == S3_NAME_FREE || s3_reply_refused(&reply, "AccessDenied"))
        return 0;
    if (err)
        err_move(err, &why);
    return -1;
}

int s3_object_head(struct s3_client *client, const struct ctx *ctx, const char *key, struct s3_object *object,
                   struct sc_err *err)
{
    AUTO_REQUEST struct s3_request request = {.method = "HEAD", .action = "s3:GetObject", .key = key};
    AUTO_REPLY struct s3_reply reply = {0};
    AUTO_ERR struct sc_err why = {0};
    s3_object_free(object);
    if (s3_perform(client, ctx, &request, &reply, &why) == 0) {
        describe_object(&reply, object);
        return 0;
    }
    if (s3_reply_refused(&reply, "NoSuchKey"))
        return 0;
    if (err)
        err_move(err, &why);
    return -1;
}

int s3_object_region(struct s3_client *client, const struct ctx *ctx, char **region, struct sc_err *err)
{
    AUTO_REQUEST struct s3_request request = {
        .method = "GET", .action = "s3:GetBucketLocation", .retry_ms = ONCE_MS};
    AUTO_REPLY struct s3_reply reply = {0};
    AUTO_FREE char *location = NULL;
    const struct s3_xml_field fields[] = {
        {"LocationConstraint", &location}
    };
    s3_request_query(&request, "location", "");
    if (s3_perform(client, ctx, &request, &reply, err) < 0)
        return -1;
    if (s3_xml_fields(reply.http.body.data, reply.http.body.len, fields, 1) < 0 || !location)
        return err_set(err, ERR_STORE, "the store's answer to GetBucketLocation cannot be read");
    *region = str_dup(!*location ? "us-east-1" : strcmp(location, "EU") == 0 ? "eu-west-1" : location);
    return 0;
}

int s3_object_locking(struct s3_client *client, const struct ctx *ctx, bool *locking, struct sc_err *err)
{
    AUTO_REQUEST struct s3_request request = {
        .method = "GET", .action = "s3:GetBucketObjectLockConfiguration", .retry_ms = ONCE_MS};
    AUTO_REPLY struct s3_reply reply = {0};
    AUTO_ERR struct sc_err why = {0};
    AUTO_FREE char *enabled = NULL;
    const struct s3_xml_field fields[] = {
        {"ObjectLockConfiguration/ObjectLockEnabled", &enabled}
    };
    *locking = false;
    s3_request_query(&request, "object-lock", "");
    if (s3_perform(client, ctx, &request, &reply, &why) < 0) {
        if (s3_reply_refused(&reply, "ObjectLockConfigurationNotFoundError"))
            return 0;
        if (err)
            err_move(err, &why);
        return -1;
    }
    if (s3_xml_fields(reply.http.body.data, reply.http.body.len, fields, 1) < 0)
        return err_set(err, ERR_STORE, "the store's answer to GetObjectLockConfiguration cannot be read");
    *locking = str_equal(enabled, "Enabled");
    return 0;
}

/* ---- writing ---- */

/* For stores that do not know If-None-Match; AccessDenied means that nobody can tell. */
static int refuse_taken(struct s3_client *client, const struct ctx *ctx, const char *key, struct sc_err *err)
{
    AUTO_OBJECT struct s3_object object = {0};
    AUTO_ERR struct sc_err why = {0};
    if (s3_object_head(client, ctx, key, &object, &why) < 0) {
        if (why.kind == ERR_AUTH)
            return 0;
        if (err)
            err_move(err, &why);
        return -1;
    }
    if (!object.found)
        return 0;
    struct s3_refusal taken = {.status = 412, .code = str_dup("PreconditionFailed")};
    const struct s3_address *address = s3_client_address(client);
    struct s3_request_names names = {.action = "s3:PutObject",
                                     .endpoint = address->endpoint,
                                     .bucket = address->bucket,
                                     .region = address->region,
                                     .key = key};
    s3_refusal_error(&taken, &names, err);
    s3_refusal_free(&taken);
    return -1;
}

static int put_once(struct s3_client *client, const struct ctx *ctx, const struct s3_request *request,
                    const struct s3_write *write, struct s3_reply *reply, struct s3_written *out,
                    struct sc_err *err)
{
    AUTO_ERR struct sc_err why = {0};
    if (s3_perform(client, ctx, request, reply, &why) == 0) {
        out->etag = s3_reply_unquoted(reply, "etag");
        out->version_id = http_response_header(&reply->http, "x-amz-version-id");
        return 0;
    }
    /* What was refused was not written, unless the refusal is of a second try. */
    bool refused = reply->refusal.code && !s3_reply_refused(reply, "PreconditionFailed");
    if (!refused && why.kind != ERR_CANCELLED && write_came_through(client, ctx, write, out))
        return 0;
    if (err)
        err_move(err, &why);
    return -1;
}

int s3_object_put(struct s3_client *client, const struct ctx *ctx, const struct s3_write *write,
                  const void *body, size_t len, struct s3_written *out, struct sc_err *err)
{
    char hash[SIGV4_HASH_SIZE], checksum[45];
    sigv4_hash(body, len, hash);
    AUTO_REQUEST struct s3_request request = {.method = "PUT",
                                              .action = "s3:PutObject",
                                              .key = write->key,
                                              .body = body,
                                              .body_len = len,
                                              .body_hash = hash,
                                              .grace_ms = S3_GRACE_MS};
    AUTO_REPLY struct s3_reply reply = {0};
    write_headers(write, &request);
    if (write_wants_checksum(write)) {
        write_checksum(hash, checksum);
        s3_request_header(&request, "x-amz-checksum-sha256", checksum);
    }
    if (!write->overwrite)
        s3_request_header(&request, "if-none-match", "*");
    if (put_once(client, ctx, &request, write, &reply, out, err) == 0)
        return 0;
    if (!s3_reply_refused(&reply, "NotImplemented") || !s3_request_drop_header(&request, "if-none-match"))
        return -1;
    if (refuse_taken(client, ctx, write->key, err) < 0)
        return -1;
    return put_once(client, ctx, &request, write, &reply, out, err);
}

int s3_object_delete(struct s3_client *client, const struct ctx *ctx, const char *key, const char *version_id,
                     bool *marker, struct sc_err *err)
{
    AUTO_REQUEST struct s3_request request = {.method = "DELETE",
                                              .action =
                                                  version_id ? "s3:DeleteObjectVersion" : "s3:DeleteObject",
                                              .key = key,
                                              .grace_ms = S3_GRACE_MS};
    AUTO_REPLY struct s3_reply reply = {0};
    AUTO_ERR struct sc_err why = {0};
    if (version_id)
        s3_request_query(&request, "versionId", version_id);
    if (s3_perform(client, ctx, &request, &reply, &why) == 0 || s3_reply_refused(&reply, "NoSuchKey")) {
        AUTO_FREE char *told = http_response_header(&reply.http, "x-amz-delete-marker");
        if (marker)
            *marker = !version_id && str_equal(told, "true");
        return 0;
    }
    if (err)
        err_move(err, &why);
    return -1;
}
