#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/node/script.h"
#include "snapctl/base/str.h"
#include "snapctl/node/remove.h"

static void what_became_of_each(void **state)
{
    (void)state;
    static const char *const names[] = {"a.zip", "b.zip", "c", "d.zip", "e.zip", "f.zip", "g.zip"};
    struct node_removal files[7] = {[6].how = NODE_REMOVED};
    for (size_t i = 0; i < 7; i++)
        files[i].file = names[i];
    node_parse_removals(files, 7,
                        "removed a.zip\ngone b.zip\nchanged c\nbusy d.zip\nkept e.zip\n"
                        "removed c\nremoved\nremoved other.zip\n\nremoved f.zip \nperhaps f.zip\nbusy g.zip");
    static const enum node_removed wanted[] = {NODE_REMOVED, NODE_GONE,   NODE_CHANGED, NODE_BUSY,
                                               NODE_KEPT,    NODE_UNTOLD, NODE_REMOVED};
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(files[i].how, wanted[i]);
}

/* The words of the script are quoted twice, and stay one word. */
static void names_are_quoted(void **state)
{
    (void)state;
    const struct node_job job = {.run = "0123456789abcdef", .by = "x", .started = "y"};
    const struct node node = {.job = &job, .removal = "a.zip 1 2 b 3 4'; rm -rf /; '"};
    AUTO_FREE char *command = script_command(&node, SCRIPT_REMOVE);
    AUTO_BUF struct buf inner = {0}, outer = {0};
    buf_puts(&inner, "\nfiles=");
    str_quote_shell(&inner, node.removal);
    buf_puts(&inner, "\n");
    str_quote_shell(&outer, buf_text(&inner));
    AUTO_FREE char *within = str_dup_n(buf_text(&outer) + 1, outer.len - 2);
    assert_non_null(strstr(command, within));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_became_of_each),
        cmocka_unit_test(names_are_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
