#include "database_page.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include "database_digest.h"
#include "le.h"
#include "snapctl/base/str.h"

/* Within the header. */
enum { FLAGS = 8, COUNT = 10, OVERFLOW = 12 };
enum { ELEMENT = 16, ELEMENT_BUCKET = 1 };

int database_page_bad(struct sc_err *err, uint64_t id, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    AUTO_FREE char *text = str_vformat(format, args);
    va_end(args);
    return err_set(err, ERR_CORRUPT, "page %" PRIu64 ": %s", id, text);
}

/* What the kernel maps around a page that is read, and what of the map may be in memory. */
enum { WINDOW = 64 << 10, HELD_MAX = 2 << 20 };

/* Pages that were read count as this process's memory until they are given back; the kernel keeps them, and
 * they come again if they are needed. */
static void hold(struct database_pages *pages, const struct database_page *page)
{
    const unsigned char *at = page->digest ? (const unsigned char *)page->digest : page->data;
    size_t bytes = page->digest ? sizeof *page->digest : page->bytes;
    uint64_t window = (uint64_t)(at - pages->data) / WINDOW;
    if (!pages->map || (window == pages->window && bytes <= WINDOW))
        return;
    pages->window = window;
    pages->held += WINDOW + bytes;
    if (pages->held < HELD_MAX)
        return;
    (void)madvise(pages->map, pages->data_bytes, MADV_DONTNEED);
    pages->held = 0;
}

static const char *kinds_name(unsigned kinds)
{
    return kinds == DATABASE_PAGE_FREELIST ? "the freelist" : "a branch or a leaf";
}

/* Pages that the freelist names must not be used, and no page by two others. */
static int claim(struct database_pages *pages, uint64_t id, uint64_t n, uint64_t from, struct sc_err *err)
{
    for (uint64_t i = id; i < id + n; i++) {
        if (pages->use[i] == DATABASE_FREE)
            return database_page_bad(err, i, "is used by page %" PRIu64 ", but the freelist has it", from);
        if (pages->use[i] == DATABASE_USED)
            return database_page_bad(err, i, "is used twice, the second time by page %" PRIu64, from);
        pages->use[i] = DATABASE_USED;
    }
    return 0;
}

struct database_header database_header_read(const unsigned char data[DATABASE_PAGE_HEADER])
{
    return (struct database_header){.id = le_u64(data),
                                    .flags = le_u16(data + FLAGS),
                                    .count = le_u16(data + COUNT),
                                    .pages = 1 + (uint64_t)le_u32(data + OVERFLOW)};
}

/* Where a page is, and what it says of itself. False: it was sifted out, as no page begins there. */
static bool find(const struct database_pages *pages, uint64_t id, struct database_page *page,
                 struct database_header *header)
{
    *page = (struct database_page){.id = id};
    uint64_t offset = id * pages->page_bytes;
    if (pages->places) {
        uint32_t place = pages->places[id];
        if (place == DATABASE_NOWHERE)
            return false;
        offset = (uint64_t)(place / 2) * DATABASE_PLACE_UNIT;
        page->digest = place % 2 ? (const void *)(pages->data + offset) : NULL;
    }
    page->data = page->digest ? NULL : pages->data + offset;
    *header = page->digest ? database_digest_header(page->digest) : database_header_read(page->data);
    return true;
}

int database_page_open(struct database_pages *pages, uint64_t id, uint64_t from, unsigned kinds,
                       struct database_page *page, struct sc_err *err)
{
    if (id < DATABASE_FIRST_PAGE || id >= pages->n)
        return database_page_bad(err, from,
                                 "refers to page %" PRIu64 ", which is a meta page or none of the %" PRIu64,
                                 id, pages->n);
    struct database_header header;
    if (!find(pages, id, page, &header) || header.id != id)
        return database_page_bad(err, id, "its header says that it is another page");
    page->flags = header.flags;
    page->count = header.count;
    bool one_kind = (page->flags & (page->flags - 1)) == 0;
    if (!(page->flags & kinds) || !one_kind)
        return database_page_bad(err, id, "must be %s, as page %" PRIu64 " refers to it, found flags 0x%04x",
                                 kinds_name(kinds), from, page->flags);
    if (header.pages > pages->n - id)
        return database_page_bad(err, id, "reaches over %" PRIu64 " pages, but only %" PRIu64 " are left",
                                 header.pages, pages->n - id);
    page->bytes = (size_t)header.pages * pages->page_bytes;
    /* A sift keeps each page as a whole. Were it wrong, hostile bytes could make this read beyond the map. */
    if (page->data && page->bytes > pages->data_bytes - (size_t)(page->data - pages->data))
        return database_page_bad(err, id, "was not kept as a whole");
    hold(pages, page);
    return claim(pages, id, header.pages, from, err);
}

int database_page_open_inline(const unsigned char *data, size_t len, uint64_t id, struct database_page *page,
                              struct sc_err *err)
{
    if (len < DATABASE_PAGE_HEADER)
        return database_page_bad(err, id, "a bucket within it has %zu bytes, which is too few", len);
    *page = (struct database_page){.id = id,
                                   .inlined = true,
                                   .flags = le_u16(data + FLAGS),
                                   .count = le_u16(data + COUNT),
                                   .data = data,
                                   .bytes = len};
    if (le_u64(data) != 0 || page->flags != DATABASE_PAGE_LEAF || le_u32(data + OVERFLOW) != 0)
        return database_page_bad(err, id, "a bucket within it must be a leaf, found flags 0x%04x",
                                 page->flags);
    return 0;
}

int database_key_compare(const unsigned char *a, size_t a_len, const unsigned char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

int database_cursor_init(struct database_cursor *cursor, const struct database_page *page, struct sc_err *err)
{
    *cursor = (struct database_cursor){.page = *page,
                                       .data_at = DATABASE_PAGE_HEADER + (size_t)page->count * ELEMENT};
    if (cursor->data_at > page->bytes)
        return database_page_bad(err, page->id, "has no room for the %u elements that it counts",
                                 page->count);
    return 0;
}

/* The element's header: its key's distance from it, sizes, and flags of a leaf or child of a branch. */
static uint64_t decode(const struct database_page *page, unsigned index, struct database_element *element,
                       uint32_t *flags)
{
    size_t at = DATABASE_PAGE_HEADER + (size_t)index * ELEMENT;
    const unsigned char *p = page->data + at;
    bool leaf = page->flags == DATABASE_PAGE_LEAF;
    *flags = leaf ? le_u32(p) : 0;
    *element = (struct database_element){
        .index = index,
        .bucket = *flags & ELEMENT_BUCKET,
        .child = leaf ? 0 : le_u64(p + 8),
        .key_len = le_u32(p + (leaf ? 8 : 4)),
        .value_len = leaf ? le_u32(p + 12) : 0,
    };
    return at + le_u32(p + (leaf ? 4 : 0));
}

int database_cursor_next(struct database_cursor *c, struct database_element *e, struct sc_err *err)
{
    const struct database_page *page = &c->page;
    uint32_t flags;
    if (c->next == page->count)
        return 0;
    uint64_t at = decode(page, c->next, e, &flags);
    size_t room = page->bytes - c->data_at;
    if (flags & ~(uint32_t)ELEMENT_BUCKET)
        return database_page_bad(err, page->id, "element %u has unknown flags 0x%08" PRIx32, e->index, flags);
    /* Without overlaps what is read in a page is bounded by the page. */
    if (at != c->data_at)
        return database_page_bad(err, page->id,
                                 "element %u must have its key at byte %zu, found byte %" PRIu64, e->index,
                                 c->data_at, at);
    if (e->key_len == 0 || e->key_len > room || e->value_len > room - e->key_len)
        return database_page_bad(err, page->id,
                                 "element %u has a key of %zu bytes and a value of %zu, but the page has "
                                 "room for %zu",
                                 e->index, e->key_len, e->value_len, room);
    e->key = page->data + c->data_at;
    e->value = e->key + e->key_len;
    if (c->last && database_key_compare(c->last, c->last_len, e->key, e->key_len) >= 0)
        return database_page_bad(err, page->id, "element %u must have a greater key than the one before it",
                                 e->index);
    c->data_at += e->key_len + e->value_len;
    c->last = e->key;
    c->last_len = e->key_len;
    c->next++;
    return 1;
}
