#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/net/wire.h"

static void numbers_and_strings_are_read_in_turn(void **state)
{
    static const unsigned char bytes[] = "\0\0\1\2"
                                         "\0\0\0\0\0\1\0\3"
                                         "\0\0\0\3abc";
    (void)state;
    struct wire w = {bytes, sizeof bytes - 1}, s;
    uint32_t u32;
    uint64_t u64;
    assert_true(wire_u32(&w, &u32));
    assert_int_equal(u32, 0x102);
    assert_true(wire_u64(&w, &u64));
    assert_int_equal(u64, 0x10003);
    assert_true(wire_string(&w, &s));
    assert_true(wire_equal(&s, "abc"));
    assert_false(wire_equal(&s, "ab"));
    assert_int_equal(w.left, 0);
}

static void what_is_too_short_reads_nothing(void **state)
{
    static const unsigned char bytes[] = "\0\0\0\4abc";
    (void)state;
    struct wire w = {bytes, sizeof bytes - 1}, s;
    uint64_t u64;
    assert_false(wire_u64(&w, &u64));
    assert_false(wire_string(&w, &s));
    assert_false(wire_skip_strings(&w, 1));
    assert_true(wire_skip_strings(&w, 0));
    assert_false(wire_skip_bytes(&w, 8));
    assert_int_equal(w.left, 7);
    w.left = 3;
    uint32_t u32;
    assert_false(wire_u32(&w, &u32));
    static const unsigned char huge[] = "\xff\xff\xff\xff";
    w = (struct wire){huge, 4};
    assert_false(wire_string(&w, &s));
}

static void what_is_put_can_be_read(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = {0};
    wire_put_u32(&out, 0xfffefdfc);
    wire_put_string(&out, "a\0b", 3);
    struct wire w = {(const unsigned char *)out.data, out.len}, s;
    uint32_t u32;
    assert_true(wire_u32(&w, &u32));
    assert_int_equal(u32, 0xfffefdfc);
    assert_true(wire_string(&w, &s));
    assert_int_equal(s.left, 3);
    assert_memory_equal(s.at, "a\0b", 3);
}

/* RFC 4648, section 10. */
static void base64_has_the_vectors_of_the_rfc(void **state)
{
    static const char *const plain[] = {"f", "fo", "foo", "foob", "fooba", "foobar"};
    static const char *const coded[] = {"Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    (void)state;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        AUTO_FREE char *text = wire_to_base64(plain[i], strlen(plain[i]));
        AUTO_BUF struct buf out = {0};
        assert_string_equal(text, coded[i]);
        assert_true(wire_from_base64(text, strlen(text), &out));
        assert_string_equal(buf_text(&out), plain[i]);
    }
}

static void base64_is_strict(void **state)
{
    static const char *const bad[] = {
        "", "Z", "Zg", "Zg=", "=", "====", "Z===", "Zg=a", "Z g=", " Zg==", "Zm9v\nZg", "Zm9vZ-_=", "Zm\0v"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO_BUF struct buf out = {0};
        size_t len = i == sizeof bad / sizeof *bad - 1 ? 4 : strlen(bad[i]);
        assert_false(wire_from_base64(bad[i], len, &out));
    }
    AUTO_BUF struct buf small = {.max = 2};
    assert_false(wire_from_base64("Zm9v", 4, &small));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_strings_are_read_in_turn),
        cmocka_unit_test(what_is_too_short_reads_nothing),
        cmocka_unit_test(what_is_put_can_be_read),
        cmocka_unit_test(base64_has_the_vectors_of_the_rfc),
        cmocka_unit_test(base64_is_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
