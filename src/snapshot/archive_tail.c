#include <inttypes.h>

#include "archive_entries.h"
#include "etcd_hash.h"
#include "le.h"
#include "snapctl/snapshot/archive.h"
#include "zip_reader.h"

struct listing {
    struct archive_entries entries;
    struct archive_facts *facts;
    uint64_t directory; /* its offset: where the entries end */
    uint64_t free_from; /* offset behind the entries listed so far */
};

/* The entry's header and data must have room between those before it and the directory. */
static int take_room(struct listing *listing, const struct zip_entry *entry, struct sc_err *err)
{
    uint64_t header = ZIP_LOCAL_BYTES + entry->name_len + entry->extra_len;
    bool first = listing->free_from == 0;
    bool fits = entry->offset >= listing->free_from && (!first || entry->offset == 0) &&
                entry->offset <= listing->directory && header <= listing->directory - entry->offset &&
                entry->packed <= listing->directory - entry->offset - header;
    if (!fits)
        return err_set(err, ERR_CORRUPT,
                       "an entry of %" PRIu64 " bytes cannot stand at byte %" PRIu64
                       " before the directory at byte %" PRIu64,
                       entry->packed, entry->offset, listing->directory);
    listing->free_from = entry->offset + header + entry->packed;
    return 0;
}

static int list_entry(void *arg, const struct zip_entry *entry, struct sc_err *err)
{
    struct listing *listing = arg;
    enum archive_entry which;
    if (archive_entries_see(&listing->entries, entry->name, entry->name_len, &which, err) < 0)
        return -1;
    const char *name = listing->entries.names[which];
    if (take_room(listing, entry, err) < 0)
        return err_wrap(err, "%s", name);
    if (which == ARCHIVE_STATE) {
        listing->facts->state_file = entry->plain > 0;
        return entry->plain ? 0 : err_set(err, ERR_CORRUPT, "%s: the state file is empty", name);
    }
    listing->facts->etcd_bytes = entry->plain;
    return etcd_hash_check_size(entry->plain, err) < 0 ? err_wrap(err, "%s", name) : 0;
}

/* The offset of the directory as the last record tells it, or the zip64 record before that. It is a place to
 * begin at: that it is right comes out when all records from there on are read. */
static int find_directory(const unsigned char *tail, size_t len, uint64_t total, uint64_t *offset,
                          struct sc_err *err)
{
    if (len < ZIP_END_BYTES || len > total || le_u32(tail + len - ZIP_END_BYTES) != ZIP_SIGNATURE_END)
        return err_set(err, ERR_CORRUPT, "the archive's last %d bytes must be an end of central directory",
                       ZIP_END_BYTES);
    const size_t wide = ZIP_END64_BYTES + ZIP_LOCATOR_BYTES + ZIP_END_BYTES;
    if (len >= wide && le_u32(tail + len - wide) == ZIP_SIGNATURE_END64)
        *offset = le_u64(tail + len - wide + 48);
    else
        *offset = le_u32(tail + len - ZIP_END_BYTES + 16);
    if (*offset > total - ZIP_END_BYTES || total - *offset > len)
        return err_set(
            err, ERR_CORRUPT,
            "the central directory must be within the archive's last %zu bytes, but is told to begin at byte %" PRIu64
            " of %" PRIu64,
            len, *offset, total);
    return 0;
}

static int read_directory(struct listing *listing, const unsigned char *directory, size_t len,
                          struct sc_err *err)
{
    struct zip_reader *reader = zip_reader_new_directory(
        &(struct zip_visitor){.entry = list_entry, .arg = listing}, listing->directory);
    int result = zip_reader_push(reader, directory, len, err);
    if (result == 0)
        result = zip_reader_finish(reader, err);
    zip_reader_free(reader);
    return result < 0 ? -1 : archive_entries_complete(&listing->entries, err);
}

int archive_check_tail(const char *name, bool want_state, const void *tail, size_t len, uint64_t total,
                       struct archive_facts *facts, struct sc_err *err)
{
    struct listing listing = {.facts = facts};
    *facts = (struct archive_facts){.bytes = total};
    if (find_directory(tail, len, total, &listing.directory, err) < 0)
        return -1;
    size_t directory_bytes = (size_t)(total - listing.directory);
    archive_entries_init(&listing.entries, name, want_state);
    int result =
        read_directory(&listing, (const unsigned char *)tail + len - directory_bytes, directory_bytes, err);
    archive_entries_clear(&listing.entries);
    return result;
}
