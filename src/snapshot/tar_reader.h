/* Reads a tar archive that comes in pieces: POSIX.1-2017's ustar and pax, and GNU's long names. Bounded: a
 * name has at most TAR_NAME_MAX bytes, and no more than bytes_max come in all. */
#ifndef SNAPCTL_SNAPSHOT_TAR_READER_H
#define SNAPCTL_SNAPSHOT_TAR_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/err.h"
#include "snapctl/base/mem.h"

enum { TAR_NAME_MAX = 4096 };

struct tar_entry {
    const char *name; /* as the archive has it, up to the first NUL; for the call */
    bool file;        /* a regular one: else a folder, a link, a device */
    uint64_t bytes;
};

/* -1 of a function ends the reading. */
struct tar_visitor {
    int (*entry)(void *arg, const struct tar_entry *entry, struct sc_err *err);
    /* What is in the entry, in pieces. */
    int (*data)(void *arg, const unsigned char *data, size_t len, struct sc_err *err);
    void *arg;
};

struct tar_reader;

struct tar_reader *tar_reader_new(const struct tar_visitor *visitor, uint64_t bytes_max) WARN_UNUSED;
void tar_reader_free(struct tar_reader *reader); /* NULL is allowed */

/* -1 with ERR_CORRUPT, which says what is wrong and at which byte, or as the visitor. */
int tar_reader_push(struct tar_reader *reader, const unsigned char *data, size_t len,
                    struct sc_err *err) WARN_UNUSED;

/* ERR_CORRUPT unless the two blocks of zeros have come that end an archive. */
int tar_reader_finish(const struct tar_reader *reader, struct sc_err *err) WARN_UNUSED;

#endif
