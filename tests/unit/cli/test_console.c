#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/ctx.h"
#include "snapctl/cli/console.h"
#include "snapctl/cli/signals.h"

/* A wait that is longer than PATIENCE_MS is an error, one that does not end a hang. */
enum { LATEST_MS = 2000, AT_ONCE_MS = 500, HANGS_S = 30 };

static char *read_back(int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    char *text = mem_calloc((size_t)size + 1, 1);
    assert_int_equal(pread(fd, text, (size_t)size, 0), size);
    return text;
}

static void assert_printed(int fd, const char *wanted)
{
    char *text = read_back(fd);
    assert_string_equal(text, wanted);
    free(text);
}

static void results_are_written_whole_or_it_is_told(void **state)
{
    (void)state;
    int fd = memfd_create("out", MFD_CLOEXEC), full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct sc_err err = {0};
    struct console *good = console_new(fd, fd, false, false), *bad = console_new(full, fd, false, false);
    assert_int_equal(console_out(good, "result\n", &err), 0);
    assert_printed(fd, "result\n");
    assert_int_equal(console_out(bad, "result\n", &err), -1);
    assert_int_equal(err.kind, ERR_SYSTEM);
    assert_string_equal(err.text, "cannot write to standard output: No space left on device");
    err_clear(&err);
    console_free(good);
    console_free(bad);
    close(fd);
    close(full);
}

static void *read_slowly(void *arg)
{
    char data[1024];
    size_t *total = arg;
    int fd = (int)*total;
    *total = 0;
    for (ssize_t n; (n = read(fd, data, sizeof data)) > 0;)
        *total += (size_t)n;
    return NULL;
}

static void write_to_a_slow_reader(int flags)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(fcntl(fds[1], F_SETFL, flags), 0);
    size_t len = 1 << 20, total = (size_t)fds[0];
    char *text = mem_calloc(len + 1, 1);
    memset(text, 'x', len);
    pthread_t reader;
    assert_int_equal(pthread_create(&reader, NULL, read_slowly, &total), 0);
    struct console *console = console_new(fds[1], fds[1], false, false);
    struct sc_err err = {0};
    assert_int_equal(console_out(console, text, &err), 0);
    console_free(console);
    close(fds[1]);
    pthread_join(reader, NULL);
    assert_int_equal(total, len);
    close(fds[0]);
    free(text);
}

/* Another program that shares the pipe may have made it non-blocking. */
static void a_pipe_that_is_full_for_a_while(void **state)
{
    (void)state;
    write_to_a_slow_reader(0);
    write_to_a_slow_reader(O_NONBLOCK);
}

/* A pipe that takes nothing more. It is blocking, as they are. */
static void full_pipe(int fds[2])
{
    static const char page[4096];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    while (poll(&(struct pollfd){.fd = fds[1], .events = POLLOUT}, 1, 0) == 1)
        assert_int_equal(write(fds[1], page, sizeof page), sizeof page);
}

/* All that is in the pipe, but for what filled it. */
static char *drain(int fd)
{
    AUTO_BUF struct buf all = {0};
    char c;
    while (poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) == 1 && read(fd, &c, 1) == 1)
        if (c)
            buf_append(&all, &c, 1);
    return buf_take(&all);
}

static void assert_drained(int fd, const char *wanted)
{
    AUTO_FREE char *text = drain(fd);
    assert_string_equal(text, wanted);
}

static void lines_that_nobody_reads_are_left_out(void **state)
{
    (void)state;
    int fds[2];
    full_pipe(fds);
    struct console *console = console_new(fds[1], fds[1], false, false);
    int64_t start = ctx_now_ms();
    console_line(console, "one");
    assert_in_range(ctx_now_ms() - start, 0, LATEST_MS);
    start = ctx_now_ms();
    for (int i = 0; i < 100; i++)
        console_line(console, "more");
    assert_in_range(ctx_now_ms() - start, 0, AT_ONCE_MS);
    assert_drained(fds[0], "");
    console_line(console, "read");
    console_line(console, "and on");
    assert_drained(fds[0],
                   "\nwarning: lines that nobody read, and that are left out here: 101\nread\nand on\n");
    console_free(console);
    close(fds[0]);
    close(fds[1]);
}

/* The block that stands there is not drawn over: perhaps it does not stand there. */
static void a_block_that_nobody_sees_is_drawn_anew(void **state)
{
    (void)state;
    int fds[2];
    full_pipe(fds);
    struct console *console = console_new(fds[1], fds[1], true, false);
    console_draw(console, "one\n");
    console_draw(console, "two\n");
    assert_drained(fds[0], "");
    console_draw(console, "three\n");
    console_draw(console, "four\n");
    assert_drained(fds[0], "\nthree\n\033[1A\r\033[Jfour\n");
    console_free(console);
    close(fds[0]);
    close(fds[1]);
}

static void a_signal_ends_a_result_that_nobody_reads(void **state)
{
    (void)state;
    int fds[2], signals;
    AUTO_ERR struct sc_err err = {0};
    full_pipe(fds);
    struct console *console = console_new(fds[1], fds[1], false, false);
    assert_int_equal(signals_open(&signals, NULL), 0);
    console_watch_signals(console, signals);
    raise(SIGTERM);
    assert_int_equal(console_out(console, "result\n", &err), SIGTERM);
    assert_int_equal(err.kind, ERR_CANCELLED);
    assert_string_equal(err.text, "interrupted by SIGTERM, as nobody read standard output");
    assert_drained(fds[0], "");
    assert_int_equal(console_out(console, "result\n", &err), 0);
    assert_drained(fds[0], "result\n");
    console_free(console);
    close(signals);
    close(fds[0]);
    close(fds[1]);
}

/* At the second signal, and where standard output is a snapshot's. */
static void results_that_do_not_wait(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        int fds[2];
        AUTO_ERR struct sc_err err = {0};
        full_pipe(fds);
        struct console *console = console_new(fds[1], fds[1], false, false);
        i ? console_give_up_out(console) : console_hurry(console);
        int64_t start = ctx_now_ms();
        assert_int_equal(console_out(console, "result\n", &err), -1);
        assert_in_range(ctx_now_ms() - start, 0, LATEST_MS);
        assert_int_equal(err.kind, ERR_TIMEOUT);
        assert_string_equal(err.text, "nobody reads standard output");
        console_free(console);
        close(fds[0]);
        close(fds[1]);
    }
}

static void lines_wait_while_a_person_is_asked(void **state)
{
    (void)state;
    int fd = memfd_create("err", MFD_CLOEXEC);
    struct console *console = console_new(fd, fd, true, false);
    console_draw(console, "block\n");
    console_hold(console);
    console_line(console, "one");
    console_line(console, "two");
    assert_printed(fd, "block\n\033[1A\r\033[J");
    console_release(console);
    console_line(console, "three");
    assert_printed(fd, "block\n\033[1A\r\033[Jone\ntwo\nthree\n");
    console_free(console);
    close(fd);
}

static void labels_and_colours(void **state)
{
    (void)state;
    int fd = memfd_create("err", MFD_CLOEXEC);
    struct console *plain = console_new(fd, fd, false, false), *coloured = console_new(fd, fd, true, true);
    console_log_writer(plain, LOG_WARN, NULL, "w");
    console_log_writer(plain, LOG_INFO, "10.0.0.1", "i");
    console_log_writer(plain, LOG_DEBUG, "10.0.0.1", "d");
    console_log_writer(plain, LOG_ERROR, log_who_store, "s");
    console_log_writer(coloured, LOG_ERROR, "10.0.0.1", "e");
    console_log_writer(coloured, LOG_INFO, NULL, "i");
    assert_printed(fd, "warning: w\n"
                       "node 10.0.0.1: i\n"
                       "debug: node 10.0.0.1: d\n"
                       "error: S3: s\n"
                       "\033[31merror: \033[0mnode 10.0.0.1: e\n"
                       "i\n");
    console_free(plain);
    console_free(coloured);
    close(fd);
}

/* No terminal, so nothing is drawn; its size is made up. */
static void without_a_terminal(void **state)
{
    (void)state;
    int fd = memfd_create("err", MFD_CLOEXEC);
    setenv("TERM", "xterm", 1);
    struct console *console = console_open(fd, fd);
    assert_false(console_is_live(console));
    assert_false(console_has_colour(console));
    assert_false(console_out_is_terminal(console));
    console_draw(console, "block\n");
    assert_printed(fd, "");
    unsetenv("COLUMNS");
    assert_int_equal(console_help_columns(console), 80);
    setenv("COLUMNS", "132", 1);
    assert_int_equal(console_help_columns(console), 132);
    setenv("COLUMNS", "3", 1);
    assert_int_equal(console_help_columns(console), 80);
    console_free(console);
    close(fd);
}

static void on_a_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *term, *no_colour;
        bool live, colour;
    } rows[] = {
        {"xterm", NULL, true,  true },
        {"xterm", "",   true,  true },
        {"xterm", "1",  true,  false},
        {"dumb",  NULL, false, false},
        {"",      NULL, false, false},
    };
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        setenv("TERM", rows[i].term, 1);
        rows[i].no_colour ? setenv("NO_COLOR", rows[i].no_colour, 1) : unsetenv("NO_COLOR");
        struct console *console = console_open(terminal, terminal);
        assert_int_equal(console_is_live(console), rows[i].live);
        assert_int_equal(console_has_colour(console), rows[i].colour);
        console_free(console);
    }
    close(terminal);
    close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_written_whole_or_it_is_told),
        cmocka_unit_test(a_pipe_that_is_full_for_a_while),
        cmocka_unit_test(lines_that_nobody_reads_are_left_out),
        cmocka_unit_test(a_block_that_nobody_sees_is_drawn_anew),
        cmocka_unit_test(a_signal_ends_a_result_that_nobody_reads),
        cmocka_unit_test(results_that_do_not_wait),
        cmocka_unit_test(lines_wait_while_a_person_is_asked),
        cmocka_unit_test(labels_and_colours),
        cmocka_unit_test(without_a_terminal),
        cmocka_unit_test(on_a_terminal),
    };
    alarm(HANGS_S);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
