/* Reads a zip file that comes in pieces, from its first byte or from its central directory on, and checks
 * that all of its records agree with one another and with the data (see zip_record.h for what is taken).
 *
 * Entries follow one another without a gap, then the central directory lists them in that order, then come
 * the zip64 records if there are any, the end record, and nothing. */
#ifndef SNAPCTL_SNAPSHOT_ZIP_READER_H
#define SNAPCTL_SNAPSHOT_ZIP_READER_H

#include "zip_record.h"

enum { ZIP_ENTRIES_MAX = 4 };

struct zip_reader;

/* Each returns -1 with err filled to stop the reading. */
struct zip_visitor {
    /* An entry begins; read from the directory on: the directory lists one. */
    int (*entry)(void *arg, const struct zip_entry *entry, struct sc_err *err);
    /* Some of its data, unpacked. */
    int (*data)(void *arg, const unsigned char *data, size_t len, struct sc_err *err);
    /* Its data is complete: CRC-32 and sizes are as they were told. */
    int (*end)(void *arg, struct sc_err *err);
    void *arg;
};

struct zip_reader *zip_reader_new(const struct zip_visitor *visitor) WARN_UNUSED;

/* A reader of the directory only, which begins at the offset start; data and end are never called. */
struct zip_reader *zip_reader_new_directory(const struct zip_visitor *visitor, uint64_t start) WARN_UNUSED;
void zip_reader_free(struct zip_reader *reader);

int zip_reader_push(struct zip_reader *reader, const void *data, size_t len, struct sc_err *err) WARN_UNUSED;

/* -1 unless the file was complete. */
int zip_reader_finish(const struct zip_reader *reader, struct sc_err *err) WARN_UNUSED;

#endif
