#include "../../../src/snapshot/tar_reader.h"

#include "tar_maker.h"

/* "NAME:CONTENT;" of each entry, a folder's with a "/". */
static int on_entry(void *arg, const struct tar_entry *entry, struct sc_err *err)
{
    (void)err;
    buf_printf(arg, "%s%s:", ((struct buf *)arg)->len ? ";" : "", entry->name);
    if (!entry->file)
        buf_puts(arg, "(no file)");
    return 0;
}

static int on_data(void *arg, const unsigned char *data, size_t len, struct sc_err *err)
{
    (void)err;
    buf_append(arg, data, len);
    return 0;
}

enum { LIMIT = 1 << 20 };

/* What was seen; NULL with err filled if it was refused. */
static char *read_in_pieces(const struct buf *tar, size_t piece, struct sc_err *err)
{
    struct buf seen = {0};
    struct tar_reader *reader =
        tar_reader_new(&(struct tar_visitor){.entry = on_entry, .data = on_data, .arg = &seen}, LIMIT);
    int result = 0;
    for (size_t at = 0; at < tar->len && result == 0; at += piece)
        result = tar_reader_push(reader, (const unsigned char *)tar->data + at,
                                 tar->len - at < piece ? tar->len - at : piece, err);
    if (result == 0)
        result = tar_reader_finish(reader, err);
    tar_reader_free(reader);
    char *text = buf_take(&seen);
    if (result == 0)
        return text;
    free(text);
    return NULL;
}

static void assert_seen(const struct buf *tar, const char *wanted)
{
    static const size_t pieces[] = {1, 7, 511, 512, 513, 100000};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        AUTO_ERR struct sc_err err = {0};
        AUTO_FREE char *seen = read_in_pieces(tar, pieces[i], &err);
        if (!seen)
            fail_msg("%s", err.text);
        assert_string_equal(seen, wanted);
    }
}

static void assert_refused(const struct buf *tar, const char *why)
{
    AUTO_ERR struct sc_err err = {0};
    AUTO_FREE char *seen = read_in_pieces(tar, 100000, &err);
    assert_null(seen);
    assert_int_equal(err.kind, ERR_CORRUPT);
    if (!strstr(err.text, why))
        fail_msg("%s, not %s", err.text, why);
}

static void entries_and_folders(void **state)
{
    AUTO_BUF struct buf tar = {0};
    (void)state;
    tar_put(&tar, "a/", '5', "");
    tar_put(&tar, "a/one", '0', "hello");
    tar_put(&tar, "a/empty", '\0', "");
    tar_put(&tar, "a/link", '2', "");
    tar_end(&tar);
    assert_seen(&tar, "a/:(no file);a/one:hello;a/empty:;a/link:(no file)");
    /* GNU's tar fills up to 20 blocks. */
    tar_end(&tar);
    assert_seen(&tar, "a/:(no file);a/one:hello;a/empty:;a/link:(no file)");
}

static void long_names(void **state)
{
    AUTO_BUF struct buf tar = {0};
    AUTO_FREE char *wanted = NULL;
    char name[200];
    (void)state;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    tar_put(&tar, "././@LongLink", 'L', name);
    tar_put(&tar, "cut", '0', "1");
    AUTO_FREE char *record = str_format("209 path=%s\n", name);
    assert_int_equal(strlen(record), 209);
    tar_put_as(&tar, "ustar\00000", "", "pax", 'x', record, strlen(record));
    tar_put(&tar, "cut", '0', "2");
    tar_put_as(&tar, "ustar\00000", "some/folder", "file", '0', "3", 1);
    /* The same bytes are times in GNU's. */
    tar_put_as(&tar, "ustar  ", "12345", "file", '0', "4", 1);
    tar_put_as(&tar, "ustar\00000", "", "global", 'g', "19 comment=whatever\n", 20);
    tar_put(&tar, "last", '0', "5");
    tar_end(&tar);
    wanted = str_format("%s:1;%s:2;some/folder/file:3;file:4;last:5", name, name);
    assert_seen(&tar, wanted);
}

/* None of these is a record: the header's name counts. */
static void records_that_are_none(void **state)
{
    static const char *const records[] = {"",
                                          "x",
                                          "99 path=a\n",
                                          "-1 path=a\n",
                                          "0 path=a\n",
                                          "10 path=ab",
                                          "4294967296 path",
                                          "6 path=a\n",
                                          "11 size=99\n",
                                          "5 pat\n12 path=aa"};
    (void)state;
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        AUTO_BUF struct buf tar = {0};
        tar_put_as(&tar, "ustar\00000", "", "pax", 'x', records[i], strlen(records[i]));
        tar_put(&tar, "name", '0', "1");
        tar_end(&tar);
        assert_seen(&tar, "name:1");
    }
}

static void what_is_cut_off(void **state)
{
    AUTO_BUF struct buf tar = {0};
    (void)state;
    assert_refused(&tar, "cut off after 0 bytes");
    tar_put(&tar, "one", '0', "hello");
    tar_end(&tar);
    size_t whole = tar.len;
    for (tar.len = 1; tar.len < whole; tar.len++)
        assert_refused(&tar, "cut off");
    tar.len = whole;
    assert_seen(&tar, "one:hello");
}

static struct buf one_entry(void)
{
    struct buf tar = {0};
    tar_put(&tar, "one", '0', "hello");
    return tar;
}

static void what_is_damaged(void **state)
{
    AUTO_BUF struct buf flipped = one_entry(), magic = one_entry(), size = one_entry(), big = one_entry(),
                        behind = one_entry(), name = {0};
    char text[TAR_BLOCK * 10];
    (void)state;
    flipped.data[3] ^= 1;
    assert_refused(&flipped, "checksum is wrong, at byte 0");
    magic.data[TAR_AT_MAGIC] = 'x';
    tar_sum(magic.data);
    assert_refused(&magic, "not ustar");
    memcpy(size.data + 124, "0000000000x", 11);
    tar_sum(size.data);
    assert_refused(&size, "a size cannot be");
    memcpy(big.data + 124, "77777777777", 11);
    tar_sum(big.data);
    assert_refused(&big, "a size cannot be");
    tar_end(&behind);
    tar_put(&behind, "two", '0', "");
    assert_refused(&behind, "behind its end, at byte 2048");
    memset(text, 'n', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    tar_put(&name, "././@LongLink", 'L', text);
    assert_refused(&name, "a name is too long");
}

static void more_than_it_may_have(void **state)
{
    AUTO_BUF struct buf tar = {.max = (size_t)4 << 20};
    char *content = mem_calloc(1, LIMIT / 2 + 1);
    (void)state;
    memset(content, 'c', LIMIT / 2);
    tar_put(&tar, "one", '0', content);
    tar_put(&tar, "two", '0', content);
    free(content);
    assert_refused(&tar, "more than 1048576 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_and_folders),   cmocka_unit_test(long_names),
        cmocka_unit_test(records_that_are_none), cmocka_unit_test(what_is_cut_off),
        cmocka_unit_test(what_is_damaged),       cmocka_unit_test(more_than_it_may_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
