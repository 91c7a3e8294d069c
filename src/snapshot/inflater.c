#include "inflater.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "huffman.h"
#include "le.h"

enum {
    HISTORY_BYTES = 32 << 10, /* how far back a distance can reach */
    MATCH_MAX = 258,
    WORD = sizeof(uint64_t),
    LOOKS = 3, /* for literals by one filling, which leave enough bits for any code; more are not faster */
    SYMBOL_BITS = 48, /* of a length and a distance at most, each with its extra bits */

    /* What a turn of the fast loop takes and writes at most, copying by words included. */
    TURN_IN = 3 * WORD,
    TURN_OUT = 2 * LOOKS + MATCH_MAX + WORD,
    LAST_START = INFLATER_OUT_MAX - TURN_OUT,

    FIXED_LITERALS = 288,
    FIXED_DISTANCES = 32,
    LITERALS_MAX = 286,
    LITERALS_MIN = 257,
    DISTANCES_MAX = 30,
    END_OF_BLOCK = 256,
    ORDER_MIN = 4,
    REPEATS = 16, /* the first symbol among code lengths that repeats one */
};

/* A stage works on until it ends or cannot, and says which. */
enum progress { GOES_ON, NEEDS_INPUT, NEEDS_ROOM, ENDED, IS_BAD };
typedef enum progress stage(struct inflater *s);

struct inflater {
    const unsigned char *in, *in_end; /* of this step */
    uint64_t hold;                    /* n_hold bits that were taken, the next one lowest; 0 above them */
    unsigned n_hold;
    stage *stage;
    bool last;       /* block */
    size_t n_stored; /* bytes that a stored block still has */
    size_t n_literals, n_distances, n_order;
    size_t n_read; /* code lengths */
    unsigned char order[HUFFMAN_ORDER_SYMBOLS];
    unsigned char lengths[LITERALS_MAX + DISTANCES_MAX];
    uint32_t order_table[HUFFMAN_ORDER_TABLE];
    uint32_t literal_table[HUFFMAN_LITERAL_TABLE];
    uint32_t distance_table[HUFFMAN_DISTANCE_TABLE];
    size_t at; /* where in the window the next byte is written: all before it can be copied from */
    unsigned char window[INFLATER_OUT_MAX];
};

static stage read_header, read_stored_size, read_stored, read_fixed, read_counts, read_order, read_lengths,
    read_symbols;

/* ---- bits ---- */

/* Whether n bits are there, 56 at most. */
static bool fill(struct inflater *s, unsigned n)
{
    while (s->n_hold < n) {
        if (s->in == s->in_end)
            return false;
        s->hold |= (uint64_t)*s->in++ << s->n_hold;
        s->n_hold += 8;
    }
    return true;
}

static uint32_t take(struct inflater *s, unsigned n)
{
    uint32_t value = huffman_low(s->hold, n);
    s->hold >>= n;
    s->n_hold -= n;
    return value;
}

static uint32_t take_value(struct inflater *s, uint32_t entry)
{
    take(s, huffman_length(entry));
    return huffman_value(entry) + take(s, huffman_extra(entry));
}

static unsigned bits_of(uint32_t entry)
{
    return huffman_length(entry) + huffman_extra(entry);
}

/* ---- what stands before a block's data ---- */

static enum progress read_header(struct inflater *s)
{
    static stage *const of_type[] = {read_stored_size, read_fixed, read_counts};
    if (!fill(s, 3))
        return NEEDS_INPUT;
    s->last = take(s, 1);
    uint32_t type = take(s, 2);
    if (type >= sizeof of_type / sizeof *of_type)
        return IS_BAD;
    s->stage = of_type[type];
    return GOES_ON;
}

static enum progress read_stored_size(struct inflater *s)
{
    take(s, s->n_hold % 8);
    if (!fill(s, 32))
        return NEEDS_INPUT;
    uint32_t size = take(s, 16), complement = take(s, 16);
    if ((size ^ complement) != 0xffff)
        return IS_BAD;
    s->n_stored = size;
    s->stage = read_stored;
    return GOES_ON;
}

static enum progress read_fixed(struct inflater *s)
{
    unsigned char lengths[FIXED_LITERALS]; /* RFC 1951, 3.2.6 */
    memset(lengths, 8, 144);
    memset(lengths + 144, 9, 112);
    memset(lengths + 256, 7, 24);
    memset(lengths + 280, 8, 8);
    bool good = huffman_of_literals(s->literal_table, lengths, FIXED_LITERALS);
    memset(lengths, 5, FIXED_DISTANCES);
    good = good && huffman_of_distances(s->distance_table, lengths, FIXED_DISTANCES);
    s->stage = read_symbols;
    return good ? GOES_ON : IS_BAD;
}

static enum progress read_counts(struct inflater *s)
{
    if (!fill(s, 14))
        return NEEDS_INPUT;
    s->n_literals = LITERALS_MIN + take(s, 5);
    s->n_distances = 1 + take(s, 5);
    s->n_order = ORDER_MIN + take(s, 4);
    if (s->n_literals > LITERALS_MAX || s->n_distances > DISTANCES_MAX)
        return IS_BAD;
    memset(s->order, 0, sizeof s->order);
    s->n_read = 0;
    s->stage = read_order;
    return GOES_ON;
}

static enum progress read_order(struct inflater *s)
{
    static const unsigned char symbols[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    for (; s->n_read < s->n_order; s->n_read++) {
        if (!fill(s, 3))
            return NEEDS_INPUT;
        s->order[symbols[s->n_read]] = (unsigned char)take(s, 3);
    }
    if (!huffman_of_order(s->order_table, s->order))
        return IS_BAD;
    s->n_read = 0;
    s->stage = read_lengths;
    return GOES_ON;
}

/* One length, or one that stands for several. */
static enum progress read_length(struct inflater *s, size_t n)
{
    static const unsigned char times[] = {3, 3, 11};
    fill(s, HUFFMAN_ORDER_BITS + 7);
    uint32_t entry = huffman_look(s->order_table, HUFFMAN_ORDER_BITS, s->hold);
    if (bits_of(entry) > s->n_hold)
        return NEEDS_INPUT;
    take(s, huffman_length(entry));
    uint32_t symbol = huffman_value(entry);
    size_t count = symbol < REPEATS ? 1 : times[symbol - REPEATS] + (size_t)take(s, huffman_extra(entry));
    if (count > n - s->n_read || (symbol == REPEATS && s->n_read == 0))
        return IS_BAD;
    unsigned char length = symbol < REPEATS    ? (unsigned char)symbol
                           : symbol == REPEATS ? s->lengths[s->n_read - 1]
                                               : 0;
    memset(s->lengths + s->n_read, length, count);
    s->n_read += count;
    return GOES_ON;
}

static enum progress read_lengths(struct inflater *s)
{
    size_t n = s->n_literals + s->n_distances;
    while (s->n_read < n) {
        enum progress progress = read_length(s, n);
        if (progress != GOES_ON)
            return progress;
    }
    if (s->lengths[END_OF_BLOCK] == 0 || !huffman_of_literals(s->literal_table, s->lengths, s->n_literals) ||
        !huffman_of_distances(s->distance_table, s->lengths + s->n_literals, s->n_distances))
        return IS_BAD;
    s->stage = read_symbols;
    return GOES_ON;
}

/* ---- a block's data ---- */

static enum progress end_block(struct inflater *s)
{
    s->stage = read_header;
    return s->last ? ENDED : GOES_ON;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static enum progress read_stored(struct inflater *s)
{
    for (; s->n_hold && s->n_stored && s->at < INFLATER_OUT_MAX; s->n_stored--)
        s->window[s->at++] = (unsigned char)take(s, 8);
    size_t room = INFLATER_OUT_MAX - s->at;
    size_t n = least(least(s->n_stored, room), (size_t)(s->in_end - s->in));
    memcpy(s->window + s->at, s->in, n);
    s->in += n;
    s->at += n;
    s->n_stored -= n;
    return s->n_stored == 0 ? end_block(s) : n == room ? NEEDS_ROOM : NEEDS_INPUT;
}

/* A second byte that does not count is written over by the next. */
static inline unsigned char *put_literals(unsigned char *out, uint32_t entry)
{
    out[0] = (unsigned char)(entry >> 12);
    out[1] = (unsigned char)(entry >> 20);
    return out + (entry >> 6 & 3);
}

/* A match may reach into itself. By words, less than one of which is written too much, unless it does so
 * within one. */
static inline unsigned char *put_match(unsigned char *out, size_t distance, size_t length)
{
    const unsigned char *from = out - distance;
    if (distance >= WORD)
        for (size_t i = 0; i < length; i += WORD)
            memcpy(out + i, from + i, WORD);
    else if (distance == 1)
        memset(out, *from, length);
    else
        for (size_t i = 0; i < length; i++)
            out[i] = from[i];
    return out + length;
}

/* One symbol, or two literals, by the bits that are there; nothing is taken unless all of it can be. */
static enum progress read_symbol(struct inflater *s)
{
    fill(s, SYMBOL_BITS);
    uint32_t entry = huffman_look(s->literal_table, HUFFMAN_LITERAL_BITS, s->hold);
    unsigned bits = bits_of(entry);
    if (bits > s->n_hold)
        return NEEDS_INPUT;
    if (entry & HUFFMAN_LITERALS) {
        take(s, bits);
        s->at = (size_t)(put_literals(s->window + s->at, entry) - s->window);
        return GOES_ON;
    }
    if (entry & HUFFMAN_END) {
        take(s, bits);
        return end_block(s);
    }
    uint32_t reach = huffman_look(s->distance_table, HUFFMAN_DISTANCE_BITS, s->hold >> bits);
    if (entry & reach & HUFFMAN_VALUE && bits + bits_of(reach) > s->n_hold)
        return NEEDS_INPUT;
    if (!(entry & reach & HUFFMAN_VALUE))
        return IS_BAD;
    size_t length = take_value(s, entry), distance = take_value(s, reach);
    if (distance > s->at)
        return IS_BAD;
    s->at = (size_t)(put_match(s->window + s->at, distance, length) - s->window);
    return GOES_ON;
}

/* The bits of the fast loop, which a compiler can keep in registers. */
struct bits {
    const unsigned char *in, *in_end;
    uint64_t hold; /* also above n as the stream goes on */
    unsigned n;
};

/* Afterwards 64 bits are right, and 56 are counted at least: enough for a symbol, or for the looks for
 * literals, and then for one look ahead. */
static inline void bits_fill(struct bits *b)
{
    b->hold |= le_u64(b->in) << b->n;
    b->in += (63 - b->n) >> 3;
    b->n |= 56;
}

static inline void bits_drop(struct bits *b, unsigned n)
{
    b->hold >>= n;
    b->n -= n;
}

static inline uint32_t bits_value(struct bits *b, uint32_t entry)
{
    bits_drop(b, huffman_length(entry));
    uint32_t value = huffman_value(entry) + huffman_low(b->hold, huffman_extra(entry));
    bits_drop(b, huffman_extra(entry));
    return value;
}

static inline bool bits_suffice(const struct bits *b)
{
    return b->in_end - b->in >= TURN_IN;
}

/* The symbol at the front, of which this is the first look. NULL, and nothing is taken, if it is none that
 * writes something. */
static inline unsigned char *put_symbol(const struct inflater *s, struct bits *b, unsigned char *out,
                                        uint32_t entry)
{
    struct bits after = *b;
    entry = huffman_look_on(s->literal_table, HUFFMAN_LITERAL_BITS, after.hold, entry);
    if (entry & HUFFMAN_LITERALS) {
        bits_drop(b, huffman_length(entry));
        return put_literals(out, entry);
    }
    size_t length = bits_value(&after, entry);
    uint32_t reach = huffman_look(s->distance_table, HUFFMAN_DISTANCE_BITS, after.hold);
    size_t distance = bits_value(&after, reach);
    if (!(entry & reach & HUFFMAN_VALUE) || distance > (size_t)(out - s->window))
        return NULL;
    *b = after;
    return put_match(out, distance, length);
}

/* Symbols while there is input and room for whole turns. What it cannot do, the end and errors among them, it
 * leaves to read_symbol. Looking ahead before the bits are filled up saves the time of filling. */
static void read_fast(struct inflater *s)
{
    unsigned char *out = s->window + s->at, *last_start = s->window + LAST_START;
    struct bits b = {s->in, s->in_end, s->hold, s->n_hold};
    if (!bits_suffice(&b))
        return;
    bits_fill(&b);
    uint32_t entry = huffman_look_once(s->literal_table, HUFFMAN_LITERAL_BITS, b.hold);
    do {
        for (int looks = LOOKS; entry & HUFFMAN_LITERALS && looks > 0; looks--) {
            out = put_literals(out, entry);
            bits_drop(&b, huffman_length(entry));
            entry = huffman_look_once(s->literal_table, HUFFMAN_LITERAL_BITS, b.hold);
        }
        bits_fill(&b);
        if (entry & HUFFMAN_LITERALS)
            continue;
        unsigned char *next = put_symbol(s, &b, out, entry);
        if (!next)
            break;
        out = next;
        entry = huffman_look_once(s->literal_table, HUFFMAN_LITERAL_BITS, b.hold);
        bits_fill(&b);
    } while (bits_suffice(&b) && out <= last_start);
    s->in = b.in;
    s->hold = b.hold & ((UINT64_C(1) << b.n) - 1);
    s->n_hold = b.n;
    s->at = (size_t)(out - s->window);
}

static enum progress read_symbols(struct inflater *s)
{
    enum progress progress = GOES_ON;
    while (progress == GOES_ON && s->stage == read_symbols) {
        if (s->at <= LAST_START)
            read_fast(s);
        progress = s->at > LAST_START ? NEEDS_ROOM : read_symbol(s);
    }
    return progress;
}

/* ---- the whole ---- */

struct inflater *inflater_new(void)
{
    struct inflater *s = mem_calloc(1, sizeof *s);
    inflater_reset(s);
    return s;
}

void inflater_free(struct inflater *s)
{
    free(s);
}

void inflater_reset(struct inflater *s)
{
    s->hold = 0;
    s->n_hold = 0;
    s->stage = read_header;
    s->at = 0;
}

static void keep_history(struct inflater *s)
{
    if (s->at <= LAST_START)
        return;
    memmove(s->window, s->window + s->at - HISTORY_BYTES, HISTORY_BYTES);
    s->at = HISTORY_BYTES;
}

enum inflater_result inflater_run(struct inflater *s, struct inflater_step *step)
{
    static const enum inflater_result results[] = {
        [NEEDS_INPUT] = INFLATER_MORE,
        [NEEDS_ROOM] = INFLATER_FULL,
        [ENDED] = INFLATER_END,
        [IS_BAD] = INFLATER_BAD,
    };
    enum progress progress = GOES_ON;
    s->in = step->in;
    s->in_end = step->in + step->in_len;
    keep_history(s);
    step->out = s->window + s->at;
    while (progress == GOES_ON)
        progress = s->stage(s);
    step->in = s->in;
    step->in_len = (size_t)(s->in_end - s->in);
    step->out_len = (size_t)(s->window + s->at - step->out);
    return results[progress];
}

size_t inflater_rest(const struct inflater *s, unsigned char rest[INFLATER_REST_MAX])
{
    uint64_t bytes = s->hold >> s->n_hold % 8;
    size_t n = s->n_hold / 8;
    for (size_t i = 0; i < n; i++)
        rest[i] = (unsigned char)(bytes >> (8 * i));
    return n;
}
