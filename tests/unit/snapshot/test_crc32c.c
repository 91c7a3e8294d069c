#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/snapshot/crc32c.h"
#include "snapctl/base/mem.h"

static uint32_t crc_of(void (*init)(struct crc32c *), const void *data, size_t len, size_t piece)
{
    struct crc32c crc;
    init(&crc);
    for (size_t at = 0; at < len; at += piece)
        crc32c_update(&crc, (const char *)data + at, len - at < piece ? len - at : piece);
    return crc.value;
}

/* RFC 3720, B.4, and the check value of the catalogues of CRCs. */
static void test_known_values(void **state)
{
    static const unsigned char zeros[32];
    unsigned char ones[32], up[32], down[32];
    void (*const inits[])(struct crc32c *) = {crc32c_init, crc32c_init_portable};
    (void)state;
    memset(ones, 0xff, sizeof ones);
    for (unsigned char i = 0; i < 32; i++) {
        up[i] = i;
        down[31 - i] = i;
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(crc_of(inits[i], "", 0, 1), 0);
        assert_int_equal(crc_of(inits[i], "123456789", 9, 9), 0xe3069283);
        assert_int_equal(crc_of(inits[i], zeros, 32, 32), 0x8a9136aa);
        assert_int_equal(crc_of(inits[i], ones, 32, 32), 0x62a8ab43);
        assert_int_equal(crc_of(inits[i], up, 32, 32), 0x46dd794e);
        assert_int_equal(crc_of(inits[i], down, 32, 32), 0x113fdb5c);
    }
}

static void test_both_ways_agree_at_any_length_and_place(void **state)
{
    enum { BYTES = 200 };
    unsigned char data[BYTES + 8];
    uint32_t noise = 1;
    (void)state;
    for (size_t i = 0; i < sizeof data; i++) {
        noise = noise * 1664525 + 1013904223;
        data[i] = (unsigned char)(noise >> 24);
    }
    for (size_t at = 0; at < 8; at++)
        for (size_t len = 0; len <= BYTES; len++) {
            uint32_t whole = crc_of(crc32c_init_portable, data + at, len, BYTES);
            assert_int_equal(crc_of(crc32c_init, data + at, len, BYTES), whole);
            assert_int_equal(crc_of(crc32c_init, data + at, len, 1 + len % 13), whole);
            assert_int_equal(crc_of(crc32c_init_portable, data + at, len, 1 + len % 13), whole);
        }
}

static void test_what_is_known_can_be_put_behind(void **state)
{
    enum { BYTES = 5000 };
    static unsigned char data[BYTES];
    void (*const inits[])(struct crc32c *) = {crc32c_init, crc32c_init_portable};
    (void)state;
    for (size_t i = 0; i < BYTES; i++)
        data[i] = (unsigned char)(i * i >> 3);
    for (size_t i = 0; i < 2; i++)
        for (size_t at = 0; at <= BYTES; at += 1 + at / 7) {
            struct crc32c crc;
            inits[i](&crc);
            crc32c_update(&crc, data, at);
            crc32c_append(&crc, crc_of(inits[i], data + at, BYTES - at, BYTES), BYTES - at);
            assert_int_equal(crc.value, crc_of(inits[i], data, BYTES, BYTES));
        }
}

/* 8 TiB of zeros, the halves of which are put together again and again. */
static void test_there_is_no_length_that_is_too_large(void **state)
{
    struct crc32c crc;
    uint64_t len = 32;
    (void)state;
    crc32c_init(&crc);
    crc.value = 0x8a9136aa;
    for (; len < (uint64_t)1 << 43; len *= 2)
        crc32c_append(&crc, crc.value, len);
    uint32_t doubled = crc.value;
    crc.value = 0;
    crc32c_append(&crc, doubled, len);
    assert_int_equal(crc.value, doubled);
    crc32c_append(&crc, 0x8a9136aa, 32);
    uint32_t longer = crc.value;
    crc.value = 0x8a9136aa;
    crc32c_append(&crc, doubled, len);
    assert_int_equal(crc.value, longer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_both_ways_agree_at_any_length_and_place),
        cmocka_unit_test(test_what_is_known_can_be_put_behind),
        cmocka_unit_test(test_there_is_no_length_that_is_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
