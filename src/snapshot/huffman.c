#include "huffman.h"

#include <string.h>

enum { LITERALS_END = 256 };

#define VALUE(base, extra) (HUFFMAN_VALUE | (uint32_t)(base) << 12 | (uint32_t)(extra) << 8)

/* RFC 1951, 3.2.5. What is not named is no code, though the fixed ones have room for it. */
static const uint32_t lengths_meaning[HUFFMAN_LITERAL_SYMBOLS - LITERALS_END] = {
    HUFFMAN_END,   VALUE(3, 0),   VALUE(4, 0),   VALUE(5, 0),   VALUE(6, 0),   VALUE(7, 0),
    VALUE(8, 0),   VALUE(9, 0),   VALUE(10, 0),  VALUE(11, 1),  VALUE(13, 1),  VALUE(15, 1),
    VALUE(17, 1),  VALUE(19, 2),  VALUE(23, 2),  VALUE(27, 2),  VALUE(31, 2),  VALUE(35, 3),
    VALUE(43, 3),  VALUE(51, 3),  VALUE(59, 3),  VALUE(67, 4),  VALUE(83, 4),  VALUE(99, 4),
    VALUE(115, 4), VALUE(131, 5), VALUE(163, 5), VALUE(195, 5), VALUE(227, 5), VALUE(258, 0),
};

static const uint32_t distances_meaning[HUFFMAN_DISTANCE_SYMBOLS] = {
    VALUE(1, 0),     VALUE(2, 0),     VALUE(3, 0),     VALUE(4, 0),      VALUE(5, 1),      VALUE(7, 1),
    VALUE(9, 2),     VALUE(13, 2),    VALUE(17, 3),    VALUE(25, 3),     VALUE(33, 4),     VALUE(49, 4),
    VALUE(65, 5),    VALUE(97, 5),    VALUE(129, 6),   VALUE(193, 6),    VALUE(257, 7),    VALUE(385, 7),
    VALUE(513, 8),   VALUE(769, 8),   VALUE(1025, 9),  VALUE(1537, 9),   VALUE(2049, 10),  VALUE(3073, 10),
    VALUE(4097, 11), VALUE(6145, 11), VALUE(8193, 12), VALUE(12289, 12), VALUE(16385, 13), VALUE(24577, 13),
};

/* RFC 1951, 3.2.7: the last three say how often a length is repeated. */
static const uint32_t order_meaning[HUFFMAN_ORDER_SYMBOLS] = {
    VALUE(0, 0),  VALUE(1, 0),  VALUE(2, 0),  VALUE(3, 0),  VALUE(4, 0),  VALUE(5, 0),  VALUE(6, 0),
    VALUE(7, 0),  VALUE(8, 0),  VALUE(9, 0),  VALUE(10, 0), VALUE(11, 0), VALUE(12, 0), VALUE(13, 0),
    VALUE(14, 0), VALUE(15, 0), VALUE(16, 2), VALUE(17, 3), VALUE(18, 7),
};

typedef uint32_t meaning(size_t symbol);

static uint32_t literal_or_length(size_t symbol)
{
    return symbol < LITERALS_END ? HUFFMAN_LITERALS | 1U << 6 | (uint32_t)symbol << 12
                                 : lengths_meaning[symbol - LITERALS_END];
}

static uint32_t distance(size_t symbol)
{
    return distances_meaning[symbol];
}

static uint32_t order(size_t symbol)
{
    return order_meaning[symbol];
}

/* The symbols that have a code, those with short ones first, else in their own order: as codes are given out.
 */
struct code {
    unsigned count[HUFFMAN_LENGTH_MAX + 1]; /* of each length; none of 0 */
    unsigned short symbols[HUFFMAN_LITERAL_SYMBOLS];
    unsigned longest;
    int left; /* what remains of all codes of the greatest length; below 0: there are too many */
};

static void code_of(struct code *code, const unsigned char *lengths, size_t n)
{
    unsigned first[HUFFMAN_LENGTH_MAX + 2] = {0};
    *code = (struct code){.left = 1};
    for (size_t i = 0; i < n; i++)
        code->count[lengths[i]]++;
    code->count[0] = 0;
    for (unsigned l = 1; l <= HUFFMAN_LENGTH_MAX; l++) {
        first[l + 1] = first[l] + code->count[l];
        code->left = code->left < 0 ? -1 : (code->left << 1) - (int)code->count[l];
        if (code->count[l])
            code->longest = l;
    }
    for (size_t i = 0; i < n; i++)
        if (lengths[i])
            code->symbols[first[lengths[i]]++] = (unsigned short)i;
}

/* Codes are sent from their highest bit on, all else from its lowest. The next code after one that is
 * reversed already: the bits from the highest on that are set fall, and the one behind them rises. */
static uint32_t next_reversed(uint32_t reverse, unsigned length)
{
    uint32_t bit = UINT32_C(1) << (length - 1);
    for (; reverse & bit; bit >>= 1)
        reverse ^= bit;
    return reverse | bit;
}

struct making {
    uint32_t *table;
    unsigned bits; /* of the first look */
    unsigned more; /* bits of the longest code behind them */
    uint32_t end;  /* of the tables so far */
};

static void enter_long(struct making *m, uint32_t reverse, unsigned length, uint32_t entry)
{
    uint32_t *first = &m->table[huffman_low(reverse, m->bits)];
    if (!(*first & HUFFMAN_MORE)) {
        *first = HUFFMAN_MORE | m->end << 12 | m->more << 8;
        m->end += UINT32_C(1) << m->more;
    }
    uint32_t *table = m->table + huffman_value(*first);
    for (uint32_t i = reverse >> m->bits; i < UINT32_C(1) << m->more; i += UINT32_C(1) << (length - m->bits))
        table[i] = entry;
}

/* The table is that of the codes up to a length, which twice is that up to the next, but for the codes of
 * that length itself. What stands where no code ends yet is written over by a longer one. */
static void enter_all(struct making *m, const struct code *code, meaning *mean)
{
    const unsigned short *symbol = code->symbols;
    uint32_t reverse = 0;
    m->table[0] = 1; /* no such code, which the first bit tells if there are none */
    for (unsigned l = 1; l <= code->longest || l <= m->bits; l++) {
        if (l <= m->bits)
            memcpy(m->table + (1 << (l - 1)), m->table, sizeof *m->table << (l - 1));
        for (unsigned i = 0; i < code->count[l]; i++, symbol++) {
            uint32_t entry = mean(*symbol) | l;
            if (l <= m->bits)
                m->table[reverse] = entry;
            else
                enter_long(m, reverse, l, entry);
            reverse = next_reversed(reverse, l);
        }
    }
}

static bool make(struct code *code, uint32_t *table, unsigned bits, meaning *mean,
                 const unsigned char *lengths, size_t n)
{
    code_of(code, lengths, n);
    if (code->left < 0 || (code->left > 0 && code->longest > 1))
        return false;
    unsigned more = code->longest > bits ? code->longest - bits : 0;
    enter_all(&(struct making){table, bits, more, UINT32_C(1) << bits}, code, mean);
    return true;
}

/* What the entry of a literal becomes with another one behind it that takes up to so many bits: what is added
 * to it, for each value of these bits. 0: it stays alone. */
static void literals_behind(uint32_t *added, const uint32_t *single, unsigned bits)
{
    for (uint32_t i = 0; i < UINT32_C(1) << bits; i++)
        added[i] = single[i] & HUFFMAN_LITERALS && huffman_length(single[i]) <= bits
                       ? (single[i] & 0xffU << 12) << 8 | 1U << 6 | huffman_length(single[i])
                       : 0;
}

/* Two literals whose codes fit into one look are found by one. */
static void join_literals(uint32_t *table, const struct code *code)
{
    uint32_t single[1 << (HUFFMAN_LITERAL_BITS - 1)], added[1 << (HUFFMAN_LITERAL_BITS - 1)];
    const unsigned short *symbol = code->symbols;
    uint32_t reverse = 0;
    memcpy(single, table, sizeof single);
    for (unsigned l = 1; l < HUFFMAN_LITERAL_BITS; l++) {
        if (code->count[l])
            literals_behind(added, single, HUFFMAN_LITERAL_BITS - l);
        for (unsigned i = 0; i < code->count[l]; i++, symbol++) {
            uint32_t entry = literal_or_length(*symbol) | l;
            if (*symbol < LITERALS_END)
                for (uint32_t j = 0; j < UINT32_C(1) << (HUFFMAN_LITERAL_BITS - l); j++)
                    table[reverse | j << l] = entry + added[j];
            reverse = next_reversed(reverse, l);
        }
    }
}

bool huffman_of_literals(uint32_t table[HUFFMAN_LITERAL_TABLE], const unsigned char *lengths, size_t n)
{
    struct code code;
    if (!make(&code, table, HUFFMAN_LITERAL_BITS, literal_or_length, lengths, n))
        return false;
    join_literals(table, &code);
    return true;
}

bool huffman_of_distances(uint32_t table[HUFFMAN_DISTANCE_TABLE], const unsigned char *lengths, size_t n)
{
    struct code code;
    return make(&code, table, HUFFMAN_DISTANCE_BITS, distance, lengths, n);
}

bool huffman_of_order(uint32_t table[HUFFMAN_ORDER_TABLE], const unsigned char lengths[HUFFMAN_ORDER_SYMBOLS])
{
    struct code code;
    return make(&code, table, HUFFMAN_ORDER_BITS, order, lengths, HUFFMAN_ORDER_SYMBOLS) && code.left == 0;
}
