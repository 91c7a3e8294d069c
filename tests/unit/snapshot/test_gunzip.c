#include "../../../src/snapshot/gunzip.h"

#include "tar_maker.h"

static int on_data(void *arg, const unsigned char *data, size_t len, struct sc_err *err)
{
    (void)err;
    buf_append(arg, data, len);
    return 0;
}

static int unpack(const struct buf *packed, size_t piece, struct buf *plain, struct sc_err *err)
{
    struct gunzip *gunzip = gunzip_new(on_data, plain);
    int result = 0;
    for (size_t at = 0; at < packed->len && result == 0; at += piece)
        result = gunzip_push(gunzip, (const unsigned char *)packed->data + at,
                             packed->len - at < piece ? packed->len - at : piece, err);
    if (result == 0)
        result = gunzip_finish(gunzip, err);
    gunzip_free(gunzip);
    return result;
}

/* More than one buffer of the unpacker's, badly and well packed. */
static struct buf make_plain(void)
{
    struct buf plain = {0};
    uint32_t noise = 1;
    for (int i = 0; i < 100000; i++) {
        noise = noise * 1664525 + 1013904223;
        buf_append(&plain, &(char){i < 50000 ? 'x' : (char)(noise >> 24)}, 1);
    }
    return plain;
}

static void pieces_of_any_size(void **state)
{
    AUTO_BUF struct buf plain = make_plain(), packed = gzip_of(&plain);
    static const size_t pieces[] = {1, 3, 1000, 1 << 20};
    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        AUTO_BUF struct buf seen = {0};
        AUTO_ERR struct sc_err err = {0};
        assert_int_equal(unpack(&packed, pieces[i], &seen, &err), 0);
        assert_int_equal(seen.len, plain.len);
        assert_memory_equal(seen.data, plain.data, plain.len);
    }
}

static void assert_refused(const struct buf *packed, const char *why)
{
    AUTO_BUF struct buf seen = {0};
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(unpack(packed, 1000, &seen, &err), -1);
    assert_int_equal(err.kind, ERR_CORRUPT);
    if (!strstr(err.text, why))
        fail_msg("%s, not %s", err.text, why);
}

static void what_is_no_gzip_or_damaged(void **state)
{
    AUTO_BUF struct buf plain = make_plain(), packed = gzip_of(&plain), empty = {0};
    (void)state;
    assert_refused(&empty, "cut off");
    assert_refused(&plain, "no gzip, or damaged");
    size_t whole = packed.len;
    packed.len = whole - 1;
    assert_refused(&packed, "cut off");
    packed.len = whole;
    packed.data[whole - 5] ^= 1; /* of the CRC-32 */
    assert_refused(&packed, "incorrect data check");
    packed.data[whole - 5] ^= 1;
    packed.data[whole - 1] ^= 1; /* of the size */
    assert_refused(&packed, "incorrect length check");
    packed.data[whole - 1] ^= 1;
    buf_puts(&packed, "x");
    assert_refused(&packed, "behind the end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_any_size),
        cmocka_unit_test(what_is_no_gzip_or_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
