/* The two first pages of a bbolt database (go.etcd.io/bbolt: page.go, db.go): is this one at all, how large
 * must it be, and where does its tree begin? */
#ifndef SNAPCTL_SNAPSHOT_DATABASE_META_H
#define SNAPCTL_SNAPSHOT_DATABASE_META_H

#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/err.h"
#include "snapctl/base/mem.h"

/* Of a meta page: its header of 16 bytes and the record behind it. */
enum { DATABASE_META_BYTES = 80 };

/* In place of the freelist's page: none was written, as etcd has it since 3.3. Every page that is not used is
 * free then. */
#define DATABASE_NO_FREELIST UINT64_MAX

struct database_meta {
    uint32_t page_bytes; /* a power of two */
    uint64_t pages;      /* all have lower numbers, and their bytes can be counted */
    uint64_t root;       /* page of the bucket that holds all others */
    uint64_t freelist;   /* page, or DATABASE_NO_FREELIST */
    uint64_t txid;
};

/* The meta page `id` (0 or 1): checks header, magic, version, checksum and sizes. */
int database_meta_read(const unsigned char page[DATABASE_META_BYTES], unsigned id, struct database_meta *meta,
                       struct sc_err *err) WARN_UNUSED;

/* Takes the meta page of the two that is good, of two good ones the newer. -1 if none is, or if the database
 * is shorter than its pages. *chosen is its number and *damaged that of a page which is not good, else
 * DATABASE_META_GOOD. */
int database_meta_choose(const unsigned char *data, size_t len, struct database_meta *meta, unsigned *chosen,
                         int *damaged, struct sc_err *err) WARN_UNUSED;

/* Whether a database of so many bytes has all of its pages. */
int database_meta_check_size(const struct database_meta *meta, uint64_t bytes,
                             struct sc_err *err) WARN_UNUSED;

#endif
