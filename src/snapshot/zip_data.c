#include "zip_data.h"

#include <inttypes.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "inflater.h"
#include "le.h"

/* Reads on from p; returns what it took of len bytes, or -1. */
typedef int pusher(struct zip_data *d, const unsigned char *p, size_t len, uint64_t at, size_t *taken,
                   struct sc_err *err);

struct zip_data {
    zip_data_taker *taker;
    void *arg;
    struct inflater *inflater;
    pusher *push;
    bool sizes_known;
    struct zip_entry declared; /* by the local header */
    uint32_t crc;
    uint64_t packed;
    uint64_t plain;
    bool ended;
    unsigned char rest[ZIP_DESCRIPTOR_VIEW]; /* taken, but not known to be data */
    size_t n_rest;
};

struct zip_data *zip_data_new(zip_data_taker *taker, void *arg)
{
    struct zip_data *d = mem_calloc(1, sizeof *d);
    d->taker = taker;
    d->arg = arg;
    d->inflater = inflater_new();
    return d;
}

void zip_data_free(struct zip_data *d)
{
    if (!d)
        return;
    inflater_free(d->inflater);
    free(d);
}

static int deliver(struct zip_data *d, const unsigned char *data, size_t len, uint64_t at, struct sc_err *err)
{
    if (len == 0)
        return 0;
    d->plain += len;
    if (d->sizes_known && d->plain > d->declared.plain)
        return zip_record_bad(err, at, "the entry unpacks to more than its %" PRIu64 " bytes",
                              d->declared.plain);
    d->crc = libdeflate_crc32(d->crc, data, len);
    return d->taker(d->arg, data, len, err);
}

/* Store, of known size. */
static int push_stored(struct zip_data *d, const unsigned char *p, size_t len, uint64_t at, size_t *taken,
                       struct sc_err *err)
{
    uint64_t left = d->declared.packed - d->packed;
    size_t n = len < left ? len : (size_t)left;
    d->packed += n;
    *taken = n;
    d->ended = d->packed == d->declared.packed;
    return deliver(d, p, n, at, err);
}

/* Where a descriptor's signature, or the part of one that the end cuts off, begins; len if nowhere. */
static size_t find_signature(const unsigned char *p, size_t len)
{
    static const unsigned char signature[] = {'P', 'K', 7, 8};
    for (size_t at = 0; at < len; at++) {
        const unsigned char *hit = memchr(p + at, signature[0], len - at);
        if (!hit)
            return len;
        at = (size_t)(hit - p);
        size_t n = len - at < sizeof signature ? len - at : sizeof signature;
        if (memcmp(hit, signature, n) == 0)
            return at;
    }
    return len;
}

static struct zip_entry counted_so_far(const struct zip_data *d)
{
    return (struct zip_entry){.crc = d->crc, .packed = d->packed, .plain = d->plain};
}

/* The rest has the length of the longest descriptor and begins like one: either it is one, or some of it is
 * data. */
static int judge_rest(struct zip_data *d, uint64_t at, struct sc_err *err)
{
    struct zip_entry counted = counted_so_far(d);
    d->ended = zip_record_descriptor(d->rest, &counted, true) > 0;
    if (d->ended)
        return 0;
    size_t n = 1 + find_signature(d->rest + 1, d->n_rest - 1);
    d->packed += n;
    int result = deliver(d, d->rest, n, at, err);
    d->n_rest -= n;
    memmove(d->rest, d->rest + n, d->n_rest);
    return result;
}

/* Store, of unknown size, as Go writes it: the data ends at the first descriptor that tells its exact CRC-32
 * and sizes and has the next header behind it. If data happened to hold such a thing, the archive would be
 * refused: the central directory, which a restore goes by, would tell another size. */
static int push_stored_open(struct zip_data *d, const unsigned char *p, size_t len, uint64_t at,
                            size_t *taken, struct sc_err *err)
{
    while (*taken < len && !d->ended) {
        const unsigned char *next = p + *taken;
        size_t left = len - *taken;
        if (d->n_rest == 0) {
            size_t n = find_signature(next, left);
            d->packed += n;
            *taken += n;
            if (deliver(d, next, n, at, err) < 0)
                return -1;
            next += n;
            left -= n;
        }
        size_t missing = sizeof d->rest - d->n_rest, n = left < missing ? left : missing;
        memcpy(d->rest + d->n_rest, next, n);
        d->n_rest += n;
        *taken += n;
        if (d->n_rest == sizeof d->rest && judge_rest(d, at, err) < 0)
            return -1;
    }
    return 0;
}

static int push_deflated(struct zip_data *d, const unsigned char *p, size_t len, uint64_t at, size_t *taken,
                         struct sc_err *err)
{
    uint64_t limit = d->sizes_known ? d->declared.packed - d->packed : UINT64_MAX;
    size_t given = len < limit ? len : (size_t)limit;
    struct inflater_step step = {.in = p, .in_len = given};
    enum inflater_result result = INFLATER_FULL;
    while (result == INFLATER_FULL) {
        result = inflater_run(d->inflater, &step);
        uint64_t now = at + (given - step.in_len);
        if (deliver(d, step.out, step.out_len, now, err) < 0)
            return -1;
        if (result == INFLATER_BAD)
            return zip_record_bad(err, now, "the entry's data is not valid Deflate here or shortly before");
    }
    d->ended = result == INFLATER_END;
    *taken = given - step.in_len;
    d->packed += *taken;
    if (d->ended)
        d->n_rest = inflater_rest(d->inflater, d->rest);
    d->packed -= d->n_rest;
    if (d->sizes_known && !d->ended && d->packed == d->declared.packed)
        return zip_record_bad(err, at + *taken,
                              "the entry's %" PRIu64 " bytes of Deflate do not come to an end",
                              d->declared.packed);
    return 0;
}

void zip_data_start(struct zip_data *d, const struct zip_entry *entry)
{
    d->declared = *entry;
    d->sizes_known = !entry->descriptor;
    d->push = entry->method == ZIP_DEFLATE ? push_deflated : d->sizes_known ? push_stored : push_stored_open;
    d->crc = 0;
    d->packed = 0;
    d->plain = 0;
    d->ended = false;
    d->n_rest = 0;
    inflater_reset(d->inflater);
}

int zip_data_push(struct zip_data *d, const unsigned char *in, size_t len, uint64_t at, size_t *taken,
                  struct sc_err *err)
{
    *taken = 0;
    return d->push(d, in, len, at, taken, err);
}

bool zip_data_ended(const struct zip_data *d)
{
    return d->ended;
}

size_t zip_data_finish(struct zip_data *d, struct zip_entry *counted, unsigned char rest[ZIP_DESCRIPTOR_VIEW])
{
    *counted = counted_so_far(d);
    memcpy(rest, d->rest, d->n_rest);
    return d->n_rest;
}
