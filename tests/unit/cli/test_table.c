#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/table.h"

static const char *const heads[] = {"NAME", "SIZE", "NOTE"};

static void add(struct table *table, const char *name, const char *size, const char *note, const char *colour)
{
    char *const cells[] = {str_dup(name), str_dup(size), note ? str_dup(note) : NULL};
    table_add(table, cells, colour, 1);
}

static void assert_prints(struct table *table, bool colour, const char *wanted)
{
    AUTO_BUF struct buf out = {0};
    table_print(table, &out, colour);
    assert_string_equal(buf_text(&out), wanted);
    table_free(table);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
    (void)state;
    struct table *table = table_new(heads, 3);
    add(table, "gr\xc3\xbc\xc3\x9f", "1 MB", NULL, NULL);
    add(table, "a", "-", "late", NULL);
    assert_prints(table, true, "NAME  SIZE  NOTE\ngr\xc3\xbc\xc3\x9f  1 MB\na     -     late\n");
}

static void a_column_in_which_nothing_stands_is_left_out(void **state)
{
    (void)state;
    struct table *table = table_new(heads, 3);
    add(table, "a", "", "x", NULL);
    assert_prints(table, false, "NAME  NOTE\na     x\n");
}

static void colour_is_one_cells_and_only_when_wanted(void **state)
{
    (void)state;
    for (int colour = 0; colour < 2; colour++) {
        struct table *table = table_new(heads, 3);
        add(table, "a", "2", "n", TABLE_RED);
        assert_prints(table, colour,
                      colour ? "NAME  SIZE  NOTE\na     \033[31m2\033[0m     n\n"
                             : "NAME  SIZE  NOTE\na     2     n\n");
    }
}

static void times_are_utc(void **state)
{
    (void)state;
    AUTO_FREE char *time = table_time(1795608000), *none = table_time(INT64_MAX);
    assert_string_equal(time, "2026-11-25 12:00:00");
    assert_string_equal(none, "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
        cmocka_unit_test(a_column_in_which_nothing_stands_is_left_out),
        cmocka_unit_test(colour_is_one_cells_and_only_when_wanted),
        cmocka_unit_test(times_are_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
