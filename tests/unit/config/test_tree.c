#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/config/tree.h"
#include "snapctl/base/ctx.h"
#include "snapctl/base/str.h"

enum { BOMB_MS = 200 };

static struct tree *parse(const char *text)
{
    struct tree *tree = NULL;
    struct sc_err err = {0};
    if (tree_parse("f", text, strlen(text), &tree, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return tree;
}

#define PARSED(name, text) CLEANUP(tree_free_cleanup) struct tree *name = parse(text)

static void assert_refused(const struct buf *text, const char *error)
{
    AUTO_ERR struct sc_err err = {0};
    struct tree *tree = NULL;
    assert_int_equal(tree_parse("f", buf_text(text), text->len, &tree, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    if (!strstr(err.text, error))
        fail_msg("%s", err.text);
}

static void assert_mark(const struct tree_node *node, size_t line, size_t column)
{
    assert_int_equal(node->mark.line, line);
    assert_int_equal(node->mark.column, column);
}

static void test_kinds_and_marks(void **state)
{
    (void)state;
    PARSED(tree, "a: b\nlist:\n  - 'c'\n  - {d: e}\n");
    const struct tree_node *root = tree->root, *list = root->items[3];
    assert_int_equal(root->kind, TREE_MAP);
    assert_int_equal(root->n_items, 4);
    assert_string_equal(root->items[0]->text, "a");
    assert_mark(root->items[1], 1, 4);
    assert_true(root->items[1]->plain);
    assert_int_equal(list->kind, TREE_LIST);
    assert_mark(list, 3, 3);
    assert_false(list->items[0]->plain);
    assert_mark(list->items[0], 3, 5);
    assert_int_equal(list->items[1]->kind, TREE_MAP);
    assert_int_equal(root->weight, 9);
    assert_int_equal(tree->rest.line, 0);
}

static void test_aliases_are_the_same_node(void **state)
{
    (void)state;
    PARSED(tree, "- &a [x, y]\n- *a\n- *a\n");
    const struct tree_node *root = tree->root;
    assert_ptr_equal(root->items[0], root->items[1]);
    assert_ptr_equal(root->items[0], root->items[2]);
    assert_int_equal(tree->n_nodes, 4);
    assert_int_equal(root->weight, 10);
}

static const struct {
    const char *text;
    bool null, plain;
} scalars[] = {
    {"~",          true,  true },
    {"null",       true,  true },
    {"Null",       true,  true },
    {"NULL",       true,  true },
    {"",           true,  true },
    {"nUll",       false, true },
    {"'~'",        false, false},
    {"''",         false, false},
    {"!!null 'x'", false, true },
    {"!!str ~",    false, false},
    {"!!int '5'",  false, true },
    {"!vault x",   false, false},
    {"|\n  null",  false, false},
};

static void test_nulls_and_tags(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
        AUTO_FREE char *text = str_format("a: %s\n", scalars[i].text);
        PARSED(tree, text);
        const struct tree_node *node = tree->root->items[1];
        if (tree_is_null(node) != scalars[i].null || node->plain != scalars[i].plain)
            fail_msg("%s: null %d, plain %d", text, tree_is_null(node), node->plain);
    }
}

static void test_embedded_nul_is_kept(void **state)
{
    (void)state;
    PARSED(tree, "\"a\\0b\"");
    assert_int_equal(tree->root->len, 3);
    assert_memory_equal(tree->root->text, "a\0b", 4);
    PARSED(lone, "\"\\0\"");
    assert_false(tree_is_null(lone->root));
}

static void test_billion_laughs_are_refused_at_once(void **state)
{
    (void)state;
    struct buf text = {0};
    buf_puts(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 100; i++) {
        buf_printf(&text, "a%d: &a%d [", i, i);
        for (int k = 0; k < 9; k++)
            buf_printf(&text, "*a%d, ", i - 1);
        buf_puts(&text, "]\n");
    }
    int64_t start = ctx_now_ms();
    assert_refused(&text, "f:6:25: found more than 250000 values, aliases (*name) written out");
    assert_true(ctx_now_ms() - start < BOMB_MS);
    buf_free(&text);
}

static void test_limits(void **state)
{
    (void)state;
    struct buf text = {.max = CLUSTER_MAX_BYTES};
    for (int i = 0; i < TREE_MAX_VALUES; i++)
        buf_puts(&text, "- a\n");
    assert_refused(&text, "f:250000:3: found more than 250000 values");
    buf_reset(&text);
    for (int i = 0; i <= TREE_MAX_ANCHORS; i++)
        buf_printf(&text, "- &a%d x\n", i);
    assert_refused(&text, "f:1001:3: found more than 1000 anchors");
    buf_reset(&text);
    for (int i = 0; i <= CLUSTER_MAX_DEPTH; i++)
        buf_puts(&text, "[");
    assert_refused(&text, "f:1:65: found lists and maps more than 64 deep");
    buf_free(&text);
}

static void test_the_limits_themselves_are_fine(void **state)
{
    (void)state;
    struct buf text = {.max = CLUSTER_MAX_BYTES};
    /* The list counts too. */
    for (int i = 1; i < TREE_MAX_VALUES; i++)
        buf_puts(&text, "- a\n");
    PARSED(many, buf_text(&text));
    assert_int_equal(many->root->weight, TREE_MAX_VALUES);
    buf_reset(&text);
    for (int i = 0; i < CLUSTER_MAX_DEPTH; i++)
        buf_puts(&text, "[");
    for (int i = 0; i < CLUSTER_MAX_DEPTH; i++)
        buf_puts(&text, "]");
    PARSED(deep, buf_text(&text));
    assert_int_equal(deep->root->weight, CLUSTER_MAX_DEPTH);
    buf_free(&text);
}

static void test_hint_about_tabs(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hint;
    } rows[] = {
        {"a:\n\tb: c",        "the line begins with a tab: YAML is indented with blanks only"       },
        {"a:\n  \tb: c\n\td", "the line begins with a tab: YAML is indented with blanks only"       },
        {"a: [\n}",           "check indentation, quotes and colons in this line and the one before"},
        {"a: \xff",           "save the file as UTF-8 text without control characters"              },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_ERR struct sc_err err = {0};
        struct tree *tree = NULL;
        assert_int_equal(tree_parse("f", rows[i].text, strlen(rows[i].text), &tree, &err), -1);
        assert_string_equal(err.hint, rows[i].hint);
    }
}

static void test_only_the_first_document(void **state)
{
    (void)state;
    PARSED(tree, "a: 1\n---\nb: 2\n");
    assert_int_equal(tree->root->n_items, 2);
    assert_string_equal(tree->root->items[0]->text, "a");
    assert_int_equal(tree->rest.line, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds_and_marks),
        cmocka_unit_test(test_aliases_are_the_same_node),
        cmocka_unit_test(test_nulls_and_tags),
        cmocka_unit_test(test_embedded_nul_is_kept),
        cmocka_unit_test(test_billion_laughs_are_refused_at_once),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_the_limits_themselves_are_fine),
        cmocka_unit_test(test_hint_about_tabs),
        cmocka_unit_test(test_only_the_first_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
