#include "snapctl/s3/multipart.h"

#include <stdlib.h>
#include <string.h>

#include "attempt.h"
#include "snapctl/base/str.h"
#include "snapctl/s3/xml.h"
#include "write.h"

enum { LIST_MAX = 4 << 20 }; /* of the parts in Complete: 10,000 of at most 300 bytes */

int s3_multipart_create(struct s3_client *client, const struct ctx *ctx, const struct s3_write *write,
                        char **upload_id, struct sc_err *err)
{
    AUTO_REQUEST struct s3_request request = {
        .method = "POST", .action = "s3:PutObject", .key = write->key, .grace_ms = S3_GRACE_MS};
    AUTO_REPLY struct s3_reply reply = {0};
    AUTO_FREE char *id = NULL;
    const struct s3_xml_field fields[] = {
        {"InitiateMultipartUploadResult/UploadId", &id}
    };
    s3_request_query(&request, "uploads", "");
    write_headers(write, &request);
    if (write_wants_checksum(write))
        s3_request_header(&request, "x-amz-checksum-algorithm", "SHA256");
    if (s3_perform(client, ctx, &request, &reply, err) < 0)
        return -1;
    if (s3_xml_fields(reply.http.body.data, reply.http.body.len, fields, 1) < 0 || !id || !*id)
        return err_set(err, ERR_STORE, "the store's answer to CreateMultipartUpload holds no upload id");
    *upload_id = mem_take(&id);
    return 0;
}

/* What stands in an ETag comes from outside. */
static void append_text(struct buf *xml, const char *text)
{
    static const struct {
        char c;
        const char *entity;
    } entities[] = {
        {'&', "&amp;" },
        {'<', "&lt;"  },
        {'>', "&gt;"  },
        {'"', "&quot;"},
    };
    for (; *text; text++) {
        const char *entity = NULL;
        for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
            if (entities[i].c == *text)
                entity = entities[i].entity;
        entity ? buf_puts(xml, entity) : buf_append(xml, text, 1);
    }
}

static void list_parts(const struct s3_part *parts, size_t n, struct buf *xml)
{
    buf_puts(xml, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (size_t i = 0; i < n; i++) {
        buf_printf(xml, "<Part><PartNumber>%zu</PartNumber><ETag>", i + 1);
        append_text(xml, parts[i].etag);
        buf_puts(xml, "</ETag>");
        if (*parts[i].checksum)
            buf_printf(xml, "<ChecksumSHA256>%s</ChecksumSHA256>", parts[i].checksum);
        buf_puts(xml, "</Part>");
    }
    buf_puts(xml, "</CompleteMultipartUpload>");
}

static void take_result(const struct s3_reply *reply, struct s3_written *out)
{
    AUTO_FREE char *etag = NULL;
    const struct s3_xml_field fields[] = {
        {"CompleteMultipartUploadResult/ETag", &etag}
    };
    out->version_id = http_response_header(&reply->http, "x-amz-version-id");
    if (s3_xml_fields(reply->http.body.data, reply->http.body.len, fields, 1) < 0 || !etag || !*etag)
        return;
    size_t len = strlen(etag);
    bool quoted = len >= 2 && etag[0] == '"' && etag[len - 1] == '"';
    out->etag = quoted ? str_dup_n(etag + 1, len - 2) : str_dup(etag);
}

/* Whether the first of two tries may have completed it, or the answer got lost. */
static bool is_uncertain(const struct s3_reply *reply)
{
    return !reply->refusal.code || reply->http.status >= 500 || s3_reply_refused(reply, "NoSuchUpload") ||
           s3_reply_refused(reply, "PreconditionFailed") || s3_reply_refused(reply, "InternalError");
}

int s3_multipart_complete(struct s3_client *client, const struct ctx *ctx, const struct s3_write *write,
                          const char *upload_id, const struct s3_part *parts, size_t n,
                          struct s3_written *out, struct sc_err *err)
{
    AUTO_BUF struct buf xml = {.max = LIST_MAX};
    list_parts(parts, n, &xml);
    AUTO_REQUEST struct s3_request request = {.method = "POST",
                                              .action = "s3:PutObject",
                                              .key = write->key,
                                              .body = xml.data,
                                              .body_len = xml.len,
                                              .error_inside = true,
                                              .grace_ms = S3_GRACE_MS};
    AUTO_REPLY struct s3_reply reply = {0};
    AUTO_ERR struct sc_err why = {0};
    s3_request_header(&request, "content-type", "application/xml");
    s3_request_query(&request, "uploadId", upload_id);
    if (!write->overwrite)
        s3_request_header(&request, "if-none-match", "*");
    int result = s3_perform(client, ctx, &request, &reply, &why);
    if (result < 0 && s3_reply_refused(&reply, "NotImplemented") &&
        s3_request_drop_header(&request, "if-none-match"))
        result = s3_perform(client, ctx, &request, &reply, &why);
    if (result == 0)
        take_result(&reply, out);
    else if (is_uncertain(&reply) && write_came_through(client, ctx, write, out))
        result = 0;
    if (result < 0 && err)
        err_move(err, &why);
    return result;
}

int s3_multipart_abort(struct s3_client *client, const struct ctx *ctx, const char *key,
                       const char *upload_id, struct sc_err *err)
{
    AUTO_REQUEST struct s3_request request = {
        .method = "DELETE", .action = "s3:AbortMultipartUpload", .key = key};
    AUTO_REPLY struct s3_reply reply = {0};
    AUTO_ERR struct sc_err why = {0};
    s3_request_query(&request, "uploadId", upload_id);
    if (s3_perform(client, ctx, &request, &reply, &why) == 0 || s3_reply_refused(&reply, "NoSuchUpload") ||
        s3_reply_refused(&reply, "NoSuchKey"))
        return 0;
    if (err)
        err_move(err, &why);
    return -1;
}
