#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "snapctl/base/descriptor.h"

enum { BYTES = 200000, SHORT_MS = 100 };

static char data[BYTES];

static int put(struct descriptor_sink *sink, const struct ctx *ctx, struct sc_err *err)
{
    return sink->sink.write(&sink->sink, ctx, data, sizeof data, err);
}

static void test_waits_for_a_reader_no_longer_than_it_may(void **state)
{
    (void)state;
    const struct ctx whole = {.deadline_ms = CTX_NO_DEADLINE};
    AUTO_ERR struct sc_err err = {0};
    struct descriptor_sink sink;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    descriptor_sink_init(&sink, ends[1], "the pipe");
    const struct ctx ctx = ctx_within(&whole, SHORT_MS);
    assert_int_equal(put(&sink, &ctx, &err), -1);
    assert_int_equal(err.kind, ERR_TIMEOUT);
    assert_true(sink.bytes > 0 && sink.bytes < BYTES);
    close(ends[0]);
    assert_int_equal(put(&sink, &whole, &err), -1);
    assert_int_equal(err.kind, ERR_SYSTEM);
    close(ends[1]);
}

static void test_writes_all(void **state)
{
    (void)state;
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    AUTO_ERR struct sc_err err = {0};
    struct descriptor_sink sink;
    char path[] = "/tmp/snapctl-descriptor.XXXXXX";
    int fd = mkstemp(path);
    descriptor_sink_init(&sink, fd, "the file");
    assert_int_equal(put(&sink, &ctx, &err), 0);
    assert_int_equal(sink.sink.finish(&sink.sink, &ctx, &err), 0);
    assert_int_equal(sink.bytes, BYTES);
    assert_int_equal(lseek(fd, 0, SEEK_END), BYTES);
    close(fd);
    unlink(path);

    fd = open("/dev/full", O_WRONLY);
    descriptor_sink_init(&sink, fd, "the file");
    assert_int_equal(put(&sink, &ctx, &err), -1);
    assert_int_equal(err.kind, ERR_SPACE);
    assert_string_equal(err.text, "cannot write to the file: No space left on device");
    sink.sink.abort(&sink.sink);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_for_a_reader_no_longer_than_it_may),
        cmocka_unit_test(test_writes_all),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
