#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snapctl/base/mem.h"

static void test_memory_is_zeroed_and_kept(void **state)
{
    (void)state;
    unsigned char *p = mem_calloc(100, 3);
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(p[i], 0);
    memset(p, 7, 300);
    p = mem_realloc(p, 1000, 3);
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(p[i], 7);
    free(p);
    void *nothing = mem_calloc(0, 8);
    assert_non_null(nothing);
    nothing = mem_realloc(nothing, 0, 8);
    assert_non_null(nothing);
    free(nothing);
}

/* A sanitizer's allocator would rather abort than fail. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void too_much_calloc(void)
{
    free(mem_calloc(SIZE_MAX / 2, 4));
}

static void too_much_realloc(void)
{
    free(mem_realloc(NULL, SIZE_MAX / 2, 4));
}

static void test_a_failed_allocation_ends_the_process(void **state)
{
    static void (*const greedy[])(void) = {too_much_calloc, too_much_realloc};
    (void)state;
    for (size_t i = 0; i < sizeof greedy / sizeof *greedy; i++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            dup2(ends[1], STDERR_FILENO);
            greedy[i]();
            _exit(0);
        }
        close(ends[1]);
        char text[4096] = "";
        size_t len = 0;
        ssize_t n;
        while (len < sizeof text - 1 && (n = read(ends[0], text + len, sizeof text - 1 - len)) > 0)
            len += (size_t)n;
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 1);
        assert_non_null(strstr(text, "snapctl: out of memory\n"));
        close(ends[0]);
    }
}

static void test_take_leaves_nothing_to_clean_up(void **state)
{
    (void)state;
    char *kept;
    {
        AUTO_FREE char *text = mem_calloc(8, 1);
        text[0] = 'x';
        kept = mem_take(&text);
        assert_null(text);
    }
    assert_string_equal(kept, "x");
    free(kept);
}

static void test_descriptors_close_with_their_scope(void **state)
{
    (void)state;
    int copy;
    {
        AUTO_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        AUTO_CLOSE int none = -1;
        assert_true(fd >= 0 && none < 0);
        copy = fd;
    }
    assert_int_equal(fcntl(copy, F_GETFD), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_zeroed_and_kept),
        cmocka_unit_test(test_a_failed_allocation_ends_the_process),
        cmocka_unit_test(test_take_leaves_nothing_to_clean_up),
        cmocka_unit_test(test_descriptors_close_with_their_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
