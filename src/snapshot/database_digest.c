#include "database_digest.h"

#include <string.h>

#include "database_mvcc.h"

static bool is_revision(const struct database_element *e)
{
    struct database_revision revision;
    return !e->bucket && database_mvcc_revision(e->key, e->key_len, &revision, NULL) == 0 &&
           database_mvcc_check(e->value, e->value_len, &revision, NULL) == 0;
}

/* No revision is longer. */
static uint8_t keep_key(unsigned char key[DATABASE_REVISION_MAX], const struct database_element *e)
{
    memcpy(key, e->key, e->key_len);
    return (uint8_t)e->key_len;
}

bool database_digest_make(struct crc32c *crc, const struct database_page *page,
                          struct database_digest *digest)
{
    struct database_cursor cursor;
    struct database_element e;
    int more;
    if (page->count == 0 || database_cursor_init(&cursor, page, NULL) < 0)
        return false;
    size_t begin = cursor.data_at;
    *digest = (struct database_digest){.id = page->id, .count = page->count};
    while ((more = database_cursor_next(&cursor, &e, NULL)) > 0) {
        if (!is_revision(&e))
            return false;
        if (e.index == 0)
            digest->first_len = keep_key(digest->first, &e);
        digest->last_len = keep_key(digest->last, &e);
    }
    if (more < 0)
        return false;
    digest->bytes = (uint32_t)(cursor.data_at - begin);
    crc->value = 0;
    crc32c_update(crc, page->data + begin, digest->bytes);
    digest->crc = crc->value;
    return true;
}

struct database_header database_digest_header(const struct database_digest *digest)
{
    return (struct database_header){
        .id = digest->id, .flags = DATABASE_PAGE_LEAF, .count = digest->count, .pages = digest->pages};
}
