#include "database_tree.h"

#include <inttypes.h>
#include <stdlib.h>

#include "le.h"

/* Branches have two children and more, and etcd has buckets within the root only: no database comes near. */
enum { DEPTH_MAX = 64 };
enum { BUCKET_HEADER = 16 }; /* root page and sequence number */

/* A page on the way from the root to where the walk is. */
struct frame {
    struct database_cursor cursor;
    size_t bucket;             /* the frame at which its bucket begins */
    size_t nesting;            /* buckets around it: 0 in the root bucket */
    const unsigned char *last; /* of a bucket's first frame: the last key of its leaves so far */
    size_t last_len;
};

struct walk {
    const struct ctx *ctx;
    struct database_pages *pages;
    const struct database_visitor *visitor;
    size_t depth;
    struct frame frames[DEPTH_MAX];
};

static int push(struct walk *w, const struct database_page *page, size_t bucket, size_t nesting,
                struct sc_err *err)
{
    if (w->depth == DEPTH_MAX)
        return database_page_bad(err, page->id, "is more than %d pages below the root", DEPTH_MAX);
    struct frame *frame = &w->frames[w->depth++];
    *frame = (struct frame){.bucket = bucket, .nesting = nesting};
    return database_cursor_init(&frame->cursor, page, err);
}

static int first_key(const struct database_page *page, const unsigned char **key, size_t *len,
                     struct sc_err *err)
{
    struct database_cursor look;
    struct database_element first;
    if (page->digest) {
        *key = page->digest->first;
        *len = page->digest->first_len;
        return 0;
    }
    if (database_cursor_init(&look, page, err) < 0 || database_cursor_next(&look, &first, err) < 0)
        return -1;
    *key = first.key;
    *len = first.key_len;
    return 0;
}

/* bbolt finds a child in its parent by the child's first key, so both must be equal: then ascending keys in
 * the leaves mean that the branches' keys are right, too. */
static int open_child(struct walk *w, const struct frame *parent, const struct database_element *e,
                      struct sc_err *err)
{
    struct database_page page;
    const unsigned char *first;
    size_t first_len;
    uint64_t from = parent->cursor.page.id;
    if (database_page_open(w->pages, e->child, from, DATABASE_PAGE_BRANCH | DATABASE_PAGE_LEAF, &page, err) <
        0)
        return -1;
    if (page.count == 0)
        return database_page_bad(err, page.id, "is empty, but page %" PRIu64 " refers to it", from);
    if (first_key(&page, &first, &first_len, err) < 0)
        return -1;
    if (database_key_compare(first, first_len, e->key, e->key_len) != 0)
        return database_page_bad(
            err, page.id, "begins with another key than element %u of page %" PRIu64 " says", e->index, from);
    return push(w, &page, parent->bucket, parent->nesting, err);
}

static int open_root(struct walk *w, uint64_t root, uint64_t from, size_t nesting, struct sc_err *err)
{
    struct database_page page;
    if (database_page_open(w->pages, root, from, DATABASE_PAGE_BRANCH | DATABASE_PAGE_LEAF, &page, err) < 0)
        return -1;
    if (page.flags == DATABASE_PAGE_BRANCH && page.count == 0)
        return database_page_bad(err, page.id, "is a branch without elements");
    return push(w, &page, w->depth, nesting, err);
}

static int open_bucket(struct walk *w, const struct frame *parent, const struct database_element *e,
                       struct sc_err *err)
{
    struct database_page page;
    uint64_t id = parent->cursor.page.id;
    if (e->value_len < BUCKET_HEADER)
        return database_page_bad(err, id, "element %u is a bucket of %zu bytes, which is too few", e->index,
                                 e->value_len);
    uint64_t root = le_u64(e->value);
    if (root != 0 && e->value_len != BUCKET_HEADER)
        return database_page_bad(err, id, "element %u is a bucket with %zu bytes too many", e->index,
                                 e->value_len - BUCKET_HEADER);
    if (root != 0)
        return open_root(w, root, id, parent->nesting + 1, err);
    if (database_page_open_inline(e->value + BUCKET_HEADER, e->value_len - BUCKET_HEADER, id, &page, err) < 0)
        return -1;
    return push(w, &page, w->depth, parent->nesting + 1, err);
}

static int tell(const struct walk *w, const struct frame *frame, const struct database_element *e,
                struct sc_err *err)
{
    int result = 0;
    if (frame->nesting == 0)
        result = w->visitor->bucket(w->visitor->arg, e, err);
    else if (frame->nesting == 1)
        result = w->visitor->entry(w->visitor->arg, e, err);
    return result < 0 ? err_wrap(err, "page %" PRIu64, frame->cursor.page.id) : 0;
}

/* With the first key of a leaf. */
static int follow(const struct frame *bucket, uint64_t id, const unsigned char *key, size_t len,
                  struct sc_err *err)
{
    if (bucket->last && database_key_compare(bucket->last, bucket->last_len, key, len) >= 0)
        return database_page_bad(err, id, "element 0 must have a greater key than the leaf before this one");
    return 0;
}

static int refuse_in_root(uint64_t id, unsigned index, struct sc_err *err)
{
    return database_page_bad(err, id, "element %u must be a bucket, as the root holds nothing else", index);
}

static int visit_leaf(struct walk *w, const struct frame *frame, const struct database_element *e,
                      struct sc_err *err)
{
    struct frame *bucket = &w->frames[frame->bucket];
    uint64_t id = frame->cursor.page.id;
    if (e->index == 0 && follow(bucket, id, e->key, e->key_len, err) < 0)
        return -1;
    bucket->last = e->key;
    bucket->last_len = e->key_len;
    if (frame->nesting == 0 && !e->bucket)
        return refuse_in_root(id, e->index, err);
    if (tell(w, frame, e, err) < 0)
        return -1;
    return e->bucket ? open_bucket(w, frame, e, err) : 0;
}

static int visit_digest(const struct walk *w, const struct frame *frame, struct frame *bucket,
                        struct sc_err *err)
{
    const struct database_digest *digest = frame->cursor.page.digest;
    if (follow(bucket, digest->id, digest->first, digest->first_len, err) < 0)
        return -1;
    bucket->last = digest->last;
    bucket->last_len = digest->last_len;
    if (frame->nesting == 0)
        return refuse_in_root(digest->id, 0, err);
    if (frame->nesting == 1 && w->visitor->digest(w->visitor->arg, digest, err) < 0)
        return err_wrap(err, "page %" PRIu64, digest->id);
    return 0;
}

static int back(struct walk *w, struct sc_err *err)
{
    w->depth--;
    return ctx_check(w->ctx, err);
}

/* The next element of the page where the walk is, or back to the page above. */
static int step(struct walk *w, struct sc_err *err)
{
    struct frame *frame = &w->frames[w->depth - 1];
    struct database_element element;
    if (frame->cursor.page.digest)
        return visit_digest(w, frame, &w->frames[frame->bucket], err) < 0 ? -1 : back(w, err);
    int more = database_cursor_next(&frame->cursor, &element, err);
    if (more < 0)
        return -1;
    if (more == 0)
        return back(w, err);
    if (frame->cursor.page.flags == DATABASE_PAGE_BRANCH)
        return open_child(w, frame, &element, err);
    return visit_leaf(w, frame, &element, err);
}

int database_tree_walk(const struct ctx *ctx, struct database_pages *pages, uint64_t root, uint64_t from,
                       const struct database_visitor *visitor, struct sc_err *err)
{
    AUTO_FREE struct walk *w = mem_calloc(1, sizeof *w);
    w->ctx = ctx;
    w->pages = pages;
    w->visitor = visitor;
    if (open_root(w, root, from, 0, err) < 0)
        return -1;
    while (w->depth)
        if (step(w, err) < 0)
            return -1;
    return 0;
}
