/* The freelist of a bbolt database: which pages hold nothing (go.etcd.io/bbolt: freelist.go). */
#ifndef SNAPCTL_SNAPSHOT_DATABASE_FREELIST_H
#define SNAPCTL_SNAPSHOT_DATABASE_FREELIST_H

#include "database_meta.h"
#include "database_page.h"

/* Marks the pages that are free. No page may be used yet. */
int database_freelist_read(struct database_pages *pages, const struct database_meta *meta, unsigned meta_page,
                           struct sc_err *err) WARN_UNUSED;

/* When all pages that are used are marked: with a freelist the others must be on it, else they are lost. */
int database_freelist_check(const struct database_pages *pages, const struct database_meta *meta,
                            struct sc_err *err) WARN_UNUSED;

#endif
