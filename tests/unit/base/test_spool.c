#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapctl/base/spool.h"

static const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
static char folder[] = "/tmp/snapctl-spool.XXXXXX";

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) && setenv("TMPDIR", folder, 1) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void put(struct spool *spool, const char *text)
{
    struct sink *sink = spool_sink(spool);
    assert_int_equal(sink->write(sink, &ctx, text, strlen(text), NULL), 0);
}

static void test_keeps_what_it_gets_for_its_owner_alone(void **state)
{
    (void)state;
    struct spool *spool = spool_new();
    struct stat st;
    char got[16] = "";
    put(spool, "one ");
    put(spool, "two");
    int fd = spool_file(spool, NULL);
    assert_int_equal(pread(fd, got, sizeof got, 0), 7);
    assert_string_equal(got, "one two");
    assert_int_equal(spool_bytes(spool), 7);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_nlink, 0);
    assert_int_equal(rmdir(folder), 0); /* nothing stands in it */
    assert_int_equal(mkdir(folder, 0700), 0);
    spool_free(spool);
}

static void test_keeps_all_of_pieces_of_any_size(void **state)
{
    enum { ALL = 3 << 20, STEP = 77777 };
    (void)state;
    struct spool *spool = spool_new();
    struct sink *sink = spool_sink(spool);
    unsigned char *data = test_malloc(ALL), *got = test_malloc(ALL);
    for (size_t i = 0; i < ALL; i++)
        data[i] = (unsigned char)(i * 2654435761U >> 24);
    for (size_t at = 0, n = 1; at < ALL; at += n, n = n * 3 % STEP) {
        n = n < ALL - at ? n : ALL - at;
        assert_int_equal(sink->write(sink, &ctx, data + at, n, NULL), 0);
    }
    assert_int_equal(pread(spool_file(spool, NULL), got, ALL, 0), ALL);
    assert_memory_equal(got, data, ALL);
    spool_free(spool);
    test_free(data);
    test_free(got);
}

static void test_goes_on_where_the_file_cannot(void **state)
{
    (void)state;
    AUTO_ERR struct sc_err err = {0};
    const struct rlimit small = {.rlim_cur = 10, .rlim_max = RLIM_INFINITY};
    const struct rlimit large = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    struct spool *spool = spool_new();
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    put(spool, "123456789");
    put(spool, "123456789");
    put(spool, "123456789");
    assert_int_equal(spool_file(spool, NULL), -1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &large), 0);
    put(spool, "1234");
    assert_int_equal(spool_file(spool, &err), -1);
    assert_int_equal(err.kind, ERR_SPACE);
    assert_non_null(strstr(err.text, folder));
    assert_non_null(strstr(err.text, "31 B"));
    assert_non_null(strstr(err.hint, "TMPDIR"));
    spool_free(spool);
}

static void test_tells_a_folder_that_is_not_there(void **state)
{
    (void)state;
    AUTO_ERR struct sc_err err = {0};
    setenv("TMPDIR", "/nowhere/at/all", 1);
    struct spool *spool = spool_new();
    put(spool, "lost");
    setenv("TMPDIR", folder, 1);
    assert_int_equal(spool_file(spool, &err), -1);
    assert_int_equal(err.kind, ERR_SYSTEM);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
    spool_free(spool);
}

static void test_keeps_nothing_after_an_abort(void **state)
{
    (void)state;
    AUTO_ERR struct sc_err err = {0};
    struct spool *spool = spool_new();
    put(spool, "x");
    spool_sink(spool)->abort(spool_sink(spool));
    assert_int_equal(spool_file(spool, &err), -1);
    spool_free(spool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_what_it_gets_for_its_owner_alone),
        cmocka_unit_test(test_keeps_all_of_pieces_of_any_size),
        cmocka_unit_test(test_goes_on_where_the_file_cannot),
        cmocka_unit_test(test_tells_a_folder_that_is_not_there),
        cmocka_unit_test(test_keeps_nothing_after_an_abort),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
