/* Full pipes and terminals that nobody reads: an alarm ends what would hang. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "snapctl/base/ctx.h"
#include "snapctl/cli/outlet.h"
#include "snapctl/cli/signals.h"

enum { MUCH = 1 << 20, SHORTLY_MS = 50, LATEST_MS = 2000, HANGS_S = 20 };

/* Much text of lines of so many bytes is not written, and that is told in time. */
static void assert_given_up(int fd, size_t line)
{
    char *text = mem_calloc(MUCH, 1);
    memset(text, 'x', MUCH);
    for (size_t i = 0; i < MUCH; i += line)
        text[i] = '\n';
    int64_t start = ctx_now_ms();
    assert_int_equal(outlet_write(fd, text, MUCH, -1, start + SHORTLY_MS), -1);
    assert_int_equal(errno, ETIMEDOUT);
    assert_in_range(ctx_now_ms() - start, SHORTLY_MS, LATEST_MS);
    free(text);
}

static void a_pipe_that_nobody_reads(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    int own = outlet_open(fds[1]);
    assert_int_equal(fcntl(own, F_GETFD), FD_CLOEXEC);
    assert_given_up(own, 80);
    assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
    close(fds[0]);
    assert_int_equal(outlet_write(own, "x", 1, -1, CTX_NO_DEADLINE), -1);
    assert_int_equal(errno, EPIPE);
    close(own);
    close(fds[1]);
}

/* One whose reader hangs, and one that was stopped with Ctrl-S. */
static void a_terminal_that_nobody_reads(void **state)
{
    (void)state;
    static const size_t lines[] = {1, 80, 5000};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
        int terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
        int own = outlet_open(terminal);
        assert_int_equal(tcflow(terminal, TCOOFF), 0);
        assert_given_up(own, lines[i]);
        assert_int_equal(tcflow(terminal, TCOON), 0);
        assert_int_equal(outlet_write(own, "x", 1, -1, CTX_NO_DEADLINE), 0);
        assert_given_up(own, lines[i]);
        assert_int_equal(fcntl(terminal, F_GETFL) & O_NONBLOCK, 0);
        close(own);
        close(terminal);
        close(master);
    }
}

static void a_signal_ends_the_wait(void **state)
{
    (void)state;
    int fds[2], signals;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(signals_open(&signals, NULL), 0);
    raise(SIGTERM);
    assert_int_equal(outlet_write(fds[1], "x", 1, signals, CTX_NO_DEADLINE), 0); /* no wait to be ended */
    assert_given_up(fds[1], 80);
    assert_int_equal(outlet_write(fds[1], "x", 1, signals, CTX_NO_DEADLINE), -1);
    assert_int_equal(errno, ECANCELED);
    assert_int_equal(signals_take(signals), SIGTERM);
    close(signals);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_that_nobody_reads),
        cmocka_unit_test(a_terminal_that_nobody_reads),
        cmocka_unit_test(a_signal_ends_the_wait),
    };
    signal(SIGPIPE, SIG_IGN);
    alarm(HANGS_S);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
