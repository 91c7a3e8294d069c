#include "database_sift.h"

#include <stdlib.h>
#include <string.h>

#include "database_digest.h"
#include "database_meta.h"

/* A page is digested if all that belongs to it fits in here. One has up to four values of any size, and
 * values of Kubernetes have kilobytes. */
enum { BUFFER = 2 << 20 };
/* bbolt takes the machine's page size, and no machine that etcd runs on has a larger one. */
enum { SIFTED_PAGE_MAX = 64 << 10 };
enum { DIGESTS = SIFTED_PAGE_MAX / DATABASE_PLACE_UNIT, PLACES_FIRST = 1 << 10 };
/* 64 GiB of the usual pages, as many as a spool takes; 4 bytes of memory for each. */
enum { PAGES_MAX = 16 << 20 };

struct database_sift {
    struct sink sink;
    struct sink *kept;
    uint32_t page_bytes; /* 0: not known yet */
    bool whole;          /* nothing is known of the pages: all are kept */
    uint64_t bytes;      /* that have come */
    uint64_t kept_bytes;
    uint64_t looked_at; /* bytes of pages that were to be digested */

    /* A page that can be referred to begins with its own number. All others are dropped, unless one that was
     * not digested says that it reaches over them: up to this page they are kept. It is behind the meta pages
     * at first, which are kept whatever they are. */
    uint64_t keep_until;

    uint64_t n_places, room;
    uint32_t *places;
    size_t n_digests; /* that have no place yet */
    struct database_digest digests[DIGESTS];

    struct crc32c crc;
    size_t begin, end; /* of what is in the buffer: the page n_places, and those behind it */
    unsigned char buffer[BUFFER];
};

static int keep(struct database_sift *sift, const struct ctx *ctx, const void *data, size_t len,
                struct sc_err *err)
{
    sift->kept_bytes += len;
    return sift->kept->write(sift->kept, ctx, data, len, err);
}

/* Places reach to 128 GiB, twice what a spool takes: of more there is no file to be looked into. */
static uint32_t place_of(uint64_t offset, bool digest)
{
    return (uint32_t)(offset / DATABASE_PLACE_UNIT * 2 + digest);
}

/* Of the page at the buffer's front, which is done with. */
static void put_place(struct database_sift *sift, uint32_t place)
{
    if (sift->n_places == sift->room) {
        sift->room = sift->room ? 2 * sift->room : PLACES_FIRST;
        sift->places = mem_realloc(sift->places, sift->room, sizeof *sift->places);
    }
    sift->places[sift->n_places++] = place;
    sift->begin += sift->page_bytes;
}

/* Digests are kept by the page, so that all others stay where pages begin. */
static int keep_digests(struct database_sift *sift, const struct ctx *ctx, struct sc_err *err)
{
    if (sift->n_digests == 0)
        return 0;
    for (size_t i = 0; i < sift->n_digests; i++)
        sift->places[sift->digests[i].id] = place_of(sift->kept_bytes + i * sizeof *sift->digests, true);
    sift->n_digests = 0;
    return keep(sift, ctx, sift->digests, sift->page_bytes, err);
}

/* Where digests are kept nothing is written that belongs together: a page that is digested is outside of all
 * that are kept. */
static int put_digest(struct database_sift *sift, const struct ctx *ctx, const struct database_digest *digest,
                      struct sc_err *err)
{
    sift->digests[sift->n_digests++] = *digest;
    put_place(sift, DATABASE_NOWHERE);
    bool full = sift->n_digests == sift->page_bytes / sizeof *sift->digests;
    return full ? keep_digests(sift, ctx, err) : 0;
}

static int put_page(struct database_sift *sift, const struct ctx *ctx, struct sc_err *err)
{
    const unsigned char *page = sift->buffer + sift->begin;
    bool kept = sift->n_places < sift->keep_until;
    put_place(sift, kept ? place_of(sift->kept_bytes, false) : DATABASE_NOWHERE);
    return kept ? keep(sift, ctx, page, sift->page_bytes, err) : 0;
}

/* Pages may reach over each other, so that each byte could be read thousands of times: all in all it is
 * twice. */
static bool may_digest(const struct database_sift *sift, const struct database_header *header)
{
    bool leaf = header->flags == DATABASE_PAGE_LEAF && header->pages <= BUFFER / sift->page_bytes;
    return leaf && header->id >= sift->keep_until &&
           sift->looked_at + header->pages * sift->page_bytes <= 2 * sift->bytes + BUFFER;
}

static bool try_digest(struct database_sift *sift, const struct database_header *header,
                       struct database_digest *digest)
{
    const struct database_page page = {.id = header->id,
                                       .flags = header->flags,
                                       .count = header->count,
                                       .data = sift->buffer + sift->begin,
                                       .bytes = header->pages * sift->page_bytes};
    sift->looked_at += page.bytes;
    if (!database_digest_make(&sift->crc, &page, digest))
        return false;
    digest->pages = (uint32_t)header->pages;
    return true;
}

static void keep_all_of(struct database_sift *sift, const struct database_header *header)
{
    uint64_t until = header->id + header->pages;
    sift->keep_until = until > sift->keep_until ? until : sift->keep_until;
}

enum verdict { WAIT, PUT_PAGE, PUT_DIGEST };

/* What becomes of the page at the buffer's front. WAIT: what belongs to it has not all come. */
static enum verdict judge(struct database_sift *sift, bool ended, struct database_digest *digest)
{
    struct database_header header = database_header_read(sift->buffer + sift->begin);
    if (header.id != sift->n_places)
        return PUT_PAGE;
    bool here = header.pages * sift->page_bytes <= sift->end - sift->begin;
    if (may_digest(sift, &header)) {
        if (!here && !ended)
            return WAIT;
        if (here && try_digest(sift, &header, digest))
            return PUT_DIGEST;
    }
    keep_all_of(sift, &header);
    return PUT_PAGE;
}

static int sift_pages(struct database_sift *sift, const struct ctx *ctx, bool ended, struct sc_err *err)
{
    enum verdict verdict = PUT_PAGE;
    int result = 0;
    while (result == 0 && verdict != WAIT && sift->end - sift->begin >= sift->page_bytes) {
        struct database_digest digest;
        verdict = judge(sift, ended, &digest);
        if (verdict == PUT_DIGEST)
            result = put_digest(sift, ctx, &digest, err);
        else if (verdict == PUT_PAGE)
            result = put_page(sift, ctx, err);
    }
    return result;
}

static void move_to_front(struct database_sift *sift)
{
    memmove(sift->buffer, sift->buffer + sift->begin, sift->end - sift->begin);
    sift->end -= sift->begin;
    sift->begin = 0;
}

/* The first page tells how large one is. If it is damaged, whoever looks for the second needs them all. */
static void learn(struct database_sift *sift)
{
    struct database_meta meta;
    if (sift->page_bytes || sift->end < DATABASE_META_BYTES)
        return;
    sift->whole = database_meta_read(sift->buffer, 0, &meta, NULL) < 0 || meta.page_bytes > SIFTED_PAGE_MAX;
    sift->page_bytes = sift->whole ? 0 : meta.page_bytes;
}

static int empty(struct database_sift *sift, const struct ctx *ctx, struct sc_err *err)
{
    size_t begin = sift->begin, len = sift->end - begin;
    sift->begin = sift->end = 0;
    return keep(sift, ctx, sift->buffer + begin, len, err);
}

/* Told in the end, as what goes wrong with a spool. */
static bool has_too_many(const struct database_sift *sift)
{
    return sift->n_places > PAGES_MAX;
}

static int sift_write(struct sink *self, const struct ctx *ctx, const void *data, size_t len,
                      struct sc_err *err)
{
    struct database_sift *sift = (struct database_sift *)self;
    const unsigned char *at = data;
    int result = 0;
    sift->bytes += len;
    if (has_too_many(sift))
        return 0;
    while (result == 0 && len && !sift->whole) {
        size_t room = BUFFER - sift->end, n = len < room ? len : room;
        memcpy(sift->buffer + sift->end, at, n);
        sift->end += n;
        at += n;
        len -= n;
        learn(sift);
        if (sift->page_bytes)
            result = sift_pages(sift, ctx, false, err);
        else if (sift->whole)
            result = empty(sift, ctx, err);
        if (sift->begin == sift->end || sift->end == BUFFER)
            move_to_front(sift);
    }
    return result < 0 || len == 0 ? result : keep(sift, ctx, at, len, err);
}

static int sift_finish(struct sink *self, const struct ctx *ctx, struct sc_err *err)
{
    struct database_sift *sift = (struct database_sift *)self;
    if (has_too_many(sift)) {
        err_set(err, ERR_SPACE, "the database has more than %d pages", PAGES_MAX);
        return err_hint(err, "etcdctl snapshot status looks into one of any size");
    }
    if (sift->page_bytes && (sift_pages(sift, ctx, true, err) < 0 || keep_digests(sift, ctx, err) < 0))
        return -1;
    return empty(sift, ctx, err);
}

struct database_sift *database_sift_new(struct sink *kept)
{
    struct database_sift *sift = mem_calloc(1, sizeof *sift);
    sift->sink = (struct sink){.write = sift_write, .finish = sift_finish, .abort = sink_abort_nothing};
    sift->kept = kept;
    sift->keep_until = DATABASE_FIRST_PAGE;
    crc32c_init(&sift->crc);
    return sift;
}

void database_sift_free(struct database_sift *sift)
{
    if (!sift)
        return;
    free(sift->places);
    free(sift);
}

struct sink *database_sift_sink(struct database_sift *sift)
{
    return &sift->sink;
}

uint64_t database_sift_bytes(const struct database_sift *sift)
{
    return sift->bytes;
}

const uint32_t *database_sift_places(const struct database_sift *sift)
{
    return sift->places;
}
