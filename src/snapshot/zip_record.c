#include "zip_record.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "le.h"
#include "snapctl/base/str.h"

/* General purpose bits: what Deflate was asked for, and UTF-8, change nothing here. */
enum { FLAG_DESCRIPTOR = 1 << 3, FLAGS_ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13 };
enum { FLAGS_KNOWN = FLAG_DESCRIPTOR | 1 << 1 | 1 << 2 | 1 << 11 };
enum { EXTRA_ZIP64 = 1, MADE_ON_UNIX = 3 };

int zip_record_bad(struct sc_err *err, uint64_t at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    AUTO_FREE char *text = str_vformat(format, args);
    va_end(args);
    return err_set(err, ERR_CORRUPT, "byte %" PRIu64 ": %s", at, text);
}

static int whole_size(size_t fixed, size_t name, size_t extra, uint64_t at, size_t *size, struct sc_err *err)
{
    if (name == 0 || name > ZIP_NAME_MAX)
        return zip_record_bad(err, at, "an entry's name must have 1 to %d bytes, found %zu", ZIP_NAME_MAX,
                              name);
    if (extra > ZIP_EXTRA_MAX)
        return zip_record_bad(err, at, "an entry's extra fields must have at most %d bytes, found %zu",
                              ZIP_EXTRA_MAX, extra);
    *size = fixed + name + extra;
    return 0;
}

int zip_record_local_size(const unsigned char *record, uint64_t at, size_t *size, struct sc_err *err)
{
    return whole_size(ZIP_LOCAL_BYTES, le_u16(record + 26), le_u16(record + 28), at, size, err);
}

int zip_record_central_size(const unsigned char *record, uint64_t at, size_t *size, struct sc_err *err)
{
    size_t comment = le_u16(record + 32);
    if (comment)
        return zip_record_bad(err, at, "an entry must have no comment, found one of %zu bytes", comment);
    return whole_size(ZIP_CENTRAL_BYTES, le_u16(record + 28), le_u16(record + 30), at, size, err);
}

/* A number that does not fit its 32 bits is all ones there, and stands in the zip64 field, where such numbers
 * follow one another. Go adds the offset there even if it fits. */
static int widen(struct zip_entry *e, bool central, const unsigned char *p, size_t len, uint64_t at,
                 struct sc_err *err)
{
    uint64_t *const numbers[] = {&e->plain, &e->packed, &e->offset};
    size_t n = central ? 3 : 2;
    for (size_t i = 0; i < n; i++) {
        bool wide = *numbers[i] == UINT32_MAX;
        bool repeated = !wide && numbers[i] == &e->offset && len == 8 && le_u64(p) == e->offset;
        if (!wide && !repeated)
            continue;
        if (len < 8)
            return zip_record_bad(err, at, "the zip64 field is too short for what it must hold");
        *numbers[i] = le_u64(p);
        p += 8;
        len -= 8;
    }
    if (len)
        return zip_record_bad(err, at, "the zip64 field has %zu bytes too many", len);
    e->zip64 = true;
    return 0;
}

static int read_extra(struct zip_entry *e, bool central, const unsigned char *p, size_t len, uint64_t at,
                      struct sc_err *err)
{
    bool wide = e->plain == UINT32_MAX || e->packed == UINT32_MAX || (central && e->offset == UINT32_MAX);
    while (len) {
        size_t field = len < 4 ? 0 : 4 + (size_t)le_u16(p + 2);
        if (field == 0 || field > len)
            return zip_record_bad(err, at, "an extra field of the entry reaches over its end");
        if (le_u16(p) != EXTRA_ZIP64) {
            memcpy(e->extra + e->extra_len, p, field);
            e->extra_len += field;
        } else if (e->zip64) {
            return zip_record_bad(err, at, "the entry has two zip64 fields");
        } else if (widen(e, central, p + 4, field - 4, at, err) < 0) {
            return -1;
        }
        p += field;
        len -= field;
    }
    if (wide && !e->zip64)
        return zip_record_bad(err, at, "the entry's zip64 field is missing");
    return 0;
}

/* What both kinds of header have: p is at "version needed to extract". */
static int read_common(struct zip_entry *e, const unsigned char *p, uint64_t at, struct sc_err *err)
{
    e->needed = le_u16(p);
    e->flags = le_u16(p + 2);
    e->method = le_u16(p + 4);
    e->time = le_u32(p + 6);
    e->crc = le_u32(p + 10);
    e->packed = le_u32(p + 14);
    e->plain = le_u32(p + 18);
    e->name_len = le_u16(p + 22);
    e->descriptor = e->flags & FLAG_DESCRIPTOR;
    if (e->needed != 10 && e->needed != 20 && e->needed != 45)
        return zip_record_bad(err, at, "the version needed must be 10, 20 or 45, found %u", e->needed);
    if (e->flags & FLAGS_ENCRYPTED)
        return zip_record_bad(err, at, "the entry is encrypted (flags 0x%04x)", e->flags);
    if (e->flags & ~FLAGS_KNOWN)
        return zip_record_bad(err, at, "the entry has unknown flags (0x%04x)", e->flags);
    if (e->method != ZIP_STORE && e->method != ZIP_DEFLATE)
        return zip_record_bad(err, at, "the method must be 0 (Store) or 8 (Deflate), found %u", e->method);
    return 0;
}

int zip_record_local(const unsigned char *record, uint64_t at, struct zip_entry *entry, struct sc_err *err)
{
    *entry = (struct zip_entry){.offset = at};
    if (read_common(entry, record + 4, at, err) < 0)
        return -1;
    memcpy(entry->name, record + ZIP_LOCAL_BYTES, entry->name_len);
    if (read_extra(entry, false, record + ZIP_LOCAL_BYTES + entry->name_len, le_u16(record + 28), at, err) <
        0)
        return -1;
    if (entry->descriptor && (entry->crc || entry->packed || entry->plain))
        return zip_record_bad(err, at, "CRC-32 and sizes must be 0 before a data descriptor");
    if (entry->method == ZIP_STORE && entry->packed != entry->plain)
        return zip_record_bad(err, at, "a stored entry must have one size, found %" PRIu64 " and %" PRIu64,
                              entry->packed, entry->plain);
    return 0;
}

/* Where it was made on Unix the upper half holds the mode: a restore must not make links or devices. */
static bool is_regular(uint16_t made_by, uint32_t attributes)
{
    uint32_t type = attributes >> 16 & 0170000U;
    return made_by >> 8 != MADE_ON_UNIX || type == 0 || type == 0100000U;
}

int zip_record_central(const unsigned char *record, uint64_t at, struct zip_entry *entry, struct sc_err *err)
{
    *entry = (struct zip_entry){.offset = le_u32(record + 42)};
    if (read_common(entry, record + 6, at, err) < 0)
        return -1;
    memcpy(entry->name, record + ZIP_CENTRAL_BYTES, entry->name_len);
    if (read_extra(entry, true, record + ZIP_CENTRAL_BYTES + entry->name_len, le_u16(record + 30), at, err) <
        0)
        return -1;
    if (le_u16(record + 34) || le_u16(record + 36))
        return zip_record_bad(err, at, "disk number and internal attributes must be 0, found %u and %u",
                              le_u16(record + 34), le_u16(record + 36));
    if (!is_regular(le_u16(record + 4), le_u32(record + 38)))
        return zip_record_bad(err, at, "the entry is not a regular file");
    return 0;
}

/* One form of descriptor; the next record must follow it. */
static bool fits(const unsigned char *p, const struct zip_entry *counted, bool wide)
{
    uint64_t packed = wide ? le_u64(p + 4) : le_u32(p + 4);
    uint64_t plain = wide ? le_u64(p + 12) : le_u32(p + 8);
    uint32_t next = le_u32(p + (wide ? 20 : 12));
    return le_u32(p) == counted->crc && packed == counted->packed && plain == counted->plain &&
           (next == ZIP_SIGNATURE_LOCAL || next == ZIP_SIGNATURE_CENTRAL);
}

size_t zip_record_descriptor(const unsigned char p[ZIP_DESCRIPTOR_VIEW], const struct zip_entry *counted,
                             bool need_signature)
{
    if (le_u32(p) == ZIP_SIGNATURE_DESCRIPTOR)
        for (int wide = 0; wide <= 1; wide++)
            if (fits(p + 4, counted, wide))
                return wide ? 24 : 16;
    if (!need_signature)
        for (int wide = 0; wide <= 1; wide++)
            if (fits(p, counted, wide))
                return wide ? 20 : 12;
    return 0;
}
