/* The central directory of a zip file against what was seen before it, and its end records against the
 * directory. */
#ifndef SNAPCTL_SNAPSHOT_ZIP_DIRECTORY_H
#define SNAPCTL_SNAPSHOT_ZIP_DIRECTORY_H

#include "zip_record.h"

struct zip_directory {
    uint64_t start; /* offset of its first header */
    uint64_t size;  /* bytes of all its headers */
    uint64_t count;
    uint64_t end64_at; /* offset of the zip64 end record, if there is one */
    bool zip64;
};

/* -1 unless the central header at the offset `at` tells what the local header and the data told. */
int zip_directory_compare(const struct zip_entry *local, const struct zip_entry *central, uint64_t at,
                          struct sc_err *err) WARN_UNUSED;

/* The records behind the directory, at the offset `at`, in the order in which they stand there. */
int zip_directory_end64(const struct zip_directory *directory, const unsigned char record[ZIP_END64_BYTES],
                        uint64_t at, struct sc_err *err) WARN_UNUSED;
int zip_directory_locator(const struct zip_directory *directory,
                          const unsigned char record[ZIP_LOCATOR_BYTES], uint64_t at,
                          struct sc_err *err) WARN_UNUSED;
int zip_directory_end(const struct zip_directory *directory, const unsigned char record[ZIP_END_BYTES],
                      uint64_t at, struct sc_err *err) WARN_UNUSED;

#endif
