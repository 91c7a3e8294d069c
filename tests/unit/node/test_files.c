#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/node/files.h"

static struct node_files parse(const char *text, size_t len)
{
    struct node_files files;
    struct buf answer = {0};
    buf_append(&answer, text, len);
    node_parse_files(&files, &answer);
    assert_null(answer.data);
    return files;
}

#define PARSE(text) parse(text, sizeof(text) - 1)

static void files_with_their_ends(void **state)
{
    (void)state;
    /* Binary: a NUL and a newline are bytes as any other. */
    struct node_files files = PARSE("4 1700000000 one.zip\n3 1700000001 two\n\nPK\0\nabcPK\0\nabc");
    assert_int_equal(files.n, 2);
    assert_string_equal(files.files[0].name, "one.zip");
    assert_int_equal(files.files[0].bytes, 4);
    assert_int_equal(files.files[0].modified, 1700000000);
    assert_int_equal(files.files[0].head_len, 4);
    assert_memory_equal(files.files[0].head, "PK\0\n", 4);
    assert_memory_equal(files.files[0].end, "PK\0\n", 4);
    assert_string_equal(files.files[1].name, "two");
    assert_memory_equal(files.files[1].head, "abc", 3);
    assert_memory_equal(files.files[1].end, "abc", 3);
    node_files_free(&files);
}

static void no_more_than_the_ends_of_large_files(void **state)
{
    (void)state;
    char text[NODE_HEAD_BYTES + NODE_END_BYTES + 32];
    int len = snprintf(text, sizeof text, "999999 5 big.zip\n\n");
    memset(text + len, 'h', NODE_HEAD_BYTES);
    memset(text + len + NODE_HEAD_BYTES, 'e', NODE_END_BYTES);
    struct node_files files = parse(text, (size_t)len + NODE_HEAD_BYTES + NODE_END_BYTES);
    assert_int_equal(files.files[0].head_len, NODE_HEAD_BYTES);
    assert_int_equal(files.files[0].end_len, NODE_END_BYTES);
    assert_int_equal(*files.files[0].end, 'e');
    node_files_free(&files);
}

static void a_folder_that_changed_meanwhile(void **state)
{
    (void)state;
    struct node_files files = PARSE("4 1 one.zip\n\nPK34PK3");
    assert_int_equal(files.n, 1);
    assert_null(files.files[0].head);
    assert_null(files.files[0].end);
    node_files_free(&files);
}

static void lines_that_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "\n",
        "x",
        "1 2",
        "1 2 \n",
        "-1 2 a.zip\n",
        "1 x a\n",
        "1 2 -rf\n",
        "1 2 ../a\n",
        "1 2 a b\n",
        "1 2 \033[2J.zip\n",
        "1 2 .hidden.zip\n",
        "1 2 a;b\n",
        "1 2 a\tb.zip",
        "1  2 a.zip",
        " 1 2 a.zip\n",
        "99999999999999999999 2 a\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct node_files files = parse(bad[i], strlen(bad[i]));
        assert_int_equal(files.n, 0);
        node_files_free(&files);
    }
}

static void names_of_files(void **state)
{
    (void)state;
    char longest[NODE_NAME_MAX + 6];
    memset(longest, 'x', NODE_NAME_MAX);
    memcpy(longest + NODE_NAME_MAX, ".zip", 5);
    assert_true(node_file_name_valid(longest));
    memcpy(longest + NODE_NAME_MAX, "x.zip", 6);
    assert_false(node_file_name_valid(longest));
    assert_true(node_file_name_valid("2026-11-25T01:00:00Z_etcd.zip"));
    assert_false(node_file_name_valid(".zip"));
    assert_false(node_file_name_valid(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_with_their_ends),
        cmocka_unit_test(no_more_than_the_ends_of_large_files),
        cmocka_unit_test(a_folder_that_changed_meanwhile),
        cmocka_unit_test(lines_that_are_none),
        cmocka_unit_test(names_of_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
