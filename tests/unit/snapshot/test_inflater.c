#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#include "../../../src/snapshot/inflater.h"

enum { PLAIN = 400000, TURN = 10000, ROOM = 500000, BEHIND = 12 };

/* Text that packs well, badly and not at all, by turns. */
static void make_plain(unsigned char *plain)
{
    uint32_t noise = 1;
    for (size_t i = 0; i < PLAIN; i++) {
        noise = noise * 1664525 + 1013904223;
        plain[i] = (unsigned char)(i / TURN % 3 == 0 ? 'x' : i / TURN % 3 == 1 ? noise >> 28 : noise >> 24);
    }
}

static size_t pack(const unsigned char *plain, unsigned char *packed, int level, int strategy)
{
    z_stream z = {.next_in = plain, .avail_in = PLAIN, .next_out = packed, .avail_out = ROOM};
    assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, -15, 8, strategy), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t len = z.total_out;
    deflateEnd(&z);
    return len;
}

/* Unpacks in pieces of `in` bytes; the bytes that were taken and are not Deflate are given back as they
 * stand. Returns the number of those that are. */
static size_t unpack(struct inflater *inflater, const unsigned char *packed, size_t len, size_t in,
                     unsigned char *plain)
{
    size_t at = 0, written = 0;
    enum inflater_result result = INFLATER_MORE;
    struct inflater_step step = {0};
    while (result == INFLATER_MORE || result == INFLATER_FULL) {
        if (result == INFLATER_MORE) {
            assert_int_equal(step.in_len, 0);
            assert_true(at < len);
            step.in = packed + at;
            step.in_len = len - at < in ? len - at : in;
            at += step.in_len;
        }
        result = inflater_run(inflater, &step);
        assert_true(step.out_len <= INFLATER_OUT_MAX && step.out_len <= PLAIN - written);
        memcpy(plain + written, step.out, step.out_len);
        written += step.out_len;
    }
    assert_int_equal(result, INFLATER_END);
    assert_int_equal(written, PLAIN);
    unsigned char rest[INFLATER_REST_MAX];
    size_t n = inflater_rest(inflater, rest), used = at - step.in_len;
    assert_memory_equal(rest, packed + used - n, n);
    return used - n;
}

static void test_ends_where_the_stream_ends(void **state)
{
    static const struct {
        int level, strategy;
    } kinds[] = {
        {0, Z_DEFAULT_STRATEGY},
        {1, Z_DEFAULT_STRATEGY},
        {6, Z_DEFAULT_STRATEGY},
        {9, Z_FIXED           },
        {6, Z_HUFFMAN_ONLY    },
    };
    static const size_t pieces[] = {1, 2, 7, 8, 9, 1000, 65536};
    static unsigned char plain[PLAIN], packed[ROOM], unpacked[PLAIN];
    (void)state;
    make_plain(plain);
    struct inflater *inflater = inflater_new();
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        size_t len = pack(plain, packed, kinds[k].level, kinds[k].strategy);
        for (unsigned char i = 0; i < BEHIND; i++)
            packed[len + i] = (unsigned char)(0xa0 + i);
        for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++)
            for (size_t behind = 0; behind <= BEHIND; behind += BEHIND / 2) {
                inflater_reset(inflater);
                memset(unpacked, 0, sizeof unpacked);
                size_t used = unpack(inflater, packed, len + behind, pieces[p], unpacked);
                assert_int_equal(used, len);
                assert_memory_equal(unpacked, plain, PLAIN);
            }
    }
    inflater_free(inflater);
}

/* ---- streams made by hand, bit by bit ---- */

struct maker {
    unsigned char data[512];
    size_t n_bits;
};

static void add(struct maker *m, unsigned value, unsigned bits)
{
    for (; bits--; value >>= 1, m->n_bits++)
        m->data[m->n_bits / 8] |= (unsigned char)((value & 1) << m->n_bits % 8);
}

/* The code that the code lengths are written in: 13 symbols with 4 bits and 6 with 5, which makes it
 * complete. */
static unsigned order_length(unsigned symbol)
{
    return symbol < 13 ? 4 : 5;
}

static void add_order(struct maker *m, unsigned symbol)
{
    unsigned code = symbol < 13 ? symbol : 26 + symbol - 13, length = order_length(symbol);
    while (length--)
        add(m, code >> length & 1, 1);
}

static void start_dynamic(struct maker *m, unsigned n_literals, unsigned n_distances)
{
    static const unsigned char order[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    *m = (struct maker){0};
    add(m, 1, 1);
    add(m, 2, 2);
    add(m, n_literals - 257, 5);
    add(m, n_distances - 1, 5);
    add(m, 15, 4);
    for (size_t i = 0; i < sizeof order; i++)
        add(m, order_length(order[i]), 3);
}

/* The end of the block has a code of `end` bits, 'a' one of `a`, 'b' one of `b`, and the first of two
 * distances one of `d`, the other none. */
static void make_lengths(struct maker *m, unsigned end, unsigned a, unsigned b, unsigned d)
{
    start_dynamic(m, 257, 2);
    for (unsigned symbol = 0; symbol < 257; symbol++)
        add_order(m, symbol == 'a' ? a : symbol == 'b' ? b : symbol == 256 ? end : 0);
    add_order(m, d);
    add_order(m, 0);
}

static bool ours_takes(const unsigned char *data, size_t len, struct inflater *inflater, size_t *plain)
{
    struct inflater_step step = {.in = data, .in_len = len};
    enum inflater_result result = INFLATER_FULL;
    inflater_reset(inflater);
    for (*plain = 0; result == INFLATER_FULL; *plain += step.out_len)
        result = inflater_run(inflater, &step);
    return result == INFLATER_END;
}

static bool zlib_takes(const unsigned char *data, size_t len, size_t *plain)
{
    static unsigned char out[PLAIN * 2];
    z_stream z = {.next_in = data, .avail_in = (uInt)len};
    assert_int_equal(inflateInit2(&z, -15), Z_OK);
    int result = Z_OK;
    for (*plain = 0; result == Z_OK; *plain += sizeof out - z.avail_out) {
        z.next_out = out;
        z.avail_out = sizeof out;
        result = inflate(&z, Z_NO_FLUSH);
    }
    inflateEnd(&z);
    return result == Z_STREAM_END;
}

static void test_codes_have_to_be_complete(void **state)
{
    /* data: the end's code, from its first bit on in the lowest. */
    static const struct {
        const char *what;
        unsigned end, a, b, d;
        unsigned data, n_data;
        bool good;
    } cases[] = {
        {"the end alone, in one bit",      1,  0, 0, 0,  0, 1, true },
        {"the end alone, in two bits",     2,  0, 0, 0,  0, 2, false},
        {"no end",                         0,  1, 1, 0,  0, 1, false},
        {"two of one bit",                 1,  1, 0, 1,  1, 1, true },
        {"one bit too few",                2,  1, 0, 1,  3, 2, false},
        {"a complete code",                2,  1, 2, 1,  3, 2, true },
        {"too many codes",                 1,  1, 1, 1,  1, 1, false},
        {"one distance, in three bits",    2,  1, 2, 3,  3, 2, false},
        {"one distance, of the most bits", 2,  1, 2, 15, 3, 2, false},
        {"one code of the most bits",      15, 1, 0, 1,  0, 2, false},
    };
    struct inflater *inflater = inflater_new();
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct maker m;
        size_t ours, zlibs;
        make_lengths(&m, cases[i].end, cases[i].a, cases[i].b, cases[i].d);
        add(&m, cases[i].data, cases[i].n_data);
        size_t len = (m.n_bits + 7) / 8;
        if (ours_takes(m.data, len, inflater, &ours) != cases[i].good)
            fail_msg("%s: %s", cases[i].what, cases[i].good ? "refused" : "taken");
        if (zlib_takes(m.data, len, &zlibs) != cases[i].good)
            fail_msg("%s: zlib sees it otherwise", cases[i].what);
    }
    inflater_free(inflater);
}

static void test_refuses_what_is_no_deflate(void **state)
{
    static const struct {
        const char *what;
        const char *data;
        size_t len;
    } bad[] = {
        {"block type 3",          "\x07",                                                             1 },
        {"stored length",         "\x01\x05\x00\x00\x00hello",                                        10},
        {"distance too far back", "\x4b\x04\xa2\x00\x00\x00\x00\x00",                                 8 },
        {"code lengths",          "\x05\xe0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16},
        {"287 codes",             "\xf5\x00\x00",                                                     3 },
        {"31 distances",          "\x05\x1e\x00",                                                     3 },
        {"length symbol 286",     "\x1b\x03\x00\x00\x00\x00",                                         6 },
        {"distance symbol 30",    "\x4b\x04\x3e\x00\x00\x00\x00\x00",                                 8 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct inflater *inflater = inflater_new();
        struct inflater_step step = {.in = (const unsigned char *)bad[i].data, .in_len = bad[i].len};
        if (inflater_run(inflater, &step) != INFLATER_BAD)
            fail_msg("accepted: %s", bad[i].what);
        inflater_free(inflater);
    }
}

/* What is damaged passes here exactly if it passes zlib. Flips at the front hit the code lengths. */
static void test_judges_damage_as_zlib_does(void **state)
{
    enum { DAMAGES = 1600, FRONT = 300 };
    static unsigned char plain[PLAIN], packed[ROOM];
    static const int strategies[] = {Z_DEFAULT_STRATEGY, Z_HUFFMAN_ONLY, Z_FIXED, Z_RLE};
    struct inflater *inflater = inflater_new();
    uint32_t noise = 7;
    (void)state;
    make_plain(plain);
    for (size_t s = 0; s < sizeof strategies / sizeof *strategies; s++) {
        size_t len = pack(plain, packed, 6, strategies[s]);
        for (int i = 0; i < DAMAGES / 4; i++) {
            size_t ours, zlibs;
            noise = noise * 1664525 + 1013904223;
            size_t at = (noise >> 8) % (i % 4 ? FRONT : len);
            unsigned char flip = (unsigned char)(1U << (noise >> 5) % 8);
            packed[at] ^= flip;
            bool taken = ours_takes(packed, len, inflater, &ours);
            if (zlib_takes(packed, len, &zlibs) != taken || (taken && ours != zlibs))
                fail_msg("strategy %d, byte %zu, bit %02x: %s", strategies[s], at, flip,
                         taken ? "taken" : "refused");
            packed[at] ^= flip;
        }
    }
    inflater_free(inflater);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends_where_the_stream_ends),
        cmocka_unit_test(test_codes_have_to_be_complete),
        cmocka_unit_test(test_refuses_what_is_no_deflate),
        cmocka_unit_test(test_judges_damage_as_zlib_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
