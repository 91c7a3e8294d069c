#include "bbolt.h"

#include <inttypes.h>
#include <stdbool.h>

#include "le.h"

/* Within the page. bbolt writes in the machine's byte order; RKE runs on little-endian machines only. */
enum { PAGE_FLAGS = 8, MAGIC = 16, VERSION = 20, PAGE_SIZE = 24, PAGES = 56, CHECKSUM = 72 };
enum { META_PAGE = 4, FORMAT_VERSION = 2 };
static const uint32_t magic = 0xED0CDAED;

/* FNV-1a, 64 bits, of the meta record before its checksum. */
static uint64_t checksum(const unsigned char *page)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (int i = MAGIC; i < CHECKSUM; i++)
        hash = (hash ^ page[i]) * 0x100000001b3U;
    return hash;
}

int bbolt_check_meta(const unsigned char page[BBOLT_META_BYTES], uint64_t *size, struct sc_err *err)
{
    uint32_t found = le_u32(page + MAGIC), version = le_u32(page + VERSION);
    uint32_t page_size = le_u32(page + PAGE_SIZE);
    if (found != magic || le_u16(page + PAGE_FLAGS) != META_PAGE)
        return err_set(err, ERR_CORRUPT,
                       "not an etcd database: its magic number must be 0x%08" PRIx32 ", found 0x%08" PRIx32,
                       magic, found);
    if (version != FORMAT_VERSION)
        return err_set(err, ERR_CORRUPT, "the database's format version must be %d, found %" PRIu32,
                       FORMAT_VERSION, version);
    if (checksum(page) != le_u64(page + CHECKSUM))
        return err_set(err, ERR_CORRUPT, "the database's first page does not match its checksum");
    uint64_t pages = le_u64(page + PAGES);
    bool power_of_two = page_size && !(page_size & (page_size - 1));
    if (!power_of_two || page_size < 512 || pages > UINT64_MAX / page_size)
        return err_set(err, ERR_CORRUPT,
                       "the database has %" PRIu64 " pages of %" PRIu32 " bytes, which cannot be", pages,
                       page_size);
    *size = pages * page_size;
    return 0;
}
