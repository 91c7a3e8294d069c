#include "database_freelist.h"

#include <inttypes.h>

#include "le.h"

enum { NUMBER = 8, COUNT_IS_WIDE = 0xFFFF };

static int mark_free(struct database_pages *pages, uint64_t id, uint64_t freelist, struct sc_err *err)
{
    if (id < DATABASE_FIRST_PAGE || id >= pages->n)
        return database_page_bad(
            err, freelist, "has page %" PRIu64 " for free, which is a meta page or none of the %" PRIu64, id,
            pages->n);
    if (pages->use[id] == DATABASE_USED)
        return database_page_bad(err, freelist, "has itself for free (page %" PRIu64 ")", id);
    if (pages->use[id] == DATABASE_FREE)
        return database_page_bad(err, freelist, "has page %" PRIu64 " for free twice", id);
    pages->use[id] = DATABASE_FREE;
    return 0;
}

int database_freelist_read(struct database_pages *pages, const struct database_meta *meta, unsigned meta_page,
                           struct sc_err *err)
{
    struct database_page page;
    if (meta->freelist == DATABASE_NO_FREELIST)
        return 0;
    if (database_page_open(pages, meta->freelist, meta_page, DATABASE_PAGE_FREELIST, &page, err) < 0)
        return -1;
    /* A count that does not fit stands in the first number's place. */
    const unsigned char *numbers = page.data + DATABASE_PAGE_HEADER;
    size_t room = (page.bytes - DATABASE_PAGE_HEADER) / NUMBER;
    uint64_t count = page.count;
    if (page.count == COUNT_IS_WIDE) {
        count = le_u64(numbers);
        numbers += NUMBER;
        room--;
    }
    if (count > room)
        return database_page_bad(err, page.id, "has no room for the %" PRIu64 " free pages that it counts",
                                 count);
    for (uint64_t i = 0; i < count; i++)
        if (mark_free(pages, le_u64(numbers + i * NUMBER), page.id, err) < 0)
            return -1;
    return 0;
}

int database_freelist_check(const struct database_pages *pages, const struct database_meta *meta,
                            struct sc_err *err)
{
    if (meta->freelist == DATABASE_NO_FREELIST)
        return 0;
    for (uint64_t id = DATABASE_FIRST_PAGE; id < pages->n; id++)
        if (pages->use[id] == DATABASE_UNSEEN)
            return database_page_bad(err, id, "is lost: nothing uses it, and the freelist does not have it");
    return 0;
}
