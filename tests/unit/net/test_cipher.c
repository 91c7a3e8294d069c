/* What keeps the packets of a session, with a real sshd for each cipher. */
#include "sshd.h"

#include <poll.h>

#include "../../../src/net/libssh2_gcm.h"

enum { MIB = 1 << 20 };

static const char *const ciphers[] = {"aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr",
                                      "aes256-ctr"};

static struct sshd start_with(const struct lab *lab, const char *cipher, const char *more)
{
    AUTO_FREE char *lines = str_format("Ciphers %s\n%s", cipher, more);
    return sshd_start(lab->folder, "hk_ed25519", lines);
}

/* To that port of 127.0.0.1, where any host key will do. */
static int connect_to(const struct lab *lab, int port, struct ssh **ssh, struct sc_err *err)
{
    struct ssh_policy policy = {.mode = HOST_KEY_OFF, .known = lab->known};
    struct ssh_host host = lab->host;
    host.port = port;
    return ssh_connect(&lab->ctx, &policy, &host, NULL, ssh, err);
}

static void keep_line(void *arg, enum log_level level, const char *who, const char *line)
{
    (void)level;
    (void)who;
    buf_printf(arg, "%s\n", line);
}

static void the_cheapest_cipher_is_chosen(void **state)
{
    static const struct {
        const char *server, *chosen, *by_slow_gcm;
    } cases[] = {
        {"aes256-ctr,aes256-gcm@openssh.com,aes128-gcm@openssh.com",        "aes128-gcm@openssh.com", "aes256-ctr"            },
        {"chacha20-poly1305@openssh.com,aes128-ctr,aes256-gcm@openssh.com", "aes256-gcm@openssh.com",
         "aes128-ctr"                                                                                                         },
        {"chacha20-poly1305@openssh.com,aes256-ctr,aes128-ctr",             "aes128-ctr",             "aes128-ctr"            },
        {"aes256-gcm@openssh.com",                                          "aes256-gcm@openssh.com", "aes256-gcm@openssh.com"},
    };
    struct lab logged = *(const struct lab *)*state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sshd sshd = start_with(&logged, cases[i].server, "");
        struct buf lines = {0};
        struct ssh *ssh;
        AUTO_ERR struct sc_err err = {0};
        AUTO_FREE char *wanted =
            str_format("cipher %s,", libssh2_gcm_works() ? cases[i].chosen : cases[i].by_slow_gcm);
        logged.ctx.log = log_new(LOG_DEBUG, keep_line, &lines);
        if (connect_to(&logged, sshd.port, &ssh, &err) < 0)
            fail_msg("%s", err.text);
        ssh_close(ssh);
        assert_contains(buf_text(&lines), wanted);
        log_free(logged.ctx.log);
        buf_free(&lines);
        sshd_stop(&sshd);
    }
}

/* libssh2's never ends where a bit is changed on the way. */
static void chacha20_is_not_agreed_on(void **state)
{
    const struct lab *lab = *state;
    struct sshd sshd = start_with(lab, "chacha20-poly1305@openssh.com", "");
    struct ssh *ssh;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(connect_to(lab, sshd.port, &ssh, &err), -1);
    assert_contains(err.text, "no agreement on algorithms");
    assert_contains(err.hint, "aes128-gcm@openssh.com");
    sshd_stop(&sshd);
}

/* ---- keys that are exchanged anew ---- */

struct pattern {
    struct source source;
    size_t at, len;
};

static char pattern_byte(size_t at)
{
    return (char)(at * 2654435761u >> 13);
}

static int pattern_read(struct source *source, const struct ctx *ctx, void *data, size_t cap, size_t *got,
                        struct sc_err *err)
{
    (void)ctx;
    (void)err;
    struct pattern *p = (struct pattern *)source;
    size_t left = p->len - p->at;
    *got = cap < left ? cap : left;
    for (size_t i = 0; i < *got; i++)
        ((char *)data)[i] = pattern_byte(p->at++);
    return 0;
}

static void send_to_and_fro(const struct lab *lab, struct ssh *ssh, size_t len)
{
    struct pattern input = {.source.read = pattern_read, .len = len};
    struct ssh_output output = {.out.max = len + 1};
    AUTO_ERR struct sc_err err = {0};
    if (ssh_run(ssh, &lab->ctx, "cat", &input.source, &output, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(output.out.len, len);
    for (size_t i = 0; i < len; i++)
        if (output.out.data[i] != pattern_byte(i))
            fail_msg("byte %zu differs", i);
    ssh_output_free(&output);
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        n++;
    return n;
}

/* sshd tells what it was offered each time, and what it has itself: that is another list, by a cipher that is
 * never offered. */
static void keys_are_exchanged_anew_for_the_same_cipher(void **state)
{
    const struct lab *lab = *state;
    for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++) {
        AUTO_FREE char *two = str_format("%s,chacha20-poly1305@openssh.com", ciphers[i]);
        struct sshd sshd = start_with(lab, two, "RekeyLimit 1M\nLogLevel DEBUG2");
        struct ssh *ssh;
        AUTO_ERR struct sc_err err = {0};
        AUTO_FREE char *kept = str_format("ciphers ctos: %s\r\n", ciphers[i]);
        shell_in(lab->folder, ": >sshd.log");
        if (connect_to(lab, sshd.port, &ssh, &err) < 0)
            fail_msg("%s", err.text);
        send_to_and_fro(lab, ssh, (size_t)8 * MIB);
        ssh_close(ssh);
        sshd_stop(&sshd);
        AUTO_SECRET struct secret *log = read_secret(lab->folder, "sshd.log");
        assert_true(count(secret_data(log), kept) >= 8);
    }
}

/* ---- a way that changes what goes along it ---- */

/* Brings one connection to a port of 127.0.0.1, and flips a bit behind so many bytes from there. */
struct meddler {
    int to, port;
    size_t flips_at;
    pid_t pid;
};

static void pump(int from, int to, size_t *passed, size_t flips_at)
{
    char data[4096];
    ssize_t n = recv(from, data, sizeof data, 0);
    if (n <= 0)
        _exit(0);
    if (*passed <= flips_at && flips_at - *passed < (size_t)n)
        data[flips_at - *passed] ^= 4;
    *passed += (size_t)n;
    if (send(to, data, (size_t)n, MSG_NOSIGNAL) != n)
        _exit(0);
}

static void meddle(const struct meddler *m, int listener)
{
    struct sockaddr_in at = loopback(m->to);
    int client = accept(listener, NULL, NULL), server = socket(AF_INET, SOCK_STREAM, 0);
    size_t up = 0, down = 0;
    if (client < 0 || connect(server, (struct sockaddr *)&at, sizeof at) < 0)
        _exit(1);
    for (;;) {
        struct pollfd fds[] = {
            {.fd = client, .events = POLLIN},
            {.fd = server, .events = POLLIN}
        };
        poll(fds, 2, -1);
        if (fds[0].revents)
            pump(client, server, &up, SIZE_MAX);
        if (fds[1].revents)
            pump(server, client, &down, m->flips_at);
    }
}

static void meddler_start(struct meddler *m)
{
    int listener = listen_anywhere(&m->port);
    m->pid = fork();
    if (m->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        meddle(m, listener);
    }
    close(listener);
}

static int read_through(const struct lab *lab, int port, struct sc_err *err)
{
    struct ssh_output output = {.out.max = (size_t)8 * MIB};
    struct lab hurried = *lab;
    struct ssh *ssh;
    hurried.ctx = ctx_within(&lab->ctx, 10000);
    if (connect_to(&hurried, port, &ssh, err) < 0)
        return -1;
    int result = ssh_run(ssh, &hurried.ctx, "head -c 4000000 /dev/zero", NULL, &output, err);
    ssh_output_free(&output);
    ssh_close(ssh);
    return result;
}

static void a_flipped_bit_ends_the_session(void **state)
{
    static const size_t places[] = {MIB, MIB + 1, MIB + 2, 3 * MIB + 12345};
    const struct lab *lab = *state;
    for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++) {
        struct sshd sshd = start_with(lab, ciphers[i], "");
        for (size_t j = 0; j < sizeof places / sizeof *places; j++) {
            struct meddler m = {.to = sshd.port, .flips_at = places[j]};
            AUTO_ERR struct sc_err err = {0};
            meddler_start(&m);
            assert_int_equal(read_through(lab, m.port, &err), -1);
            assert_int_equal(err.kind, ERR_NETWORK);
            assert_contains(err.text, "what the server sent was changed on the way");
            stop_program(m.pid);
        }
        sshd_stop(&sshd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cheapest_cipher_is_chosen),
        cmocka_unit_test(chacha20_is_not_agreed_on),
        cmocka_unit_test(keys_are_exchanged_anew_for_the_same_cipher),
        cmocka_unit_test(a_flipped_bit_ends_the_session),
    };
    return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
