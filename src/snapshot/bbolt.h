/* The first page of a bbolt database (go.etcd.io/bbolt: page.go, db.go): is this one at all, and how large
 * must it be? */
#ifndef SNAPCTL_SNAPSHOT_BBOLT_H
#define SNAPCTL_SNAPSHOT_BBOLT_H

#include <stdint.h>

#include "snapctl/base/err.h"
#include "snapctl/base/mem.h"

/* Of the first page: its header of 16 bytes and the meta record behind it. */
enum { BBOLT_META_BYTES = 80 };

/* Checks magic, version, page size and checksum of the meta record. *size is set to the bytes that the
 * database's pages take: what it must have at least. */
int bbolt_check_meta(const unsigned char page[BBOLT_META_BYTES], uint64_t *size,
                     struct sc_err *err) WARN_UNUSED;

#endif
