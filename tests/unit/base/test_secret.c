#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapctl/base/ctx.h"
#include "snapctl/base/secret.h"
#include "snapctl/base/str.h"

enum { MAX = 10, SLOW_MS = 30, DRIP_MS = 1500, LATEST_MS = 11000 };

static void *write_slowly(void *arg)
{
    const int *fd = arg;
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    assert_int_equal(write(*fd, "hello", 5), 5);
    assert_int_equal(ctx_wait(&ctx, -1, 0, SLOW_MS, NULL), 0);
    assert_int_equal(write(*fd, "you\n", 4), 4);
    close(*fd);
    return NULL;
}

static void test_reads_a_pipe_to_its_end(void **state)
{
    (void)state;
    int ends[2];
    pthread_t writer;
    AUTO_SECRET struct secret *s = NULL;
    struct sc_err err = {0};
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_slowly, &ends[1]), 0);
    assert_int_equal(secret_read_fd(ends[0], "pipe", MAX, 1, &s, &err), 0);
    pthread_join(writer, NULL);
    close(ends[0]);
    assert_string_equal(secret_data(s), "helloyou");
    assert_int_equal(secret_len(s), strlen("helloyou"));
}

/* As with SNAPCTL_SSH_PASSPHRASE_FILE=<(pass show key): it is opened before there is anything to read. */
static void test_waits_for_the_writer_of_a_fifo(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_secret.XXXXXX";
    assert_non_null(mkdtemp(folder));
    AUTO_FREE char *path = str_format("%s/fifo", folder);
    AUTO_SECRET struct secret *empty = NULL, *s = NULL;
    AUTO_ERR struct sc_err err = {0};
    pthread_t writer;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(secret_read_file(path, MAX, 1, &empty, &err), 0); /* nobody writes: no hanging */
    assert_int_equal(secret_len(empty), 0);
    int end = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pthread_create(&writer, NULL, write_slowly, &end), 0);
    assert_int_equal(secret_read_file(path, MAX, 1, &s, &err), 0);
    pthread_join(writer, NULL);
    assert_string_equal(secret_data(s), "helloyou");
    unlink(path);
    rmdir(folder);
}

static void *write_in_drops(void *arg)
{
    const int *fd = arg;
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    for (int i = 0; i <= MAX && write(*fd, "x", 1) == 1; i++)
        assert_int_equal(ctx_wait(&ctx, -1, 0, DRIP_MS, NULL), 0);
    return NULL;
}

/* Each byte comes in time, but not all of them. */
static void test_does_not_wait_for_drops(void **state)
{
    (void)state;
    struct secret *s = NULL;
    AUTO_ERR struct sc_err err = {0};
    int ends[2];
    pthread_t writer;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_in_drops, &ends[1]), 0);
    int64_t start = ctx_now_ms();
    assert_int_equal(secret_read_fd(ends[0], "pipe", MAX, 1, &s, &err), -1);
    assert_in_range(ctx_now_ms() - start, 0, LATEST_MS);
    assert_string_equal(err.text, "cannot read pipe: Connection timed out");
    close(ends[0]);
    pthread_join(writer, NULL);
    close(ends[1]);
}

static void test_copies_and_joins(void **state)
{
    (void)state;
    AUTO_SECRET struct secret *s = secret_new("key\0s", 5);
    AUTO_SECRET struct secret *copy = secret_dup(s);
    AUTO_SECRET struct secret *none = secret_dup(NULL);
    AUTO_SECRET struct secret *empty = secret_new(NULL, 0);
    AUTO_SECRET struct secret *joined = secret_join(
        (struct secret_part[]){
            {"AWS4", 4},
            {NULL,   0},
            {"key",  3}
    },
        3);
    assert_int_equal(secret_len(copy), 5);
    assert_memory_equal(secret_data(copy), "key\0s", 6);
    assert_null(none);
    assert_string_equal(secret_data(empty), "");
    assert_string_equal(secret_data(joined), "AWS4key");
}

static void test_wipes(void **state)
{
    (void)state;
    char text[] = "secret";
    secret_wipe(text, sizeof text);
    for (size_t i = 0; i < sizeof text; i++)
        assert_int_equal(text[i], 0);
}

static void test_names_the_file_that_is_missing(void **state)
{
    (void)state;
    struct secret *s = NULL;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(secret_read_file("/nonexistent/key", MAX, 0, &s, &err), -1);
    assert_string_equal(err.text, "cannot read /nonexistent/key: No such file or directory");
    assert_int_equal(err.kind, ERR_CONFIG);
}

static void test_refuses_what_is_too_large(void **state)
{
    (void)state;
    struct secret *s = NULL;
    AUTO_ERR struct sc_err err = {0};
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "12345678901", MAX + 1), MAX + 1);
    assert_int_equal(secret_read_fd(ends[0], "pipe", MAX, 0, &s, &err), -1);
    assert_string_equal(err.text, "pipe is larger than 10 bytes");
    assert_int_equal(secret_read_file("/proc/self/exe", MAX, 0, &s, &err), -1);
    assert_string_equal(err.text, "/proc/self/exe is larger than 10 bytes");
    close(ends[0]);
    close(ends[1]);
}

static void test_refuses_a_folder(void **state)
{
    (void)state;
    struct secret *s = NULL;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(secret_read_file("/", MAX, 0, &s, &err), -1);
    assert_string_equal(err.text, "cannot read /: it is a folder");
    assert_int_equal(err.kind, ERR_CONFIG);
}

static void test_drops_one_newline_if_asked(void **state)
{
    (void)state;
    for (int chomp = 0; chomp <= 1; chomp++) {
        int ends[2];
        AUTO_SECRET struct secret *s = NULL;
        struct sc_err err = {0};
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], "a\n\n", 3), 3);
        close(ends[1]);
        assert_int_equal(secret_read_fd(ends[0], "pipe", MAX, chomp, &s, &err), 0);
        assert_string_equal(secret_data(s), chomp ? "a\n" : "a\n\n");
        close(ends[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_a_pipe_to_its_end),
        cmocka_unit_test(test_waits_for_the_writer_of_a_fifo),
        cmocka_unit_test(test_does_not_wait_for_drops),
        cmocka_unit_test(test_copies_and_joins),
        cmocka_unit_test(test_wipes),
        cmocka_unit_test(test_names_the_file_that_is_missing),
        cmocka_unit_test(test_refuses_what_is_too_large),
        cmocka_unit_test(test_refuses_a_folder),
        cmocka_unit_test(test_drops_one_newline_if_asked),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
