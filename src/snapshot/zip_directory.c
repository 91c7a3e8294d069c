#include "zip_directory.h"

#include <inttypes.h>
#include <string.h>

#include "snapctl/base/str.h"

enum { VERSION_ZIP64 = 45 };

static int compare_name(const struct zip_entry *local, const struct zip_entry *central, uint64_t at,
                        struct sc_err *err)
{
    if (local->name_len == central->name_len && memcmp(local->name, central->name, local->name_len) == 0)
        return 0;
    AUTO_FREE char *expected = str_visible(local->name, local->name_len, false);
    AUTO_FREE char *found = str_visible(central->name, central->name_len, false);
    return zip_record_bad(err, at, "the directory must list the entry %s here, found %s", expected, found);
}

int zip_directory_compare(const struct zip_entry *local, const struct zip_entry *central, uint64_t at,
                          struct sc_err *err)
{
    if (compare_name(local, central, at, err) < 0)
        return -1;
    /* Whether 64-bit sizes are needed is known only when the data was written. */
    uint16_t needed = central->zip64 && central->needed == VERSION_ZIP64 ? VERSION_ZIP64 : local->needed;
    const struct {
        const char *what;
        uint64_t expected, found;
    } facts[] = {
        {"offset",               local->offset,    central->offset   },
        {"CRC-32",               local->crc,       central->crc      },
        {"packed size",          local->packed,    central->packed   },
        {"size",                 local->plain,     central->plain    },
        {"method",               local->method,    central->method   },
        {"flags",                local->flags,     central->flags    },
        {"time",                 local->time,      central->time     },
        {"version",              needed,           central->needed   },
        {"size of extra fields", local->extra_len, central->extra_len},
    };
    AUTO_FREE char *name = str_visible(local->name, local->name_len, false);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (facts[i].expected != facts[i].found)
            return zip_record_bad(err, at, "the directory's %s of %s must be %" PRIu64 ", found %" PRIu64,
                                  facts[i].what, name, facts[i].expected, facts[i].found);
    if (memcmp(local->extra, central->extra, local->extra_len) != 0)
        return zip_record_bad(err, at, "the directory's extra fields of %s differ from its header's", name);
    return 0;
}

/* A number of an end record. */
struct number {
    const char *what;
    unsigned at, width;
    uint64_t expected;
    bool elsewhere; /* may be all ones, because the zip64 record has it */
};

static int check_numbers(const unsigned char *record, uint64_t at, const char *name,
                         const struct number *numbers, size_t n, struct sc_err *err)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t found = 0, ones = 0;
        for (unsigned byte = 0; byte < numbers[i].width; byte++) {
            found |= (uint64_t)record[numbers[i].at + byte] << (8 * byte);
            ones = ones << 8 | 0xff;
        }
        bool escaped = numbers[i].elsewhere && found == ones;
        if (found != numbers[i].expected && !escaped)
            return zip_record_bad(err, at + numbers[i].at, "%s of the %s must be %" PRIu64 ", found %" PRIu64,
                                  numbers[i].what, name, numbers[i].expected, found);
    }
    return 0;
}

int zip_directory_end64(const struct zip_directory *d, const unsigned char record[ZIP_END64_BYTES],
                        uint64_t at, struct sc_err *err)
{
    const struct number numbers[] = {
        {"size",                          4,  8, ZIP_END64_BYTES - 12, false},
        {"version made by",               12, 2, VERSION_ZIP64,        false},
        {"version needed",                14, 2, VERSION_ZIP64,        false},
        {"disk",                          16, 4, 0,                    false},
        {"disk of the directory",         20, 4, 0,                    false},
        {"number of entries on the disk", 24, 8, d->count,             false},
        {"number of entries",             32, 8, d->count,             false},
        {"size of the directory",         40, 8, d->size,              false},
        {"offset of the directory",       48, 8, d->start,             false},
    };
    return check_numbers(record, at, "zip64 end of central directory", numbers,
                         sizeof numbers / sizeof *numbers, err);
}

int zip_directory_locator(const struct zip_directory *d, const unsigned char record[ZIP_LOCATOR_BYTES],
                          uint64_t at, struct sc_err *err)
{
    const struct number numbers[] = {
        {"disk",                 4,  4, 0,           false},
        {"offset of the record", 8,  8, d->end64_at, false},
        {"number of disks",      16, 4, 1,           false},
    };
    return check_numbers(record, at, "zip64 locator", numbers, sizeof numbers / sizeof *numbers, err);
}

int zip_directory_end(const struct zip_directory *d, const unsigned char record[ZIP_END_BYTES], uint64_t at,
                      struct sc_err *err)
{
    const struct number numbers[] = {
        {"disk",                          4,  2, 0,        false   },
        {"disk of the directory",         6,  2, 0,        false   },
        {"number of entries on the disk", 8,  2, d->count, d->zip64},
        {"number of entries",             10, 2, d->count, d->zip64},
        {"size of the directory",         12, 4, d->size,  d->zip64},
        {"offset of the directory",       16, 4, d->start, d->zip64},
        {"size of the comment",           20, 2, 0,        false   },
    };
    return check_numbers(record, at, "end of central directory", numbers, sizeof numbers / sizeof *numbers,
                         err);
}
