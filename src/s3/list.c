#include <stdlib.h>
#include <string.h>

#include "attempt.h"
#include "rfc3339.h"
#include "snapctl/base/str.h"
#include "snapctl/s3/multipart.h"
#include "snapctl/s3/xml.h"

enum { PAGE_MAX = 8 << 20, PAGES_MAX = 10000, FIELDS = 4 };

/* What is read of each item, and which names lead to the next page. */
struct listing {
    const char *action;
    const char *item;           /* path of an item */
    const char *fields[FIELDS]; /* of an item; NULL where it has less */
    const char *truncated;
    struct {
        const char *path, *parameter; /* what is told, and how it is given back */
    } next[2];
};

static const struct listing objects = {
    .action = "s3:ListBucket",
    .item = "ListBucketResult/Contents",
    .fields = {"ListBucketResult/Contents/Key",          "ListBucketResult/Contents/ETag",
               "ListBucketResult/Contents/LastModified", "ListBucketResult/Contents/Size"},
    .truncated = "ListBucketResult/IsTruncated",
    .next = {{"ListBucketResult/NextContinuationToken", "continuation-token"}},
};

static const struct listing uploads = {
    .action = "s3:ListBucketMultipartUploads",
    .item = "ListMultipartUploadsResult/Upload",
    .fields = {"ListMultipartUploadsResult/Upload/Key", "ListMultipartUploadsResult/Upload/UploadId",
               "ListMultipartUploadsResult/Upload/Initiated"},
    .truncated = "ListMultipartUploadsResult/IsTruncated",
    .next = {{"ListMultipartUploadsResult/NextKeyMarker", "key-marker"},
               {"ListMultipartUploadsResult/NextUploadIdMarker", "upload-id-marker"}                         },
};

/* One page, collected: items are told only after it was read whole. */
struct page {
    const struct listing *listing;
    char *current[FIELDS];
    char *(*items)[FIELDS];
    size_t n;
    char *truncated, *next[2];
};

static void set(char **slot, const char *text)
{
    free(*slot);
    *slot = str_dup(text);
}

static void take_element(void *arg, const char *path, const char *text)
{
    struct page *page = arg;
    const struct listing *listing = page->listing;
    for (size_t i = 0; i < FIELDS; i++)
        if (str_equal(listing->fields[i], path))
            set(&page->current[i], text);
    for (size_t i = 0; i < 2; i++)
        if (str_equal(listing->next[i].path, path))
            set(&page->next[i], text);
    if (strcmp(path, listing->truncated) == 0)
        set(&page->truncated, text);
    if (strcmp(path, listing->item) != 0)
        return;
    if ((page->n & (page->n - 1)) == 0) /* full, as it has room for a power of two */
        page->items = mem_realloc(page->items, page->n ? 2 * page->n : 1, sizeof *page->items);
    memcpy(page->items[page->n++], page->current, sizeof page->current);
    memset(page->current, 0, sizeof page->current);
}

static void free_items(struct page *page)
{
    for (size_t i = 0; i < page->n; i++)
        for (size_t j = 0; j < FIELDS; j++)
            free(page->items[i][j]);
    free(page->items);
    for (size_t j = 0; j < FIELDS; j++)
        free(page->current[j]);
    page->items = NULL;
    page->n = 0;
    memset(page->current, 0, sizeof page->current);
}

static void free_page(struct page *page)
{
    free_items(page);
    free(page->truncated);
    free(page->next[0]);
    free(page->next[1]);
}

static int read_page(struct s3_client *client, const struct ctx *ctx, const char *prefix, struct page *page,
                     struct sc_err *err)
{
    const struct listing *listing = page->listing;
    AUTO_REQUEST struct s3_request request = {
        .method = "GET", .action = listing->action, .response_max = PAGE_MAX};
    AUTO_REPLY struct s3_reply reply = {0};
    s3_request_query(&request, listing == &objects ? "list-type" : "uploads", listing == &objects ? "2" : "");
    s3_request_query(&request, "prefix", prefix);
    if (listing == &objects)
        s3_request_query(&request, "delimiter", "/");
    for (size_t i = 0; i < 2; i++)
        if (page->next[i] && *page->next[i])
            s3_request_query(&request, listing->next[i].parameter, page->next[i]);
    free_page(page);
    *page = (struct page){.listing = listing};
    if (s3_perform(client, ctx, &request, &reply, err) < 0)
        return -1;
    if (s3_xml_parse(reply.http.body.data, reply.http.body.len, take_element, page) < 0)
        return err_set(err, ERR_STORE, "the store's list of s3://%s/%s cannot be read",
                       s3_client_address(client)->bucket, prefix);
    return 0;
}

/* Callers keep what they are told. */
static int too_many(const struct s3_client *client, const char *prefix, struct sc_err *err)
{
    err_set(err, ERR_STORE, "the store lists more than %d objects at s3://%s/%s", S3_LISTED_MAX,
            s3_client_address(client)->bucket, prefix);
    return err_hint(err, "a narrower --folder, or --prefix where the command has it, lists less");
}

typedef int item_seen(void *arg, char *const fields[FIELDS]);

static int list_all(struct s3_client *client, const struct ctx *ctx, const struct listing *listing,
                    const char *prefix, item_seen *seen, void *arg, struct sc_err *err)
{
    CLEANUP(free_page) struct page page = {.listing = listing};
    size_t listed = 0;
    for (int i = 0; i < PAGES_MAX; i++) {
        if (read_page(client, ctx, prefix, &page, err) < 0)
            return -1;
        listed += page.n;
        if (listed > S3_LISTED_MAX)
            return too_many(client, prefix, err);
        for (size_t j = 0; j < page.n; j++)
            if (page.items[j][0] && str_starts(page.items[j][0], prefix) && seen(arg, page.items[j]) < 0)
                return 0;
        bool more = str_equal(page.truncated, "true") && page.next[0] && *page.next[0];
        if (!more)
            return 0;
    }
    return err_set(err, ERR_STORE, "the store's list of s3://%s/%s does not end",
                   s3_client_address(client)->bucket, prefix);
}

struct object_receiver {
    s3_entry_seen *seen;
    void *arg;
};

/* 0: not told. */
static int64_t time_of(const char *text)
{
    int64_t seconds;
    return text && rfc3339_parse(text, &seconds) ? seconds : 0;
}

static int object_seen(void *arg, char *const fields[FIELDS])
{
    const struct object_receiver *receiver = arg;
    int64_t bytes = 0;
    if (fields[3] && !str_to_int(fields[3], 0, INT64_MAX, &bytes))
        bytes = 0;
    struct s3_entry entry = {
        .key = fields[0], .etag = fields[1], .modified = time_of(fields[2]), .bytes = (uint64_t)bytes};
    return receiver->seen(receiver->arg, &entry);
}

int s3_object_list(struct s3_client *client, const struct ctx *ctx, const char *prefix, s3_entry_seen *seen,
                   void *arg, struct sc_err *err)
{
    struct object_receiver receiver = {seen, arg};
    return list_all(client, ctx, &objects, prefix, object_seen, &receiver, err);
}

struct upload_receiver {
    s3_pending_seen *seen;
    void *arg;
};

static int upload_seen(void *arg, char *const fields[FIELDS])
{
    const struct upload_receiver *receiver = arg;
    struct s3_pending pending = {
        .key = fields[0], .upload_id = fields[1] ? fields[1] : "", .initiated = time_of(fields[2])};
    return receiver->seen(receiver->arg, &pending);
}

int s3_multipart_list(struct s3_client *client, const struct ctx *ctx, const char *prefix,
                      s3_pending_seen *seen, void *arg, struct sc_err *err)
{
    struct upload_receiver receiver = {seen, arg};
    return list_all(client, ctx, &uploads, prefix, upload_seen, &receiver, err);
}
