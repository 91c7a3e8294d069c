/* Pages of a bbolt database, and the elements that they hold in the order of their keys.
 *
 * A page begins with a header: its number (8 bytes), flags (2), count (2), and the number of pages behind it
 * that belong to it, too (4). An array of headers of the elements follows, then their keys and values, one
 * behind the other without a gap (go.etcd.io/bbolt: page.go, node.go).
 *
 * The pages stand one behind the other, or are what database_sift.h has left of them. */
#ifndef SNAPCTL_SNAPSHOT_DATABASE_PAGE_H
#define SNAPCTL_SNAPSHOT_DATABASE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/err.h"
#include "snapctl/base/mem.h"

enum {
    DATABASE_PAGE_BRANCH = 0x01,
    DATABASE_PAGE_LEAF = 0x02,
    DATABASE_PAGE_META = 0x04,
    DATABASE_PAGE_FREELIST = 0x10,
};
enum { DATABASE_PAGE_HEADER = 16, DATABASE_FIRST_PAGE = 2 };

/* What a page was found to be. */
enum database_use { DATABASE_UNSEEN, DATABASE_FREE, DATABASE_USED };

/* Where a page of a sifted database is: in units from the beginning on, times two; and one more if it is a
 * digest. Or nowhere, as no page begins there. */
enum { DATABASE_PLACE_UNIT = 64 };
#define DATABASE_NOWHERE UINT32_MAX

struct database_pages {
    const unsigned char *data;
    size_t data_bytes;
    uint64_t n;
    uint32_t page_bytes;
    const uint32_t *places; /* n; NULL: all pages are there, in their order */
    unsigned char *use;     /* n of enum database_use */
    void *map;              /* the same as data where that is a mapped file; else NULL */
    uint64_t window;        /* of the map, which was read last */
    size_t held;            /* bytes of the map that may be in memory */
};

/* What a page says of itself. */
struct database_header {
    uint64_t id;
    unsigned flags;
    unsigned count;
    uint64_t pages; /* that it takes, itself among them */
};

struct database_header database_header_read(const unsigned char data[DATABASE_PAGE_HEADER]);

struct database_page {
    uint64_t id; /* for an inline page: of the page that it is in */
    bool inlined;
    unsigned flags;
    unsigned count;
    const unsigned char *data; /* from its header on; NULL: there is a digest instead */
    size_t bytes;              /* with the pages behind it that belong to it */
    const struct database_digest *digest;
};

/* Fills err with ERR_CORRUPT and "page <id>: <format>"; returns -1. */
int database_page_bad(struct sc_err *err, uint64_t id, const char *format, ...) PRINTF_LIKE(3, 4);

/* The page `id`, to which the page `from` refers. It must exist, be of one of the kinds (flags, or'ed), and
 * be in use for the first time: it is marked as used with all that belongs to it. */
int database_page_open(struct database_pages *pages, uint64_t id, uint64_t from, unsigned kinds,
                       struct database_page *page, struct sc_err *err) WARN_UNUSED;

/* The page within the value of a small bucket, which stands on the page `id`. */
int database_page_open_inline(const unsigned char *data, size_t len, uint64_t id, struct database_page *page,
                              struct sc_err *err) WARN_UNUSED;

struct database_element {
    unsigned index;
    bool bucket;    /* the value is that of a bucket */
    uint64_t child; /* of a branch: the page that begins with this key */
    const unsigned char *key;
    size_t key_len;
    const unsigned char *value; /* right behind the key; of a leaf */
    size_t value_len;
};

/* Where a reader of a leaf or branch is, of which there is more than a digest. */
struct database_cursor {
    struct database_page page;
    unsigned next;  /* element */
    size_t data_at; /* offset of its key */
    const unsigned char *last;
    size_t last_len; /* of the key before it; 0 before the first */
};

int database_cursor_init(struct database_cursor *cursor, const struct database_page *page,
                         struct sc_err *err) WARN_UNUSED;

/* 1 and the next element, which lies within the page and has a greater key than the one before it; 0 behind
 * the last one; -1. */
int database_cursor_next(struct database_cursor *cursor, struct database_element *element,
                         struct sc_err *err) WARN_UNUSED;

/* <0, 0, >0 as memcmp. */
int database_key_compare(const unsigned char *a, size_t a_len, const unsigned char *b, size_t b_len);

#endif
