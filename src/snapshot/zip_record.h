/* The records of a zip file: bytes to facts, and what they must be (PKWARE APPNOTE 6.3.10, sections 4.3
 * to 4.5).
 *
 * Taken is what Go's archive/zip writes, and what means the same; what it never writes is refused: comments,
 * encryption, other methods than Store and Deflate, several disks, links. */
#ifndef SNAPCTL_SNAPSHOT_ZIP_RECORD_H
#define SNAPCTL_SNAPSHOT_ZIP_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/err.h"
#include "snapctl/base/mem.h"

enum {
    ZIP_SIGNATURE_BYTES = 4,
    ZIP_LOCAL_BYTES = 30, /* of each record without its variable part */
    ZIP_CENTRAL_BYTES = 46,
    ZIP_END64_BYTES = 56,
    ZIP_LOCATOR_BYTES = 20,
    ZIP_END_BYTES = 22,
    ZIP_DESCRIPTOR_MAX = 24,
    ZIP_NAME_MAX = 512,
    ZIP_EXTRA_MAX = 512,
    ZIP_RECORD_MAX = ZIP_CENTRAL_BYTES + ZIP_NAME_MAX + ZIP_EXTRA_MAX,
};

#define ZIP_SIGNATURE_LOCAL 0x04034b50U
#define ZIP_SIGNATURE_DESCRIPTOR 0x08074b50U
#define ZIP_SIGNATURE_CENTRAL 0x02014b50U
#define ZIP_SIGNATURE_END64 0x06064b50U
#define ZIP_SIGNATURE_LOCATOR 0x07064b50U
#define ZIP_SIGNATURE_END 0x06054b50U

enum zip_method { ZIP_STORE = 0, ZIP_DEFLATE = 8 };

struct zip_entry {
    uint64_t offset; /* of its local header */
    uint64_t packed;
    uint64_t plain;
    uint32_t crc;
    uint32_t time;   /* of MS-DOS: date and time */
    uint16_t needed; /* version to unpack it */
    uint16_t flags;
    uint16_t method;
    bool descriptor; /* CRC and sizes stand behind the data */
    bool zip64;      /* has a field with 64-bit sizes */
    size_t name_len;
    size_t extra_len;
    char name[ZIP_NAME_MAX + 1];
    unsigned char extra[ZIP_EXTRA_MAX]; /* without the zip64 field */
};

/* Fills err with ERR_CORRUPT and "byte <at>: <format>"; returns -1. */
int zip_record_bad(struct sc_err *err, uint64_t at, const char *format, ...) PRINTF_LIKE(3, 4);

/* The whole size of a local or central header, of which the fixed part is there; -1 if it is over the limits.
 */
int zip_record_local_size(const unsigned char *record, uint64_t at, size_t *size,
                          struct sc_err *err) WARN_UNUSED;
int zip_record_central_size(const unsigned char *record, uint64_t at, size_t *size,
                            struct sc_err *err) WARN_UNUSED;

/* Reads a whole header that stands at the offset `at`. */
int zip_record_local(const unsigned char *record, uint64_t at, struct zip_entry *entry,
                     struct sc_err *err) WARN_UNUSED;
int zip_record_central(const unsigned char *record, uint64_t at, struct zip_entry *entry,
                       struct sc_err *err) WARN_UNUSED;

/* The size of the data descriptor at p that fits what was counted, in any of its four forms (with or without
 * signature, 32 or 64 bits), and has the next header's signature behind it; 0 if there is none. */
enum { ZIP_DESCRIPTOR_VIEW = ZIP_DESCRIPTOR_MAX + ZIP_SIGNATURE_BYTES };
size_t zip_record_descriptor(const unsigned char p[ZIP_DESCRIPTOR_VIEW], const struct zip_entry *counted,
                             bool need_signature);

#endif
