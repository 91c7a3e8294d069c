#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <zlib.h>

#include "../../../src/snapshot/inflater.h"

enum { PLAIN = 70000, TURN = 10000, ROOM = 100000, BEHIND = 12 };

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

/* Unpacks in pieces of `in` bytes to pieces of `out` bytes; the bytes that were taken and are not Deflate are
 * given back as they stand. Returns the number of those that are. */
static size_t unpack(struct inflater *inflater, const unsigned char *packed, size_t len, size_t in,
                     size_t out, unsigned char *plain)
{
    size_t at = 0, written = 0;
    enum inflater_result result = INFLATER_MORE;
    struct inflater_step step = {0};
    while (result == INFLATER_MORE) {
        if (step.in_len == 0) {
            step.in = packed + at;
            step.in_len = len - at < in ? len - at : in;
            at += step.in_len;
        }
        step.out = plain + written;
        step.out_cap = PLAIN - written < out ? PLAIN - written : out;
        result = inflater_run(inflater, &step);
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
                size_t used = unpack(inflater, packed, len + behind, pieces[p], 1 + pieces[p] * 3, unpacked);
                assert_int_equal(used, len);
                assert_memory_equal(unpacked, plain, PLAIN);
            }
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
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        unsigned char out[512];
        struct inflater *inflater = inflater_new();
        struct inflater_step step = {.in = (const unsigned char *)bad[i].data,
                                     .in_len = bad[i].len,
                                     .out = out,
                                     .out_cap = sizeof out};
        if (inflater_run(inflater, &step) != INFLATER_BAD)
            fail_msg("accepted: %s", bad[i].what);
        inflater_free(inflater);
    }
}

static void test_crc32_of_pieces(void **state)
{
    (void)state;
    const unsigned char *check = (const unsigned char *)"123456789"; /* the check value of CRC-32/ISO-HDLC */
    assert_int_equal(inflater_crc32(0, check, 9), 0xcbf43926);
    assert_int_equal(inflater_crc32(inflater_crc32(0, check, 4), check + 4, 5), 0xcbf43926);
    assert_int_equal(inflater_crc32(0, check, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends_where_the_stream_ends),
        cmocka_unit_test(test_refuses_what_is_no_deflate),
        cmocka_unit_test(test_crc32_of_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
