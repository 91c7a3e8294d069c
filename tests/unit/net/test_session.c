#include "sshd.h"

#include "../../../src/net/session.h"

/* A server that misbehaves: a process that greets each connection with the given bytes, and then waits until
 * the client has gone. */
struct liar {
    const char *says;
    bool hangs_up;
    bool endless;
    int port;
    pid_t pid;
};

static void lie(const struct liar *liar, int fd)
{
    char byte;
    ssize_t n = send(fd, liar->says, strlen(liar->says), MSG_NOSIGNAL);
    while (liar->endless && n > 0)
        n = send(fd, "more of the same\r\n", 18, MSG_NOSIGNAL);
    while (!liar->hangs_up && recv(fd, &byte, 1, 0) > 0) {
    }
    close(fd);
}

static void liar_start(struct liar *liar)
{
    int listener = listen_anywhere(&liar->port);
    liar->pid = fork_child();
    while (liar->pid == 0)
        lie(liar, accept(listener, NULL, NULL));
    close(listener);
}

static void liar_stop(struct liar *liar)
{
    stop_program(liar->pid);
}

static int connect_to(const struct lab *lab, int port, int64_t ms, struct sc_err *err)
{
    struct ctx ctx = ctx_within(&lab->ctx, ms);
    struct ssh *ssh;
    int fds = count_fds();
    int result = lab_connect_to(lab, &ctx, port, &ssh, err);
    if (result == 0)
        ssh_close(ssh);
    assert_int_equal(count_fds(), fds);
    return result;
}

static void a_silent_server_runs_into_the_deadline(void **state)
{
    static const char *const beginnings[] = {"", "SSH-2.0-x\r\n", "SSH-2.0-x\r\n\0\0\1", "hello"};
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        struct liar liar = {.says = beginnings[i]};
        AUTO_ERR struct sc_err err = {0};
        liar_start(&liar);
        int64_t start = ctx_now_ms();
        assert_int_equal(connect_to(*state, liar.port, 300, &err), -1);
        assert_int_equal(err.kind, ERR_TIMEOUT);
        assert_true(ctx_now_ms() - start < 1000);
        assert_contains(err.text, strchr(beginnings[i], '-')
                                      ? "the SSH handshake: timed out"
                                      : "waiting for the SSH server's greeting: timed out");
        assert_contains(err.hint, "its SSH server does not answer");
        liar_stop(&liar);
    }
}

static void the_handshake_has_a_deadline_of_its_own(void **state)
{
    struct liar liar = {.says = ""};
    AUTO_ERR struct sc_err err = {0};
    liar_start(&liar);
    int64_t start = ctx_now_ms();
    assert_int_equal(connect_to(*state, liar.port, 60000, &err), -1);
    assert_int_equal(err.kind, ERR_TIMEOUT);
    assert_contains(err.text, "waiting for the SSH server's greeting took longer than 15.0 s");
    assert_in_range(ctx_now_ms() - start, SSH_HANDSHAKE_MS, SSH_HANDSHAKE_MS + 1000);
    liar_stop(&liar);
}

static void a_server_that_never_stops_talking_is_left(void **state)
{
    struct liar liar = {.says = "hello\r\n", .endless = true};
    AUTO_ERR struct sc_err err = {0};
    liar_start(&liar);
    int64_t start = ctx_now_ms();
    assert_int_equal(connect_to(*state, liar.port, 500, &err), -1);
    assert_int_equal(err.kind, ERR_TIMEOUT);
    assert_true(ctx_now_ms() - start < 2000);
    liar_stop(&liar);
}

static void what_a_server_says_before_it_hangs_up_is_told(void **state)
{
    struct liar liar = {.says = "Not allowed at \033[1mthis time\r\n", .hangs_up = true};
    AUTO_ERR struct sc_err err = {0};
    liar_start(&liar);
    assert_int_equal(connect_to(*state, liar.port, 1000, &err), -1);
    assert_contains(err.text, "before it greeted: \"Not allowed at \\x1b[1mthis time\"");
    assert_contains(err.hint, "MaxStartups");
    liar_stop(&liar);
}

static void what_is_no_ssh_is_told(void **state)
{
    struct liar liar = {.says = "SSH-2.0-x\r\nHTTP/1.1 400 Bad Request\r\n\r\n", .hangs_up = true};
    AUTO_ERR struct sc_err err = {0};
    liar_start(&liar);
    assert_int_equal(connect_to(*state, liar.port, 3000, &err), -1);
    assert_int_equal(err.kind, ERR_NETWORK);
    liar_stop(&liar);
}

static void algorithms_that_do_not_meet_are_told(void **state)
{
    const struct lab *lab = *state;
    struct sshd sshd =
        sshd_start(lab->folder, "hk_ed25519", "KexAlgorithms sntrup761x25519-sha512@openssh.com");
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(connect_to(lab, sshd.port, 5000, &err), -1);
    assert_int_equal(err.kind, ERR_NETWORK);
    assert_contains(err.text, "no agreement on algorithms");
    assert_contains(err.hint, "curve25519-sha256");
    sshd_stop(&sshd);
}

static void who_is_talked_to_is_logged(void **state)
{
    struct lab logged = *(const struct lab *)*state;
    struct buf lines = {0};
    struct sc_err err = {0};
    logged.ctx.log = log_new(LOG_TRACE, keep_line, &lines);
    logged.ctx.who = "10.0.0.11";
    if (connect_to(&logged, logged.sshd.port, 5000, &err) < 0)
        fail_msg("%s", err.text);
    assert_contains(buf_text(&lines), "10.0.0.11: ");
    assert_contains(buf_text(&lines), "host key ssh-ed25519 SHA256:");
    assert_contains(buf_text(&lines), "authenticated by the key plain (ssh-ed25519)");
    log_free(logged.ctx.log);
    buf_free(&lines);
}

static void the_window_fits_the_way(void **state)
{
    int port, pair[2];
    int listener = listen_anywhere(&port);
    struct sockaddr_in here = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct ssh near = {.fd = socket(AF_INET, SOCK_STREAM, 0)}, tunnel;
    (void)state;
    assert_int_equal(connect(near.fd, (struct sockaddr *)&here, sizeof here), 0);
    assert_int_equal(session_window(&near), SESSION_WINDOW_NEAR);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    tunnel.fd = pair[0];
    assert_int_equal(session_window(&tunnel), SESSION_WINDOW_FAR);
    close(near.fd);
    close(listener);
    close(pair[0]);
    close(pair[1]);
}

/* --- Silence. */

enum { SILENCE_MS = 3000 };

static struct ssh *connect_impatiently(const struct lab *lab, pid_t *server)
{
    struct ssh *ssh;
    struct sc_err err = {0};
    struct ssh_policy policy = lab->policy;
    policy.silence_ms = SILENCE_MS;
    if (ssh_connect(&lab->ctx, &policy, &lab->host, NULL, &ssh, &err) < 0)
        fail_msg("%s", err.text);
    AUTO_FREE char *text = run_text(ssh, &lab->ctx, "echo $PPID");
    *server = atoi(text);
    assert_true(*server > 1);
    return ssh;
}

static void fail_when_frozen(struct ssh *ssh, const struct lab *lab, const char *command,
                             struct source *input)
{
    struct ssh_output output = {0};
    AUTO_ERR struct sc_err err = {0};
    int64_t start = ctx_now_ms();
    assert_int_equal(ssh_run(ssh, &lab->ctx, command, input, &output, &err), -1);
    assert_int_equal(err.kind, ERR_NETWORK);
    assert_contains(err.text, "no sign of life from the server for 3.0 s");
    assert_in_range(ctx_now_ms() - start, SILENCE_MS, SILENCE_MS + 1000);
    start = ctx_now_ms();
    ssh_output_free(&output);
    ssh_close(ssh);
    assert_true(ctx_now_ms() - start < 500);
}

static void a_frozen_server_is_found_dead(void **state)
{
    const struct lab *lab = *state;
    pid_t server;
    struct ssh *ssh = connect_impatiently(lab, &server);
    kill(server, SIGSTOP);
    fail_when_frozen(ssh, lab, "true", NULL);
    kill(server, SIGKILL);
}

/* Gives zeros without end, and freezes the server on the way. */
struct freezer {
    struct source source;
    pid_t server;
    size_t given;
};

static int freezer_read(struct source *source, const struct ctx *ctx, void *data, size_t cap, size_t *got,
                        struct sc_err *err)
{
    (void)ctx;
    (void)err;
    struct freezer *f = (struct freezer *)source;
    memset(data, 0, cap);
    *got = cap;
    f->given += cap;
    if (f->given > 1 << 20)
        kill(f->server, SIGSTOP);
    return 0;
}

/* With a socket that takes less than the channel's window, so that there is always something half sent. */
static void a_server_that_freezes_while_it_is_fed_is_found_dead(void **state)
{
    const struct lab *lab = *state;
    struct freezer freezer = {.source.read = freezer_read};
    struct ssh *ssh = connect_impatiently(lab, &freezer.server);
    int small = 4096;
    assert_int_equal(setsockopt(ssh->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    fail_when_frozen(ssh, lab, "cat >/dev/null", &freezer.source);
    kill(freezer.server, SIGKILL);
}

/* Frozen while it sends, so that what it has sent is still read. */
static void a_server_that_freezes_in_a_stream_is_found_dead(void **state)
{
    const struct lab *lab = *state;
    pid_t server;
    struct ssh *ssh = connect_impatiently(lab, &server);
    struct ssh_stream *stream;
    AUTO_ERR struct sc_err err = {0};
    char *chunk = mem_calloc(65536, 1);
    assert_int_equal(ssh_stream_open(ssh, &lab->ctx, "cat /dev/zero", &stream, &err), 0);
    size_t got = 1, total = 0;
    struct source *source = ssh_stream_source(stream);
    int result = 0;
    while (result == 0 && got) {
        result = source->read(source, &lab->ctx, chunk, 65536, &got, &err);
        total += got;
        if (total > (size_t)16 << 20 && server) {
            kill(server, SIGSTOP);
            total = 0;
        }
    }
    assert_int_equal(result, -1);
    assert_contains(err.text, "no sign of life");
    ssh_stream_close(stream);
    ssh_close(ssh);
    kill(server, SIGKILL);
    free(chunk);
}

/* A command that says nothing for longer is no dead server: keepalives are answered. */
static void a_quiet_command_is_waited_for(void **state)
{
    const struct lab *lab = *state;
    pid_t server;
    struct ssh *ssh = connect_impatiently(lab, &server);
    AUTO_FREE char *text = run_text(ssh, &lab->ctx, "sleep 7; echo awake");
    assert_string_equal(text, "awake\n");
    ssh_close(ssh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_server_runs_into_the_deadline),
        cmocka_unit_test(the_handshake_has_a_deadline_of_its_own),
        cmocka_unit_test(a_server_that_never_stops_talking_is_left),
        cmocka_unit_test(what_a_server_says_before_it_hangs_up_is_told),
        cmocka_unit_test(what_is_no_ssh_is_told),
        cmocka_unit_test(algorithms_that_do_not_meet_are_told),
        cmocka_unit_test(who_is_talked_to_is_logged),
        cmocka_unit_test(the_window_fits_the_way),
        cmocka_unit_test(a_frozen_server_is_found_dead),
        cmocka_unit_test(a_server_that_freezes_while_it_is_fed_is_found_dead),
        cmocka_unit_test(a_server_that_freezes_in_a_stream_is_found_dead),
        cmocka_unit_test(a_quiet_command_is_waited_for),
    };
    return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
