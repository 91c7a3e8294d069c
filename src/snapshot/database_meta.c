#include "database_meta.h"

#include <inttypes.h>
#include <stdbool.h>

#include "database_page.h"
#include "le.h"
#include "snapctl/snapshot/database.h"

/* Within the page. bbolt writes in the machine's byte order; RKE runs on little-endian machines only. */
enum {
    PAGE_ID = 0,
    PAGE_FLAGS = 8,
    MAGIC = 16,
    VERSION = 20,
    PAGE_BYTES = 24,
    ROOT = 32,
    FREELIST = 48,
    PAGES = 56,
    TXID = 64,
    CHECKSUM = 72,
};
enum { FORMAT_VERSION = 2, PAGE_BYTES_MIN = 512, PAGE_BYTES_MAX = 1 << 24 };
static const uint32_t magic = 0xED0CDAED;

/* FNV-1a, 64 bits, of the meta record before its checksum. */
static uint64_t checksum(const unsigned char *page)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (int i = MAGIC; i < CHECKSUM; i++)
        hash = (hash ^ page[i]) * 0x100000001b3U;
    return hash;
}

static const char *ordinal(unsigned id)
{
    return id == 0 ? "first" : "second";
}

static int check_identity(const unsigned char *page, unsigned id, struct sc_err *err)
{
    uint32_t found = le_u32(page + MAGIC), version = le_u32(page + VERSION);
    if (found != magic || le_u16(page + PAGE_FLAGS) != DATABASE_PAGE_META)
        return err_set(err, ERR_CORRUPT,
                       "not an etcd database: its magic number must be 0x%08" PRIx32 ", found 0x%08" PRIx32,
                       magic, found);
    if (version != FORMAT_VERSION)
        return err_set(err, ERR_CORRUPT, "the database's format version must be %d, found %" PRIu32,
                       FORMAT_VERSION, version);
    if (checksum(page) != le_u64(page + CHECKSUM))
        return err_set(err, ERR_CORRUPT, "the database's %s page does not match its checksum", ordinal(id));
    if (le_u64(page + PAGE_ID) != id)
        return err_set(err, ERR_CORRUPT, "the database's %s page says that it is page %" PRIu64, ordinal(id),
                       le_u64(page + PAGE_ID));
    return 0;
}

int database_meta_read(const unsigned char page[DATABASE_META_BYTES], unsigned id, struct database_meta *meta,
                       struct sc_err *err)
{
    if (check_identity(page, id, err) < 0)
        return -1;
    *meta = (struct database_meta){
        .page_bytes = le_u32(page + PAGE_BYTES),
        .pages = le_u64(page + PAGES),
        .root = le_u64(page + ROOT),
        .freelist = le_u64(page + FREELIST),
        .txid = le_u64(page + TXID),
    };
    bool power_of_two = (meta->page_bytes & (meta->page_bytes - 1)) == 0;
    if (!power_of_two || meta->page_bytes < PAGE_BYTES_MIN || meta->page_bytes > PAGE_BYTES_MAX ||
        meta->pages > INT64_MAX / meta->page_bytes)
        return err_set(err, ERR_CORRUPT,
                       "the database has %" PRIu64 " pages of %" PRIu32 " bytes, which cannot be",
                       meta->pages, meta->page_bytes);
    return 0;
}

int database_meta_check_size(const struct database_meta *meta, uint64_t bytes, struct sc_err *err)
{
    uint64_t needed = meta->pages * meta->page_bytes;
    if (bytes < needed)
        return err_set(err, ERR_CORRUPT,
                       "the database was cut: its pages take %" PRIu64 " bytes, found %" PRIu64, needed,
                       bytes);
    return 0;
}

static int read_second(const unsigned char *data, size_t len, uint32_t page_bytes, struct database_meta *meta,
                       struct sc_err *err)
{
    if (len < (uint64_t)page_bytes + DATABASE_META_BYTES)
        return err_set(err, ERR_CORRUPT, "the database was cut within its second page");
    if (database_meta_read(data + page_bytes, 1, meta, err) < 0)
        return -1;
    if (meta->page_bytes != page_bytes)
        return err_set(err, ERR_CORRUPT,
                       "the database's second page stands at byte %" PRIu32
                       ", but says that pages have %" PRIu32 " bytes",
                       page_bytes, meta->page_bytes);
    return 0;
}

/* Without the first page nobody knows how large a page is: the second is where it says that it must be. */
static int find_second(const unsigned char *data, size_t len, struct database_meta *meta)
{
    for (uint32_t bytes = PAGE_BYTES_MIN; bytes <= PAGE_BYTES_MAX; bytes *= 2)
        if (read_second(data, len, bytes, meta, NULL) == 0)
            return 0;
    return -1;
}

int database_meta_choose(const unsigned char *data, size_t len, struct database_meta *meta, unsigned *chosen,
                         int *damaged, struct sc_err *err)
{
    struct database_meta second = {0};
    if (len < DATABASE_META_BYTES)
        return err_set(err, ERR_CORRUPT, "%zu bytes are too few for a database", len);
    bool first_good = database_meta_read(data, 0, meta, NULL) == 0;
    bool second_good = first_good ? read_second(data, len, meta->page_bytes, &second, NULL) == 0
                                  : find_second(data, len, &second) == 0;
    /* If none is good, what is wrong with the first tells most. */
    if (!first_good && !second_good)
        return database_meta_read(data, 0, meta, err);
    *damaged = !first_good ? 0 : !second_good ? 1 : DATABASE_META_GOOD;
    *chosen = !first_good || (second_good && second.txid > meta->txid);
    if (*chosen)
        *meta = second;
    return database_meta_check_size(meta, len, err);
}
