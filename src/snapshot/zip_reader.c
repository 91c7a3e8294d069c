#include "zip_reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "le.h"
#include "snapctl/base/str.h"
#include "zip_data.h"
#include "zip_directory.h"

/* Where in the file the next record stands: what came before it. */
enum place {
    AT_START = 1 << 0,
    AFTER_ENTRY = 1 << 1,
    IN_DIRECTORY = 1 << 2,
    AFTER_END64 = 1 << 3,
    AFTER_LOCATOR = 1 << 4,
    AFTER_END = 1 << 5,
};

typedef int stepper(struct zip_reader *r, struct sc_err *err);

/* A kind of record, and the places where it may stand. */
struct record {
    const char *name;
    uint32_t signature;
    unsigned places;
    size_t fixed;
    int (*size)(const unsigned char *record, uint64_t at, size_t *size,
                struct sc_err *err); /* NULL: is fixed */
    stepper *take;
};

struct zip_reader {
    struct zip_visitor visitor;
    bool directory_only;
    struct zip_data *data;
    bool in_data;
    enum place place;
    uint64_t at; /* offset of the first byte that is neither held nor used */
    /* The bytes of a record are held until `need` of them are there; then `step` is called. */
    unsigned char hold[ZIP_RECORD_MAX];
    size_t held, need;
    stepper *step;
    const struct record *record; /* that is being held, NULL before its signature is known */
    struct zip_entry entries[ZIP_ENTRIES_MAX];
    size_t n_entries;
    struct zip_directory directory;
};

static void want(struct zip_reader *r, size_t bytes, stepper *step)
{
    r->need = bytes;
    r->step = step;
}

/* The offset of the first byte that is held. */
static uint64_t record_at(const struct zip_reader *r)
{
    return r->at - r->held;
}

static stepper step_signature;

/* The first n bytes that are held were used: the next record follows. */
static void next_record(struct zip_reader *r, enum place place, size_t n)
{
    r->held -= n;
    memmove(r->hold, r->hold + n, r->held);
    r->place = place;
    r->record = NULL;
    want(r, ZIP_SIGNATURE_BYTES, step_signature);
}

static int take_data(void *arg, const unsigned char *data, size_t len, struct sc_err *err)
{
    const struct zip_reader *r = arg;
    return r->visitor.data(r->visitor.arg, data, len, err);
}

static int take_local(struct zip_reader *r, struct sc_err *err)
{
    if (r->n_entries == ZIP_ENTRIES_MAX)
        return zip_record_bad(err, record_at(r), "the archive has more than %d entries", ZIP_ENTRIES_MAX);
    struct zip_entry *entry = &r->entries[r->n_entries++];
    if (zip_record_local(r->hold, record_at(r), entry, err) < 0 ||
        r->visitor.entry(r->visitor.arg, entry, err) < 0)
        return -1;
    r->held = 0;
    zip_data_start(r->data, entry);
    r->in_data = true;
    return 0;
}

static int entry_done(struct zip_reader *r, size_t descriptor, struct sc_err *err)
{
    next_record(r, AFTER_ENTRY, descriptor);
    return r->visitor.end(r->visitor.arg, err);
}

static int step_descriptor(struct zip_reader *r, struct sc_err *err)
{
    const struct zip_entry *entry = &r->entries[r->n_entries - 1];
    size_t size = zip_record_descriptor(r->hold, entry, false);
    if (size == 0)
        return zip_record_bad(err, record_at(r),
                              "%.*s has CRC-32 0x%08" PRIx32 ", packed size %" PRIu64 " and size %" PRIu64
                              ", and its data descriptor, which must stand here, does not say so",
                              (int)entry->name_len, entry->name, entry->crc, entry->packed, entry->plain);
    return entry_done(r, size, err);
}

static int compare_declared(const struct zip_reader *r, const struct zip_entry *declared,
                            const struct zip_entry *counted, struct sc_err *err)
{
    if (declared->crc == counted->crc && declared->packed == counted->packed &&
        declared->plain == counted->plain)
        return 0;
    return zip_record_bad(err, r->at,
                          "the entry's CRC-32 must be 0x%08" PRIx32 ", its packed size %" PRIu64
                          " and its size %" PRIu64 ", found 0x%08" PRIx32 ", %" PRIu64 " and %" PRIu64,
                          declared->crc, declared->packed, declared->plain, counted->crc, counted->packed,
                          counted->plain);
}

static int data_ended(struct zip_reader *r, struct sc_err *err)
{
    struct zip_entry *entry = &r->entries[r->n_entries - 1], counted;
    r->in_data = false;
    r->held = zip_data_finish(r->data, &counted, r->hold);
    if (!entry->descriptor)
        return compare_declared(r, entry, &counted, err) < 0 ? -1 : entry_done(r, 0, err);
    entry->crc = counted.crc;
    entry->packed = counted.packed;
    entry->plain = counted.plain;
    want(r, ZIP_DESCRIPTOR_VIEW, step_descriptor);
    return 0;
}

static int take_central(struct zip_reader *r, struct sc_err *err)
{
    struct zip_directory *d = &r->directory;
    struct zip_entry central;
    if (d->count == 0)
        d->start = record_at(r);
    if (zip_record_central(r->hold, record_at(r), &central, err) < 0)
        return -1;
    if (r->directory_only) {
        if (r->visitor.entry(r->visitor.arg, &central, err) < 0)
            return -1;
    } else if (d->count == r->n_entries) {
        return zip_record_bad(err, record_at(r),
                              "the directory lists more than the %zu entries that there are", r->n_entries);
    } else if (zip_directory_compare(&r->entries[d->count], &central, record_at(r), err) < 0) {
        return -1;
    }
    d->count++;
    next_record(r, IN_DIRECTORY, r->held);
    d->size = r->at - d->start;
    return 0;
}

static int take_end64(struct zip_reader *r, struct sc_err *err)
{
    r->directory.zip64 = true;
    r->directory.end64_at = record_at(r);
    if (zip_directory_end64(&r->directory, r->hold, record_at(r), err) < 0)
        return -1;
    next_record(r, AFTER_END64, r->held);
    return 0;
}

static int take_locator(struct zip_reader *r, struct sc_err *err)
{
    if (zip_directory_locator(&r->directory, r->hold, record_at(r), err) < 0)
        return -1;
    next_record(r, AFTER_LOCATOR, r->held);
    return 0;
}

static int step_behind_end(struct zip_reader *r, struct sc_err *err)
{
    return zip_record_bad(err, record_at(r), "the archive must end here, found more bytes");
}

static int take_end(struct zip_reader *r, struct sc_err *err)
{
    if (zip_directory_end(&r->directory, r->hold, record_at(r), err) < 0)
        return -1;
    if (!r->directory_only && r->directory.count != r->n_entries)
        return zip_record_bad(err, record_at(r), "the directory must list %zu entries, found %" PRIu64,
                              r->n_entries, r->directory.count);
    next_record(r, AFTER_END, r->held);
    want(r, 1, step_behind_end);
    return 0;
}

static const struct record records[] = {
    {"local file header",              ZIP_SIGNATURE_LOCAL,   AT_START | AFTER_ENTRY,       ZIP_LOCAL_BYTES,   zip_record_local_size,
     take_local                                                                                                                                   },
    {"central directory header",       ZIP_SIGNATURE_CENTRAL, AFTER_ENTRY | IN_DIRECTORY,   ZIP_CENTRAL_BYTES,
     zip_record_central_size,                                                                                                         take_central},
    {"zip64 end of central directory", ZIP_SIGNATURE_END64,   IN_DIRECTORY,                 ZIP_END64_BYTES,   NULL,                  take_end64  },
    {"zip64 locator",                  ZIP_SIGNATURE_LOCATOR, AFTER_END64,                  ZIP_LOCATOR_BYTES, NULL,                  take_locator},
    {"end of central directory",       ZIP_SIGNATURE_END,     IN_DIRECTORY | AFTER_LOCATOR, ZIP_END_BYTES,     NULL,
     take_end                                                                                                                                     },
};

enum { RECORDS = sizeof records / sizeof *records };

/* "local file header or central directory header" */
static char *expected_here(const struct zip_reader *r)
{
    struct buf names = {0};
    for (size_t i = 0; i < RECORDS; i++)
        if (records[i].places & r->place)
            buf_printf(&names, "%s%s", names.len ? " or " : "", records[i].name);
    return buf_take(&names);
}

static int step_whole(struct zip_reader *r, struct sc_err *err)
{
    return r->record->take(r, err);
}

static int step_fixed(struct zip_reader *r, struct sc_err *err)
{
    size_t size = r->record->fixed;
    if (r->record->size && r->record->size(r->hold, record_at(r), &size, err) < 0)
        return -1;
    want(r, size, step_whole);
    return 0;
}

static int step_signature(struct zip_reader *r, struct sc_err *err)
{
    uint32_t found = le_u32(r->hold);
    for (size_t i = 0; i < RECORDS; i++) {
        if (records[i].signature != found || !(records[i].places & r->place))
            continue;
        r->record = &records[i];
        want(r, r->record->fixed, step_fixed);
        return 0;
    }
    AUTO_FREE char *expected = expected_here(r);
    return zip_record_bad(err, record_at(r), "a %s must stand here, found %02x %02x %02x %02x", expected,
                          r->hold[0], r->hold[1], r->hold[2], r->hold[3]);
}

static struct zip_reader *reader_new(const struct zip_visitor *visitor, enum place place, uint64_t at)
{
    struct zip_reader *r = mem_calloc(1, sizeof *r);
    r->visitor = *visitor;
    r->at = at;
    next_record(r, place, 0);
    return r;
}

struct zip_reader *zip_reader_new(const struct zip_visitor *visitor)
{
    struct zip_reader *r = reader_new(visitor, AT_START, 0);
    r->data = zip_data_new(take_data, r);
    return r;
}

struct zip_reader *zip_reader_new_directory(const struct zip_visitor *visitor, uint64_t start)
{
    struct zip_reader *r = reader_new(visitor, IN_DIRECTORY, start);
    r->directory_only = true;
    r->directory.start = start;
    return r;
}

void zip_reader_free(struct zip_reader *r)
{
    if (!r)
        return;
    zip_data_free(r->data);
    free(r);
}

static int push_data(struct zip_reader *r, const unsigned char **in, size_t *len, struct sc_err *err)
{
    size_t taken;
    if (zip_data_push(r->data, *in, *len, r->at, &taken, err) < 0)
        return -1;
    r->at += taken;
    *in += taken;
    *len -= taken;
    return zip_data_ended(r->data) ? data_ended(r, err) : 0;
}

int zip_reader_push(struct zip_reader *r, const void *data, size_t len, struct sc_err *err)
{
    const unsigned char *in = data;
    for (;;) {
        if (r->in_data && push_data(r, &in, &len, err) < 0)
            return -1;
        if (r->in_data)
            return 0;
        size_t missing = r->need > r->held ? r->need - r->held : 0;
        size_t n = len < missing ? len : missing;
        memcpy(r->hold + r->held, in, n);
        r->held += n;
        r->at += n;
        in += n;
        len -= n;
        if (r->held < r->need)
            return 0;
        if (r->step(r, err) < 0)
            return -1;
    }
}

int zip_reader_finish(const struct zip_reader *r, struct sc_err *err)
{
    if (r->place == AFTER_END)
        return 0;
    if (r->in_data || r->step == step_descriptor) {
        const struct zip_entry *entry = &r->entries[r->n_entries - 1];
        AUTO_FREE char *name = str_visible(entry->name, entry->name_len, false);
        return zip_record_bad(err, r->at, "the archive ends within the entry %s", name);
    }
    AUTO_FREE char *expected = r->record ? str_dup(r->record->name) : expected_here(r);
    return zip_record_bad(err, r->at, "the archive ends where a %s must stand", expected);
}
