#include "sshd.h"

enum { BIG = 8 << 20, HUGE_SOURCE = 64 << 20 };

static void a_command_gives_status_and_both_outputs(void **state)
{
    const struct lab *lab = *state;
    struct ssh *ssh = lab_connect(lab);
    struct ssh_output output = {0};
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(ssh_run(ssh, &lab->ctx, "echo out; echo err >&2; exit 7", NULL, &output, &err), 0);
    assert_int_equal(output.status, 7);
    assert_string_equal(buf_text(&output.out), "out\n");
    assert_string_equal(buf_text(&output.err), "err\n");
    ssh_output_free(&output);
    ssh_close(ssh);
}

static void a_session_runs_many_commands(void **state)
{
    const struct lab *lab = *state;
    struct ssh *ssh = lab_connect(lab);
    for (int i = 0; i < 30; i++) {
        AUTO_FREE char *command = str_format("echo %d", i), *wanted = str_format("%d\n", i);
        AUTO_FREE char *text = run_text(ssh, &lab->ctx, command);
        assert_string_equal(text, wanted);
    }
    ssh_close(ssh);
}

static void input_comes_back_whole(void **state)
{
    const struct lab *lab = *state;
    struct ssh *ssh = lab_connect(lab);
    send_to_and_fro(ssh, &lab->ctx, BIG);
    ssh_close(ssh);
}

static void a_command_need_not_read_its_input(void **state)
{
    const struct lab *lab = *state;
    struct ssh *ssh = lab_connect(lab);
    struct pattern input = {.source.read = pattern_read, .len = HUGE_SOURCE};
    struct ssh_output output = {0};
    struct sc_err err = {0};
    if (ssh_run(ssh, &lab->ctx, "exit 4", &input.source, &output, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(output.status, 4);
    ssh_output_free(&output);
    AUTO_FREE char *text = run_text(ssh, &lab->ctx, "echo still here");
    assert_string_equal(text, "still here\n");
    ssh_close(ssh);
}

static void a_command_may_close_its_output_and_read_on(void **state)
{
    const struct lab *lab = *state;
    struct ssh *ssh = lab_connect(lab);
    AUTO_FREE char *command = str_format("exec >&- 2>&-; cat >'%s/input'", lab->folder);
    AUTO_FREE char *size = str_format("wc -c <'%s/input'", lab->folder);
    struct pattern input = {.source.read = pattern_read, .len = BIG};
    struct ssh_output output = {0};
    struct sc_err err = {0};
    if (ssh_run(ssh, &lab->ctx, command, &input.source, &output, &err) < 0)
        fail_msg("%s", err.text);
    ssh_output_free(&output);
    AUTO_FREE char *text = run_text(ssh, &lab->ctx, size);
    assert_int_equal(atoi(text), BIG);
    ssh_close(ssh);
}

static int failing_read(struct source *source, const struct ctx *ctx, void *data, size_t cap, size_t *got,
                        struct sc_err *err)
{
    (void)source;
    (void)ctx;
    (void)data;
    (void)cap;
    (void)got;
    return err_set(err, ERR_SYSTEM, "the source broke");
}

static void a_source_that_fails_fails_the_run(void **state)
{
    const struct lab *lab = *state;
    struct ssh *ssh = lab_connect(lab);
    struct source input = {.read = failing_read};
    struct ssh_output output = {0};
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(ssh_run(ssh, &lab->ctx, "cat", &input, &output, &err), -1);
    assert_string_equal(err.text, "the source broke");
    ssh_output_free(&output);
    ssh_close(ssh);
}

static void output_is_cut_at_its_limit(void **state)
{
    const struct lab *lab = *state;
    struct ssh *ssh = lab_connect(lab);
    struct ssh_output output = {.out.max = 1000};
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(ssh_run(ssh, &lab->ctx, "head -c 20000000 /dev/zero", NULL, &output, &err), 0);
    assert_int_equal(output.status, 0);
    assert_int_equal(output.out.len, 1000);
    assert_true(output.out.truncated);
    ssh_output_free(&output);
    ssh_close(ssh);
}

/* More than the window of stderr must not stall stdout; its last lines are kept. */
static void a_flood_of_stderr_stalls_nothing(void **state)
{
    const struct lab *lab = *state;
    struct ssh *ssh = lab_connect(lab);
    struct ssh_output output = {0};
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(ssh_run(ssh, &lab->ctx, "seq 1 2000000 >&2; echo done", NULL, &output, &err), 0);
    assert_string_equal(buf_text(&output.out), "done\n");
    assert_true(output.err.len <= 65536);
    assert_true(output.err.len > 65536 - 16);
    assert_true(output.err.truncated);
    assert_true(str_ends(buf_text(&output.err), "\n1999999\n2000000\n"));
    assert_int_equal(strcspn(buf_text(&output.err), "\n"), 7);
    ssh_output_free(&output);
    ssh_close(ssh);
}

static void a_killed_command_is_an_error(void **state)
{
    const struct lab *lab = *state;
    struct ssh *ssh = lab_connect(lab);
    struct ssh_output output = {0};
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(ssh_run(ssh, &lab->ctx, "echo before; kill -9 $$", NULL, &output, &err), -1);
    assert_int_equal(err.kind, ERR_NETWORK);
    assert_contains(err.text, "killed on the server by SIGKILL");
    ssh_output_free(&output);
    ssh_close(ssh);
}

static void a_killed_server_is_an_error(void **state)
{
    const struct lab *lab = *state;
    struct ssh *ssh = lab_connect(lab);
    struct ssh_output output = {0};
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(ssh_run(ssh, &lab->ctx, "echo before; kill -9 $PPID; sleep 5", NULL, &output, &err), -1);
    assert_int_equal(err.kind, ERR_NETWORK);
    assert_contains(err.text, "the server ended the connection");
    ssh_output_free(&output);
    AUTO_ERR struct sc_err again = {0};
    assert_int_equal(ssh_run(ssh, &lab->ctx, "true", NULL, &output, &again), -1);
    assert_int_equal(again.kind, ERR_NETWORK);
    ssh_output_free(&output);
    ssh_close(ssh);
}

static void a_command_has_a_deadline(void **state)
{
    const struct lab *lab = *state;
    struct ssh *ssh = lab_connect(lab);
    struct ssh_output output = {0};
    AUTO_ERR struct sc_err err = {0};
    struct ctx ctx = ctx_within(&lab->ctx, 300);
    int64_t start = ctx_now_ms();
    assert_int_equal(ssh_run(ssh, &ctx, "sleep 20", NULL, &output, &err), -1);
    assert_int_equal(err.kind, ERR_TIMEOUT);
    ssh_output_free(&output);
    ssh_close(ssh);
    assert_true(ctx_now_ms() - start < 1000);
}

/* One that never stops talking, so that nothing is ever waited for. */
static void a_chatty_command_has_a_deadline_too(void **state)
{
    const struct lab *lab = *state;
    struct ssh *ssh = lab_connect(lab);
    struct ssh_output output = {0};
    AUTO_ERR struct sc_err err = {0};
    struct ctx ctx = ctx_within(&lab->ctx, 300);
    int64_t start = ctx_now_ms();
    assert_int_equal(ssh_run(ssh, &ctx, "yes", NULL, &output, &err), -1);
    assert_int_equal(err.kind, ERR_TIMEOUT);
    ssh_output_free(&output);
    ssh_close(ssh);
    assert_true(ctx_now_ms() - start < 1000);
}

/* --- Streams. */

static int read_all(struct ssh_stream *stream, const struct ctx *ctx, struct buf *out, struct sc_err *err)
{
    char chunk[10000];
    size_t got;
    do {
        struct source *source = ssh_stream_source(stream);
        if (source->read(source, ctx, chunk, sizeof chunk, &got, err) < 0)
            return -1;
        buf_append(out, chunk, got);
    } while (got);
    return 0;
}

static void a_stream_gives_everything(void **state)
{
    const struct lab *lab = *state;
    struct ssh *ssh = lab_connect(lab);
    struct ssh_stream *stream;
    AUTO_BUF struct buf out = {.max = 2 * BIG};
    struct sc_err err = {0};
    assert_int_equal(ssh_stream_open(ssh, &lab->ctx, "seq 1 1000000", &stream, &err), 0);
    if (read_all(stream, &lab->ctx, &out, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(out.len, 6888896);
    assert_true(str_starts(buf_text(&out), "1\n2\n3\n"));
    assert_true(str_ends(buf_text(&out), "\n1000000\n"));
    ssh_stream_close(stream);
    AUTO_FREE char *text = run_text(ssh, &lab->ctx, "echo next");
    assert_string_equal(text, "next\n");
    ssh_close(ssh);
}

/* One that hangs up after 4 seconds in which nothing came, as a hardened sshd does after 45. */
static void a_stream_that_is_not_read_lives_on(void **state)
{
    struct lab lab = **(struct lab **)state;
    lab.sshd = sshd_start(lab.folder, "hk_ed25519", "ClientAliveInterval 1\nClientAliveCountMax 3\n");
    lab.host.port = lab.sshd.port;
    know(lab.known, lab.folder, "hk_ed25519", lab.sshd.port);
    struct ssh *ssh = lab_connect(&lab);
    struct ssh_stream *stream;
    AUTO_BUF struct buf out = {.max = 2 * BIG};
    struct sc_err err = {0};
    assert_int_equal(ssh_stream_open(ssh, &lab.ctx, "seq 1 1000000", &stream, &err), 0);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(ctx_wait(&lab.ctx, -1, 0, SOURCE_IDLE_MS, NULL), 0);
        source_idle(ssh_stream_source(stream));
    }
    if (read_all(stream, &lab.ctx, &out, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(out.len, 6888896);
    ssh_stream_close(stream);
    ssh_close(ssh);
    sshd_stop(&lab.sshd);
}

static void a_streams_end_stays_its_end(void **state)
{
    const struct lab *lab = *state;
    struct ssh *ssh = lab_connect(lab);
    struct ssh_stream *stream;
    AUTO_BUF struct buf out = {0};
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(ssh_stream_open(ssh, &lab->ctx, "cat", &stream, &err), 0);
    assert_int_equal(read_all(stream, &lab->ctx, &out, &err), 0);
    assert_int_equal(read_all(stream, &lab->ctx, &out, &err), 0);
    assert_int_equal(out.len, 0);
    ssh_stream_close(stream);
    ssh_close(ssh);
}

static void a_stream_that_fails_does_not_end_well(void **state)
{
    static const struct {
        const char *command;
        enum err_kind kind;
        const char *text;
    } cases[] = {
        {"echo part; echo the disk is gone >&2; exit 3", ERR_DOCKER,  "ended with status 3: the disk is gone"},
        {"echo part; exit 1",                            ERR_DOCKER,  "status 1: nothing on standard error"  },
        {"echo part; printf 'a\\033[1m\\n' >&2; exit 1", ERR_DOCKER,  "status 1: a\\x1b[1m"                  },
        {"echo part; kill -TERM $$",                     ERR_NETWORK, "killed on the server by SIGTERM"      },
        {"echo part; kill -9 $PPID",                     ERR_NETWORK, "the server ended the connection"      },
    };
    const struct lab *lab = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ssh *ssh = lab_connect(lab);
        struct ssh_stream *stream;
        AUTO_BUF struct buf out = {0};
        AUTO_ERR struct sc_err err = {0};
        assert_int_equal(ssh_stream_open(ssh, &lab->ctx, cases[i].command, &stream, &err), 0);
        assert_int_equal(read_all(stream, &lab->ctx, &out, &err), -1);
        assert_int_equal(err.kind, cases[i].kind);
        assert_contains(err.text, cases[i].text);
        ssh_stream_close(stream);
        ssh_close(ssh);
    }
}

static void a_flood_of_stderr_stalls_no_stream(void **state)
{
    const struct lab *lab = *state;
    struct ssh *ssh = lab_connect(lab);
    struct ssh_stream *stream;
    AUTO_BUF struct buf out = {0};
    struct sc_err err = {0};
    assert_int_equal(
        ssh_stream_open(ssh, &lab->ctx, "echo a; head -c 20000000 /dev/zero >&2; echo b", &stream, &err), 0);
    if (read_all(stream, &lab->ctx, &out, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(buf_text(&out), "a\nb\n");
    ssh_stream_close(stream);
    ssh_close(ssh);
}

/* What is still on its way is dropped, and the session lives on. */
static void a_stream_can_be_left_in_the_middle(void **state)
{
    const struct lab *lab = *state;
    struct ssh *ssh = lab_connect(lab);
    for (int i = 0; i < 3; i++) {
        struct ssh_stream *stream;
        char chunk[100];
        size_t got;
        AUTO_ERR struct sc_err err = {0};
        assert_int_equal(ssh_stream_open(ssh, &lab->ctx, "head -c 50000000 /dev/zero", &stream, &err), 0);
        struct source *source = ssh_stream_source(stream);
        assert_int_equal(source->read(source, &lab->ctx, chunk, sizeof chunk, &got, &err), 0);
        int64_t start = ctx_now_ms();
        ssh_stream_close(stream);
        assert_true(ctx_now_ms() - start < 500);
        AUTO_FREE char *text = run_text(ssh, &lab->ctx, "echo alive");
        assert_string_equal(text, "alive\n");
    }
    ssh_close(ssh);
}

/* One that fails because its command does leaves the session whole; one that was cut off does not. */
static void a_session_knows_whether_it_can_go_on(void **state)
{
    const struct lab *lab = *state;
    struct ssh *ssh = lab_connect(lab);
    struct ssh_stream *stream;
    AUTO_BUF struct buf out = {0};
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(ssh_stream_open(ssh, &lab->ctx, "exit 3", &stream, &err), 0);
    assert_int_equal(read_all(stream, &lab->ctx, &out, &err), -1);
    ssh_stream_close(stream);
    AUTO_FREE char *text = run_text(ssh, &lab->ctx, "echo alive");
    assert_string_equal(text, "alive\n");
    struct ctx ctx = ctx_within(&lab->ctx, 300);
    assert_int_equal(ssh_stream_open(ssh, &ctx, "sleep 20", &stream, &err), 0);
    assert_int_equal(read_all(stream, &ctx, &out, &err), -1);
    assert_int_equal(err.kind, ERR_TIMEOUT);
    ssh_stream_close(stream);
    struct ssh_output output = {0};
    assert_int_equal(ssh_run(ssh, &lab->ctx, "true", NULL, &output, &err), -1);
    assert_int_equal(err.kind, ERR_NETWORK);
    assert_contains(err.text, "left in the middle");
    ssh_output_free(&output);
    ssh_close(ssh);
}

static void closing_nothing_is_allowed(void **state)
{
    (void)state;
    ssh_close(NULL);
    ssh_stream_close(NULL);
    ssh_gate_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_gives_status_and_both_outputs),
        cmocka_unit_test(a_session_runs_many_commands),
        cmocka_unit_test(input_comes_back_whole),
        cmocka_unit_test(a_command_need_not_read_its_input),
        cmocka_unit_test(a_command_may_close_its_output_and_read_on),
        cmocka_unit_test(a_source_that_fails_fails_the_run),
        cmocka_unit_test(output_is_cut_at_its_limit),
        cmocka_unit_test(a_flood_of_stderr_stalls_nothing),
        cmocka_unit_test(a_killed_command_is_an_error),
        cmocka_unit_test(a_killed_server_is_an_error),
        cmocka_unit_test(a_command_has_a_deadline),
        cmocka_unit_test(a_chatty_command_has_a_deadline_too),
        cmocka_unit_test(a_stream_gives_everything),
        cmocka_unit_test(a_stream_that_is_not_read_lives_on),
        cmocka_unit_test(a_streams_end_stays_its_end),
        cmocka_unit_test(a_stream_that_fails_does_not_end_well),
        cmocka_unit_test(a_flood_of_stderr_stalls_no_stream),
        cmocka_unit_test(a_stream_can_be_left_in_the_middle),
        cmocka_unit_test(a_session_knows_whether_it_can_go_on),
        cmocka_unit_test(closing_nothing_is_allowed),
    };
    return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
