#include "sshd.h"

#include <pthread.h>
#include <stdatomic.h>

/* Cancelling takes some 10 ms; the limit leaves room for a busy machine and for sanitizers. */
enum { SESSIONS = 20, PROMPT_MS = 500 };

static void the_librarys_version_is_known(void **state)
{
    (void)state;
    assert_true(str_starts(ssh_library_version(), "libssh2/1."));
}

/* --- Many at once. */

struct worker {
    const struct lab *lab;
    const struct ssh_policy *policy;
    const struct ssh_host *bastion;
    int number;
    struct sc_err err;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    struct ssh *ssh;
    struct ssh_output output = {0};
    AUTO_FREE char *command = str_format("seq 1 20000; echo %d", w->number);
    AUTO_FREE char *end = str_format("\n20000\n%d\n", w->number);
    if (ssh_connect(&w->lab->ctx, w->policy, &w->lab->host, w->bastion, &ssh, &w->err) < 0)
        return NULL;
    if (ssh_run(ssh, &w->lab->ctx, command, NULL, &output, &w->err) == 0 &&
        (output.status != 0 || !str_ends(buf_text(&output.out), end)))
        err_set(&w->err, ERR_SYSTEM, "wrong output");
    ssh_output_free(&output);
    ssh_close(ssh);
    return NULL;
}

static void work_in_threads(const struct lab *lab, const struct ssh_policy *policy,
                            const struct ssh_host *bastion)
{
    struct worker workers[SESSIONS] = {0};
    pthread_t threads[SESSIONS];
    int fds = count_fds();
    for (int i = 0; i < SESSIONS; i++) {
        workers[i] = (struct worker){.lab = lab, .policy = policy, .bastion = bastion, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < SESSIONS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < SESSIONS; i++)
        if (workers[i].err.kind != ERR_NONE)
            fail_msg("%s", workers[i].err.text);
    assert_int_equal(count_fds(), fds);
}

/* More than sshd's MaxStartups lets in at once: those that were dropped come back. */
static void sessions_in_many_threads_get_in(void **state)
{
    const struct lab *lab = *state;
    work_in_threads(lab, &lab->policy, NULL);
}

static void sessions_in_many_threads_get_through_a_bastion(void **state)
{
    const struct lab *lab = *state;
    struct ssh_policy policy = lab->policy;
    policy.bastion_gate = ssh_gate_new();
    work_in_threads(lab, &policy, &lab->host);
    ssh_gate_free(policy.bastion_gate);
}

static void all_may_add_the_same_host_at_once(void **state)
{
    const struct lab *lab = *state;
    struct known_hosts *nobody = known_hosts_new();
    AUTO_FREE char *file = str_format("%s/accepted", lab->folder);
    struct ssh_policy policy = {.mode = HOST_KEY_ACCEPT_NEW, .known = nobody, .known_hosts_file = file};
    work_in_threads(lab, &policy, NULL);
    shell_in(lab->folder, "test $(wc -l <accepted) = 1");
    known_hosts_free(nobody);
}

/* A connection that the server has greeted, and that never authenticates. */
static int take_place(int port)
{
    struct sockaddr_in at = loopback(port);
    for (;;) {
        char greeting[4] = "";
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
        if (recv(fd, greeting, sizeof greeting, MSG_WAITALL) == sizeof greeting &&
            memcmp(greeting, "SSH-", sizeof greeting) == 0)
            return fd;
        close(fd);
        pause_ms(SSHD_TRY_MS);
    }
}

static void a_server_that_is_always_full_is_given_up(void **state)
{
    const struct lab *lab = *state;
    struct sshd full = sshd_start(lab->folder, "hk_ed25519", "MaxStartups 1:100:1");
    know(lab->known, lab->folder, "hk_ed25519", full.port);
    AUTO_CLOSE int place = take_place(full.port);
    struct ssh_host host = lab->host;
    struct ssh *ssh;
    struct ctx ctx = ctx_within(&lab->ctx, 2000);
    AUTO_ERR struct sc_err err = {0};
    host.port = full.port;
    assert_int_equal(ssh_connect(&ctx, &lab->policy, &host, NULL, &ssh, &err), -1);
    assert_contains(err.text, "the server ended the connection before it greeted");
    assert_contains(err.hint, "MaxStartups");
    sshd_stop(&full);
    assert_true(place >= 0);
}

/* --- The gate. */

static void the_gate_lets_no_more_in_than_it_has_places(void **state)
{
    const struct lab *lab = *state;
    struct ssh_policy policy = lab->policy;
    struct ssh *ssh;
    AUTO_ERR struct sc_err err = {0};
    int port;
    AUTO_CLOSE int listener = listen_anywhere(&port);
    struct ssh_host bastion = lab->host;
    bastion.port = port;
    policy.bastion_gate = ssh_gate_new();
    struct worker workers[SSH_UNAUTHENTICATED_MAX] = {0};
    pthread_t threads[SSH_UNAUTHENTICATED_MAX];
    struct lab impatient = *lab;
    impatient.ctx = ctx_within(&lab->ctx, 1500);
    for (int i = 0; i < SSH_UNAUTHENTICATED_MAX; i++) {
        workers[i] = (struct worker){.lab = &impatient, .policy = &policy, .bastion = &bastion};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    pause_ms(300);
    struct ctx ctx = ctx_within(&lab->ctx, 300);
    assert_int_equal(ssh_connect(&ctx, &policy, &lab->host, &bastion, &ssh, &err), -1);
    assert_int_equal(err.kind, ERR_TIMEOUT);
    assert_contains(err.text, "waiting for others to authenticate");
    for (int i = 0; i < SSH_UNAUTHENTICATED_MAX; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].err.kind, ERR_TIMEOUT);
        assert_contains(workers[i].err.text, "waiting for the SSH server's greeting");
        err_clear(&workers[i].err);
    }
    /* All places were given back. */
    ctx = ctx_within(&lab->ctx, 5000);
    assert_int_equal(ssh_connect(&ctx, &policy, &lab->host, &lab->host, &ssh, &err), 0);
    ssh_close(ssh);
    ssh_gate_free(policy.bastion_gate);
    assert_true(listener >= 0);
}

/* --- Cancelling, at every moment. */

struct later {
    struct cancel *cancel;
    int ms;
    int64_t fired_ms;
};

static void *fire_later(void *arg)
{
    struct later *later = arg;
    pause_ms(later->ms);
    later->fired_ms = ctx_now_ms();
    cancel_fire(later->cancel);
    return NULL;
}

/* Connects, runs and streams until it is told to stop; the kind of the error that ended it. */
static enum err_kind do_everything(const struct lab *lab, const struct ctx *ctx,
                                   const struct ssh_host *bastion)
{
    struct ssh *ssh;
    struct ssh_stream *stream = NULL;
    struct ssh_output output = {0};
    AUTO_ERR struct sc_err err = {0};
    char *chunk = mem_calloc(65536, 1);
    size_t got;
    int result = ssh_connect(ctx, &lab->policy, &lab->host, bastion, &ssh, &err);
    if (result == 0) {
        result = ssh_run(ssh, ctx, "sleep 0.1", NULL, &output, &err);
        ssh_output_free(&output);
        if (result == 0)
            result = ssh_stream_open(ssh, ctx, "cat /dev/zero", &stream, &err);
        while (result == 0)
            result =
                ssh_stream_source(stream)->read(ssh_stream_source(stream), ctx, chunk, 65536, &got, &err);
        ssh_stream_close(stream);
        ssh_close(ssh);
    }
    free(chunk);
    return err.kind;
}

static void cancel_everywhere(const struct lab *lab, const struct ssh_host *bastion)
{
    int fds = count_fds();
    for (int ms = 0; ms < 600; ms += 1 + ms / 8) {
        struct later later = {.cancel = cancel_new(), .ms = ms};
        struct ctx ctx = {.cancel = later.cancel, .deadline_ms = CTX_NO_DEADLINE};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, fire_later, &later), 0);
        assert_int_equal(do_everything(lab, &ctx, bastion), ERR_CANCELLED);
        int64_t ended = ctx_now_ms();
        pthread_join(thread, NULL);
        if (ended - later.fired_ms > PROMPT_MS)
            fail_msg("cancelled after %d ms: took %d ms", ms, (int)(ended - later.fired_ms));
        cancel_free(later.cancel);
    }
    assert_int_equal(count_fds(), fds);
}

static void cancelling_unwinds_at_once(void **state)
{
    cancel_everywhere(*state, NULL);
}

static void cancelling_unwinds_through_a_bastion(void **state)
{
    const struct lab *lab = *state;
    cancel_everywhere(lab, &lab->host);
}

static void ipv6_gets_in(void **state)
{
    const struct lab *lab = *state;
    struct sockaddr_in6 at = {
        .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback, .sin6_port = htons((uint16_t)lab->sshd.port)};
    AUTO_CLOSE int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) < 0)
        skip(); /* this machine has no IPv6 */
    AUTO_SECRET struct secret *public = read_secret(lab->folder, "hk_ed25519.pub");
    AUTO_FREE char *line = str_format("[::1]:%d %s", lab->sshd.port, secret_data(public));
    struct known_hosts *known = known_hosts_new();
    known_hosts_parse(known, "test", line, strlen(line), NULL);
    struct ssh_policy policy = {.mode = HOST_KEY_STRICT, .known = known};
    struct ssh_host host = lab->host;
    struct ssh *ssh;
    struct sc_err err = {0};
    host.address = "::1";
    if (ssh_connect(&lab->ctx, &policy, &host, NULL, &ssh, &err) < 0)
        fail_msg("%s", err.text);
    ssh_close(ssh);
    host.user = "nobody-of-that-name";
    assert_int_equal(ssh_connect(&lab->ctx, &policy, &host, NULL, &ssh, &err), -1);
    assert_contains(err.text, "nobody-of-that-name@[::1]:");
    err_clear(&err);
    known_hosts_free(known);
}

static void a_port_that_refuses_is_told_with_its_name(void **state)
{
    const struct lab *lab = *state;
    struct ssh_host host = lab->host;
    struct ssh *ssh;
    AUTO_ERR struct sc_err err = {0};
    host.port = free_port();
    AUTO_FREE char *text = str_format("%s@127.0.0.1:%d: connection refused", user_name(), host.port);
    assert_int_equal(ssh_connect(&lab->ctx, &lab->policy, &host, NULL, &ssh, &err), -1);
    assert_int_equal(err.kind, ERR_NETWORK);
    assert_string_equal(err.text, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_librarys_version_is_known),
        cmocka_unit_test(sessions_in_many_threads_get_in),
        cmocka_unit_test(sessions_in_many_threads_get_through_a_bastion),
        cmocka_unit_test(all_may_add_the_same_host_at_once),
        cmocka_unit_test(a_server_that_is_always_full_is_given_up),
        cmocka_unit_test(the_gate_lets_no_more_in_than_it_has_places),
        cmocka_unit_test(cancelling_unwinds_at_once),
        cmocka_unit_test(cancelling_unwinds_through_a_bastion),
        cmocka_unit_test(ipv6_gets_in),
        cmocka_unit_test(a_port_that_refuses_is_told_with_its_name),
    };
    return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
