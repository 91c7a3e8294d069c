#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "snapctl/cli/progress.h"
#include "snapctl/core/save.h"

static const char *const addresses[] = {"10.0.0.1", "node-2.example.org", "10.0.0.3"};

/* A progress whose standard error is a file in memory. */
struct fixture {
    int fd;
    struct console *console;
    struct log *log;
    struct progress *progress;
    char text[4096];
};

static struct fixture set_up(bool live, bool quiet)
{
    struct fixture f = {.fd = memfd_create("stderr", MFD_CLOEXEC)};
    assert_true(f.fd >= 0);
    f.console = console_new(f.fd, f.fd, live, false);
    f.log = log_new(LOG_INFO, console_log_writer, f.console);
    f.progress = progress_new(f.console, f.log, addresses, 3, false, quiet);
    return f;
}

static const char *printed(struct fixture *f)
{
    ssize_t n = pread(f->fd, f->text, sizeof f->text - 1, 0);
    assert_true(n >= 0);
    f->text[n] = '\0';
    return f->text;
}

static void tear_down(struct fixture *f)
{
    progress_free(f->progress);
    log_free(f->log);
    console_free(f->console);
    close(f->fd);
}

static void tell(struct fixture *f, size_t node, enum run_phase phase)
{
    progress_event(f->progress, &(struct run_event){.node = node, .phase = phase});
}

static void end(struct fixture *f, size_t node, enum save_status status, const struct sc_err *err)
{
    progress_event(
        f->progress,
        &(struct run_event){.node = node, .ended = true, .outcome = save_status_name(status), .err = err});
}

static void life_of_two_nodes(struct fixture *f)
{
    char text[] = "etcd is \033[31mdown", hint[] = "start it\nand try again";
    const struct sc_err err = {ERR_ETCD, text, hint}, refused = {ERR_REFUSED, text, NULL};
    tell(f, 0, RUN_CONNECT);
    tell(f, 1, RUN_CONNECT);
    tell(f, 0, RUN_SNAPSHOT);
    tell(f, 0, RUN_SNAPSHOT);
    tell(f, 0, RUN_VERIFY);
    tell(f, 0, RUN_VERIFY);
    end(f, 1, SAVE_FAILED, &err);
    end(f, 0, SAVE_SAVED, NULL);
    end(f, 2, SAVE_FAILED, &refused);
}

static void lines_in_a_pipe(void **state)
{
    (void)state;
    struct fixture f = set_up(false, false);
    life_of_two_nodes(&f);
    progress_tick(f.progress);
    progress_end(f.progress, true);
    assert_string_equal(printed(&f), "node 10.0.0.1: connecting\n"
                                     "node node-2.example.org: connecting\n"
                                     "node 10.0.0.1: snapshot running\n"
                                     "node 10.0.0.1: reading back\n"
                                     "error: node node-2.example.org: etcd is \\x1b[31mdown\n"
                                     "  start it\n"
                                     "  and try again\n"
                                     "node 10.0.0.1: saved after 0.0 s\n");
    tear_down(&f);
}

static void quiet(void **state)
{
    (void)state;
    struct fixture f = set_up(true, true);
    life_of_two_nodes(&f);
    progress_tick(f.progress);
    assert_string_equal(printed(&f), "error: node node-2.example.org: etcd is \\x1b[31mdown\n"
                                     "  start it\n"
                                     "  and try again\n");
    tear_down(&f);
}

static void assert_block(struct fixture *f, size_t columns, size_t rows, int64_t now, const char *wanted)
{
    char *block = progress_render(f->progress, columns, rows, now);
    assert_string_equal(block, wanted);
    free(block);
}

static void live_block(void **state)
{
    (void)state;
    struct fixture f = set_up(true, false);
    tell(&f, 0, RUN_CONNECT);
    int64_t start = ctx_now_ms();
    progress_event(f.progress, &(struct run_event){
                                   .node = 1, .phase = RUN_VERIFY, .bytes = 50000000, .total = 118000000});
    assert_block(&f, 80, 24, start,
                 "10.0.0.1            connecting           0.0 s\n"
                 "node-2.example.org  reading back         0.0 s  50.0 MB of 118.0 MB\n"
                 "10.0.0.3            waiting\n");
    /* Far enough from the start that the milliseconds in between do not show. */
    assert_block(&f, 100, 24, start + 10000,
                 "10.0.0.1            connecting          10.0 s\n"
                 "node-2.example.org  reading back        10.0 s  50.0 MB of 118.0 MB  5.0 MB/s  13 s left\n"
                 "10.0.0.3            waiting\n");
    /* Nothing came since: the rate says so. */
    assert_block(&f, 40, 24, start + 20000,
                 "10.0.0.1            connecting         \n"
                 "node-2.example.org  reading back       \n"
                 "10.0.0.3            waiting\n");
    assert_block(&f, 80, 24, start + 20000,
                 "10.0.0.1            connecting          20.0 s\n"
                 "node-2.example.org  reading back        20.0 s  50.0 MB of 118.0 MB  0 B/s\n"
                 "10.0.0.3            waiting\n");
    tear_down(&f);
}

/* A block higher than the terminal cannot be drawn over. */
static void more_nodes_than_lines(void **state)
{
    (void)state;
    struct fixture f = set_up(true, false);
    end(&f, 0, SAVE_SAVED, NULL);
    assert_block(&f, 80, 4, ctx_now_ms(), "node-2.example.org  waiting\nand 2 more nodes\n");
    assert_block(&f, 80, 1, ctx_now_ms(), "and 3 more nodes\n");
    tear_down(&f);
}

static void log_lines_stay_above(void **state)
{
    (void)state;
    struct fixture f = set_up(true, false);
    end(&f, 0, SAVE_SAVED, NULL);
    progress_tick(f.progress);
    log_write(f.log, LOG_WARN, "10.0.0.3", "look");
    progress_tick(f.progress);
    progress_end(f.progress, false);
    console_line(f.console, "after");
    const char block[] = "10.0.0.1            saved                0.0 s\n"
                         "node-2.example.org  waiting\n"
                         "10.0.0.3            waiting\n";
    char wanted[1024];
    snprintf(wanted, sizeof wanted, "%s\033[3A\r\033[Jwarning: node 10.0.0.3: look\n%s\033[3A\r\033[Jafter\n",
             block, block);
    assert_string_equal(printed(&f), wanted);
    tear_down(&f);
}

static void kept_at_the_end(void **state)
{
    (void)state;
    struct fixture f = set_up(true, false);
    progress_end(f.progress, true);
    console_line(f.console, "after");
    assert_string_equal(printed(&f), "10.0.0.1            waiting\n"
                                     "node-2.example.org  waiting\n"
                                     "10.0.0.3            waiting\n"
                                     "after\n");
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_in_a_pipe),      cmocka_unit_test(quiet),
        cmocka_unit_test(live_block),           cmocka_unit_test(more_nodes_than_lines),
        cmocka_unit_test(log_lines_stay_above), cmocka_unit_test(kept_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
