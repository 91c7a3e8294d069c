/* The prefix codes of Deflate (RFC 1951, 3.2.2) as tables of what the next bits mean. */
#ifndef SNAPCTL_SNAPSHOT_HUFFMAN_H
#define SNAPCTL_SNAPSHOT_HUFFMAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HUFFMAN_LENGTH_MAX = 15, /* bits of a code */

    /* Of the codes for literals and lengths, for distances, and for the lengths of these codes: the bits that
     * are looked up at once, and the entries of the whole table. Longer codes go on in small tables behind:
     * one for each beginning that has any, which has two at least. */
    HUFFMAN_LITERAL_BITS = 12,
    HUFFMAN_LITERAL_SYMBOLS = 288,
    HUFFMAN_LITERAL_TABLE = (1 << 12) + HUFFMAN_LITERAL_SYMBOLS / 2 * (1 << 3),
    HUFFMAN_DISTANCE_BITS = 9,
    HUFFMAN_DISTANCE_SYMBOLS = 32,
    HUFFMAN_DISTANCE_TABLE = (1 << 9) + HUFFMAN_DISTANCE_SYMBOLS / 2 * (1 << 6),
    HUFFMAN_ORDER_BITS = 7,
    HUFFMAN_ORDER_SYMBOLS = 19,
    HUFFMAN_ORDER_TABLE = 1 << 7,
};

/* An entry. In bits 0 to 5 stands the length of the code, all of it, and in 8 to 11 the number of extra bits
 * behind it.
 *
 * Literals have 31 set: 6 and 7 tell how many, one or two, which then share the length, and 12 to 27 are the
 * bytes, that of the first one lowest.
 *
 * A value has 30 set: 12 to 26 is what the extra bits are added to. The end of the block has 29 set.
 *
 * More to look at have 28 set: 8 to 11 tell how many bits behind the first look, 12 to 26 where their table
 * begins.
 *
 * With none of these set there is no such code. */
#define HUFFMAN_LITERALS (UINT32_C(1) << 31)
#define HUFFMAN_VALUE (UINT32_C(1) << 30)
#define HUFFMAN_END (UINT32_C(1) << 29)
#define HUFFMAN_MORE (UINT32_C(1) << 28)

static inline unsigned huffman_length(uint32_t entry)
{
    return entry & 63;
}

static inline unsigned huffman_extra(uint32_t entry)
{
    return entry >> 8 & 15;
}

static inline uint32_t huffman_value(uint32_t entry)
{
    return entry >> 12 & 0x7fff;
}

static inline uint32_t huffman_low(uint64_t bits, unsigned n)
{
    return (uint32_t)bits & ((UINT32_C(1) << n) - 1);
}

/* The entry of the code that the lowest bits begin with, in a table whose first look takes n_bits: by the
 * first look, which can say HUFFMAN_MORE, and by both. */
static inline uint32_t huffman_look_once(const uint32_t *table, unsigned n_bits, uint64_t bits)
{
    return table[huffman_low(bits, n_bits)];
}

static inline uint32_t huffman_look_on(const uint32_t *table, unsigned n_bits, uint64_t bits, uint32_t entry)
{
    return entry & HUFFMAN_MORE
               ? table[huffman_value(entry) + huffman_low(bits >> n_bits, huffman_extra(entry))]
               : entry;
}

static inline uint32_t huffman_look(const uint32_t *table, unsigned n_bits, uint64_t bits)
{
    return huffman_look_on(table, n_bits, bits, huffman_look_once(table, n_bits, bits));
}

/* Make a table of the code lengths (0: no code) of n symbols. False if the lengths are not those of a
 * complete code: one too many or one too few, but for a single code of one bit, and for none at all, which
 * both zlib and Go (compress/flate, huffmanDecoder.init) let pass. */
bool huffman_of_literals(uint32_t table[HUFFMAN_LITERAL_TABLE], const unsigned char *lengths, size_t n);
bool huffman_of_distances(uint32_t table[HUFFMAN_DISTANCE_TABLE], const unsigned char *lengths, size_t n);

/* The values are the symbols themselves. It has to be complete. */
bool huffman_of_order(uint32_t table[HUFFMAN_ORDER_TABLE],
                      const unsigned char lengths[HUFFMAN_ORDER_SYMBOLS]);

#endif
