#include "snapctl/s3/upload.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"
#include "snapctl/base/str.h"

enum { MIB = 1 << 20, MD5_BYTES = 16, MD5_DIGITS = 32 };

struct s3_upload {
    struct sink sink;
    struct s3_client *client;
    struct s3_write write;
    struct ctx ctx;      /* without what cancels it: for undoing */
    int64_t deadline_ms; /* of sending */
    void (*progress)(void *arg, bool completing);
    void *progress_arg;
    uint64_t total, written;
    struct parts *parts; /* NULL: a single PUT, of body */
    struct buf body;
    atomic_uint_least64_t put; /* bytes of the single PUT that arrived */
    struct s3_upload_facts facts;
};

uint64_t s3_upload_part_size(uint64_t total)
{
    uint64_t mib = (total + (uint64_t)S3_PARTS_MAX * MIB - 1) / ((uint64_t)S3_PARTS_MAX * MIB);
    return mib * MIB > S3_PART_MIN ? mib * MIB : S3_PART_MIN;
}

/* ---- undoing ---- */

/* By a client that everybody has. */
static char *abort_command(const struct s3_address *where, const char *key, const char *id)
{
    const char *const words[][2] = {
        {" --bucket ",    where->bucket},
        {" --key ",       key          },
        {" --upload-id ", id           },
    };
    struct buf out = {0};
    buf_printf(&out, "aws --endpoint-url %s://%s s3api abort-multipart-upload", where->tls ? "https" : "http",
               where->endpoint);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        buf_puts(&out, words[i][0]);
        str_quote_shell(&out, words[i][1]);
    }
    return buf_take(&out);
}

static void abort_parts(struct s3_upload *u)
{
    const char *id = parts_upload_id(u->parts);
    struct ctx ctx = ctx_within(&u->ctx, S3_ABORT_MS);
    AUTO_ERR struct sc_err err = {0};
    const struct s3_address *where = s3_client_address(u->client);
    if (!id && parts_unanswered(u->parts))
        ctx_log(
            &u->ctx, LOG_WARN,
            "S3 did not answer when an upload was begun: an unfinished one of key %s may be left in bucket "
            "%s, without parts",
            u->write.key, where->bucket);
    if (!id || s3_multipart_abort(u->client, &ctx, u->write.key, id, &err) == 0)
        return;
    AUTO_FREE char *command = abort_command(where, u->write.key, id);
    ctx_log(
        &u->ctx, LOG_WARN,
        "the parts of an unfinished upload are left in bucket %s (key %s, upload id %s), as they could not be "
        "aborted: %s",
        where->bucket, u->write.key, id, err.text);
    ctx_log(&u->ctx, LOG_WARN, "to remove them: %s", command);
}

static void undo(struct s3_upload *u)
{
    if (!u->parts)
        return;
    parts_stop(u->parts);
    abort_parts(u);
}

static void upload_abort(struct sink *sink)
{
    undo((struct s3_upload *)sink);
}

/* ---- writing ---- */

static int upload_write(struct sink *sink, const struct ctx *ctx, const void *data, size_t len,
                        struct sc_err *err)
{
    struct s3_upload *u = (struct s3_upload *)sink;
    if (len > u->total - u->written)
        return err_set(err, ERR_CORRUPT,
                       "more than the %" PRIu64 " bytes that were announced came for the upload", u->total);
    u->written += len;
    if (u->parts)
        return parts_write(u->parts, ctx, data, len, err);
    buf_append(&u->body, data, len);
    return ctx_check(ctx, err);
}

/* ---- finishing ---- */

/* Multipart uploads of stores that ignore If-None-Match on Complete would replace what came in meanwhile. Who
 * may not look relies on the condition alone. */
static int check_free(struct s3_upload *u, const struct ctx *ctx, struct sc_err *err)
{
    AUTO_OBJECT struct s3_object object = {0};
    AUTO_ERR struct sc_err why = {0};
    if (u->write.overwrite)
        return 0;
    if (s3_object_head(u->client, ctx, u->write.key, &object, &why) < 0) {
        if (why.kind == ERR_AUTH)
            return 0;
        err_move(err, &why);
        return -1;
    }
    if (!object.found)
        return 0;
    AUTO_FREE char *size = str_bytes(object.bytes);
    AUTO_FREE char *when = str_visible(object.modified ? object.modified : "?",
                                       object.modified ? strlen(object.modified) : 1, false);
    err_set(err, ERR_REFUSED, "s3://%s/%s appeared during the upload (%s, %s)",
            s3_client_address(u->client)->bucket, u->write.key, size, when);
    err_hint(err, "--force replaces it; another --folder, or another name, leaves it alone");
    return -1;
}

static bool is_md5(const char *etag)
{
    return strlen(etag) == MD5_DIGITS && strspn(etag, "0123456789abcdefABCDEF") == MD5_DIGITS;
}

/* The ETag of a multipart upload: MD5 of its parts' MD5s, and their number. Empty where the parts' ETags are
 * something else (SSE-KMS). */
static void expected_etag(const struct s3_part *parts, size_t n, struct buf *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    EVP_MD_CTX *md5 = EVP_MD_CTX_new();
    bool known = EVP_DigestInit_ex(md5, EVP_md5(), NULL) == 1;
    for (size_t i = 0; known && i < n; i++) {
        AUTO_FREE char *etag = str_dup(parts[i].etag + (parts[i].etag[0] == '"'));
        etag[strcspn(etag, "\"")] = '\0';
        known = is_md5(etag);
        for (size_t j = 0; known && j < MD5_BYTES; j++) {
            char byte[3] = {etag[2 * j], etag[2 * j + 1], '\0'};
            EVP_DigestUpdate(md5, &(unsigned char){(unsigned char)strtoul(byte, NULL, 16)}, 1);
        }
    }
    known = known && EVP_DigestFinal_ex(md5, digest, &digest_len) == 1;
    EVP_MD_CTX_free(md5);
    for (unsigned i = 0; known && i < digest_len; i++)
        buf_printf(out, "%02x", digest[i]);
    if (known)
        buf_printf(out, "-%zu", n);
}

static int mismatch(struct s3_upload *u, const struct s3_object *object, const char *what, struct sc_err *err)
{
    const char *bucket = s3_client_address(u->client)->bucket;
    if (object->found && !str_equal(object->mark, u->write.mark) && object->mark) {
        err_set(err, ERR_REFUSED, "s3://%s/%s was replaced by another upload of the same name", bucket,
                u->write.key);
        return err_hint(err, "give each run a name of its own");
    }
    err_set(err, ERR_CORRUPT, "s3://%s/%s is not what was uploaded: %s", bucket, u->write.key, what);
    return err_hint(err,
                    "do not trust that object: delete it, and look at the store and at proxies before it");
}

static int compare(struct s3_upload *u, const struct s3_object *object, struct sc_err *err)
{
    AUTO_BUF struct buf etag = {0};
    if (u->parts)
        expected_etag(parts_list(u->parts), u->facts.parts, &etag);
    if (!object->found)
        return mismatch(u, object, "it is not there", err);
    /* A store that keeps no metadata is judged by the rest. */
    if (object->mark && strcmp(object->mark, u->write.mark) != 0)
        return mismatch(u, object, "another's mark", err);
    if (object->bytes != u->total) {
        AUTO_FREE char *sizes = str_format("%" PRIu64 " bytes instead of %" PRIu64, object->bytes, u->total);
        return mismatch(u, object, sizes, err);
    }
    if (u->facts.etag && object->etag && strcasecmp(u->facts.etag, object->etag) != 0)
        return mismatch(u, object, "its ETag differs from the one that the upload was given", err);
    bool kms = object->sse && str_starts(object->sse, "aws:kms");
    bool composite = object->etag && strchr(object->etag, '-');
    if (!kms && composite && etag.len && strcasecmp(buf_text(&etag), object->etag) != 0)
        return mismatch(u, object, "its ETag is not that of the parts", err);
    return 0;
}

/* radosgw 16 keeps those of a single PUT alone. */
static void warn_of_lost_tags(const struct s3_upload *u, const struct s3_object *object)
{
    if (object->n_tags < 0 || (size_t)object->n_tags >= u->write.n_tags)
        return;
    ctx_log(&u->ctx, LOG_WARN,
            "the store kept %" PRId64 " of the %zu tags: rules of the bucket that go by tags do not apply",
            object->n_tags, u->write.n_tags);
}

/* The object is visible by now: cancelling comes too late to undo it, so a look at it is worth the seconds.
 */
static int read_back(struct s3_upload *u, struct sc_err *err)
{
    AUTO_OBJECT struct s3_object object = {0};
    AUTO_ERR struct sc_err why = {0};
    struct ctx ctx = ctx_within(&u->ctx, S3_GRACE_MS);
    if (s3_object_head(u->client, &ctx, u->write.key, &object, &why) < 0) {
        ctx_log(&u->ctx, LOG_WARN, "the uploaded object could not be looked at: %s", why.text);
        return 0;
    }
    if (compare(u, &object, err) < 0)
        return -1;
    warn_of_lost_tags(u, &object);
    u->facts.read_back = true;
    if (!u->facts.etag)
        u->facts.etag = mem_take(&object.etag);
    if (!u->facts.version_id)
        u->facts.version_id = mem_take(&object.version_id);
    return 0;
}

static int make_visible(struct s3_upload *u, const struct ctx *ctx, struct sc_err *err)
{
    AUTO_WRITTEN struct s3_written written = {0};
    struct ctx sending = *ctx;
    if (u->deadline_ms < sending.deadline_ms)
        sending.deadline_ms = u->deadline_ms;
    int result = u->parts ? s3_multipart_complete(u->client, ctx, &u->write, parts_upload_id(u->parts),
                                                  parts_list(u->parts), u->facts.parts, &written, err)
                          : s3_object_put(u->client, &sending, &u->write, buf_text(&u->body), u->body.len,
                                          &written, err);
    if (result < 0)
        return -1;
    u->facts.etag = mem_take(&written.etag);
    u->facts.version_id = mem_take(&written.version_id);
    atomic_store(&u->put, u->total);
    return 0;
}

static void tell(struct s3_upload *u, bool completing)
{
    if (u->progress)
        u->progress(u->progress_arg, completing);
}

static void tell_sent(void *upload)
{
    tell(upload, false);
}

static int upload_finish(struct sink *sink, const struct ctx *ctx, struct sc_err *err)
{
    struct s3_upload *u = (struct s3_upload *)sink;
    AUTO_ERR struct sc_err why = {0};
    int result = 0;
    if (u->written != u->total)
        result = err_set(&why, ERR_CORRUPT, "%" PRIu64 " of %" PRIu64 " bytes came for the upload",
                         u->written, u->total);
    if (result == 0 && u->parts)
        result = parts_finish(u->parts, ctx, tell_sent, u, &why);
    if (result == 0 && u->parts)
        result = check_free(u, ctx, &why);
    if (result == 0 && u->parts)
        tell(u, true);
    if (result == 0)
        result = make_visible(u, ctx, &why);
    if (result < 0)
        undo(u);
    else
        result = read_back(u, &why);
    buf_free(&u->body);
    if (result < 0 && err)
        err_move(err, &why);
    return result;
}

/* ---- life ---- */

static int check_setup(const struct s3_upload_setup *setup, uint64_t part_size, struct sc_err *err)
{
    if (setup->total > S3_OBJECT_MAX)
        return err_set(err, ERR_CONFIG, "an object in S3 can have 5 TiB at most");
    if (setup->concurrency > S3_CONCURRENCY_MAX)
        return err_set(err, ERR_CONFIG, "at most %d parts can be sent at a time", S3_CONCURRENCY_MAX);
    if ((setup->total + part_size - 1) / part_size > S3_PARTS_MAX)
        return err_set(err, ERR_CONFIG, "with parts of %" PRIu64 " bytes it would be more than %d", part_size,
                       S3_PARTS_MAX);
    return s3_write_check(&setup->write, err);
}

int s3_upload_new(const struct ctx *ctx, const struct s3_upload_setup *setup, struct s3_upload **out,
                  struct sc_err *err)
{
    uint64_t part_size = setup->part_size ? setup->part_size : s3_upload_part_size(setup->total);
    if (check_setup(setup, part_size, err) < 0)
        return -1;
    struct s3_upload *u = mem_calloc(1, sizeof *u);
    u->sink = (struct sink){.write = upload_write, .finish = upload_finish, .abort = upload_abort};
    u->client = setup->client;
    u->write = setup->write;
    if (!u->write.mark[0])
        s3_write_mark(&u->write);
    u->deadline_ms = ctx->deadline_ms;
    u->progress = setup->progress;
    u->progress_arg = setup->progress_arg;
    u->ctx = (struct ctx){.log = ctx->log, .deadline_ms = CTX_NO_DEADLINE, .who = ctx->who};
    u->total = u->facts.bytes = setup->total;
    u->facts.parts = 1;
    u->body.max = S3_PUT_MAX;
    *out = u;
    if (setup->total <= S3_PUT_MAX)
        return 0;
    u->facts.parts = (unsigned)((setup->total + part_size - 1) / part_size);
    struct parts_setup parts = {.client = setup->client,
                                .write = &u->write,
                                .part_size = part_size,
                                .n_parts = u->facts.parts,
                                .concurrency = setup->concurrency ? setup->concurrency : S3_CONCURRENCY};
    u->parts = parts_new(ctx, &parts);
    if (parts_start(u->parts, err) == 0)
        return 0;
    s3_upload_free(u);
    *out = NULL;
    return -1;
}

struct sink *s3_upload_sink(struct s3_upload *upload)
{
    return &upload->sink;
}

void s3_upload_stop(struct s3_upload *upload)
{
    if (upload->parts)
        parts_stop(upload->parts);
}

const char *s3_upload_mark(const struct s3_upload *upload)
{
    return upload->write.mark;
}

const struct s3_upload_facts *s3_upload_facts(const struct s3_upload *upload)
{
    return &upload->facts;
}

uint64_t s3_upload_sent(const struct s3_upload *upload)
{
    return upload->parts ? parts_sent(upload->parts) : atomic_load(&upload->put);
}

void s3_upload_free(struct s3_upload *upload)
{
    if (!upload)
        return;
    parts_free(upload->parts);
    buf_free(&upload->body);
    free(upload->facts.etag);
    free(upload->facts.version_id);
    free(upload);
}
