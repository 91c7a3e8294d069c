#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "snapctl/cli/console.h"

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

/* Another program that shares the pipe may have made it non-blocking. */
static void a_pipe_that_is_full_for_a_while(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    size_t len = 1 << 20, total = (size_t)fds[0];
    char *text = mem_calloc(len + 1, 1);
    memset(text, 'x', len);
    pthread_t reader;
    assert_int_equal(pthread_create(&reader, NULL, read_slowly, &total), 0);
    struct console *console = console_new(fds[1], fds[1], false, false);
    struct sc_err err = {0};
    assert_int_equal(console_out(console, text, &err), 0);
    close(fds[1]);
    pthread_join(reader, NULL);
    assert_int_equal(total, len);
    console_free(console);
    close(fds[0]);
    free(text);
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
        cmocka_unit_test(lines_wait_while_a_person_is_asked),
        cmocka_unit_test(labels_and_colours),
        cmocka_unit_test(without_a_terminal),
        cmocka_unit_test(on_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
