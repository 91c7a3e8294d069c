#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/secret.h"

enum { MARK_LEN = 24, MARKS = 100 };

/* Never in memory as a whole but where a test puts it. */
static void mark_make(char mark[MARK_LEN])
{
    for (int i = 0; i < MARK_LEN; i++)
        mark[i] = (char)('a' + i * 7 % 26);
}

static bool range_holds(int memory, uintptr_t from, uintptr_t to, const char *mark)
{
    size_t len = to - from;
    char *copy = mem_calloc(len, 1);
    ssize_t got = pread(memory, copy, len, (off_t)from);
    bool found = got > 0 && memmem(copy, (size_t)got, mark, MARK_LEN);
    secret_wipe(copy, len);
    free(copy);
    return found;
}

/* Whether the heap holds the mark, freed memory included: read as a debugger would. */
static bool heap_holds(const char *mark)
{
    AUTO_CLOSE int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    FILE *maps = fopen("/proc/self/maps", "re");
    assert_non_null(maps);
    char line[512];
    bool found = false;
    while (fgets(line, sizeof line, maps)) {
        uintptr_t from, to;
        if (strstr(line, "[heap]") && sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &from, &to) == 2)
            found |= range_holds(memory, from, to, mark);
    }
    fclose(maps);
    return found;
}

static void test_leaves_no_secret_behind(void **state)
{
    (void)state;
    char mark[MARK_LEN];
    mark_make(mark);
    struct buf b = {.wipe = true};
    void *neighbours[MARKS];
    for (int i = 0; i < MARKS; i++) {
        buf_append(&b, mark, MARK_LEN);
        /* Stands in the way, so that growing means moving. */
        neighbours[i] = mem_calloc(1, 1);
    }
    buf_printf(&b, "%.*s", MARK_LEN, mark);
    assert_int_equal(b.len, (MARKS + 1) * MARK_LEN);
    assert_memory_equal(b.data + MARKS * MARK_LEN, mark, MARK_LEN);
    buf_free(&b);
    for (int i = 0; i < MARKS; i++)
        free(neighbours[i]);
    assert_true(b.wipe);
    assert_false(heap_holds(mark));
}

static void test_cuts_off_at_its_cap(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = {.max = 5};
    assert_true(buf_puts(&b, "abc"));
    assert_false(buf_puts(&b, "def"));
    assert_true(b.truncated);
    assert_string_equal(buf_text(&b), "abcde");
    buf_reset(&b);
    assert_false(b.truncated);
    assert_string_equal(buf_text(&b), "");
}

static void test_hands_over_its_text(void **state)
{
    (void)state;
    struct buf b = {0};
    AUTO_FREE char *empty = buf_take(&b);
    assert_string_equal(empty, "");
    buf_printf(&b, "%d nodes", 3);
    AUTO_FREE char *text = buf_take(&b);
    assert_string_equal(text, "3 nodes");
    assert_int_equal(b.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leaves_no_secret_behind),
        cmocka_unit_test(test_cuts_off_at_its_cap),
        cmocka_unit_test(test_hands_over_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
