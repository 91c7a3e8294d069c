/* What keeps the packets of a session, with a real sshd for each cipher. */
#include "sshd.h"

#include <pthread.h>

enum { MIB = 1 << 20 };

static const char *const ciphers[] = {"aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr",
                                      "aes256-ctr"};

static struct sshd start_with(const struct lab *lab, const char *cipher, const char *more)
{
    AUTO_FREE char *lines = str_format("Ciphers %s\n%s", cipher, more);
    return sshd_start(lab->folder, "hk_ed25519", lines);
}

static void the_cheapest_cipher_is_chosen(void **state)
{
    static const char *const cases[][2] = {
        {"aes256-ctr,aes256-gcm@openssh.com,aes128-gcm@openssh.com",        "aes128-gcm@openssh.com"},
        {"chacha20-poly1305@openssh.com,aes128-ctr,aes256-gcm@openssh.com", "aes256-gcm@openssh.com"},
        {"chacha20-poly1305@openssh.com,aes256-ctr,aes128-ctr",             "aes128-ctr"            },
    };
    struct lab logged = *(const struct lab *)*state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sshd sshd = start_with(&logged, cases[i][0], "");
        struct buf lines = {0};
        struct ssh *ssh;
        AUTO_ERR struct sc_err err = {0};
        AUTO_FREE char *wanted = str_format("cipher %s,", cases[i][1]);
        logged.ctx.log = log_new(LOG_DEBUG, keep_line, &lines);
        if (lab_connect_to(&logged, &logged.ctx, sshd.port, &ssh, &err) < 0)
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
    assert_int_equal(lab_connect_to(lab, &lab->ctx, sshd.port, &ssh, &err), -1);
    assert_contains(err.text, "no agreement on algorithms");
    assert_contains(err.hint, "aes128-gcm@openssh.com");
    sshd_stop(&sshd);
}

/* ---- keys that are exchanged anew ---- */

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
        if (lab_connect_to(lab, &lab->ctx, sshd.port, &ssh, &err) < 0)
            fail_msg("%s", err.text);
        send_to_and_fro(ssh, &lab->ctx, (size_t)8 * MIB);
        ssh_close(ssh);
        sshd_stop(&sshd);
        AUTO_SECRET struct secret *log = read_secret(lab->folder, "sshd.log");
        assert_true(count(secret_data(log), kept) >= 8);
    }
}

/* ---- a way that changes what goes along it ---- */

/* Brings one connection to a port of 127.0.0.1, and changes one bit of what comes from there: of a packet's
 * byte, or of a byte wherever it falls. */
struct meddler {
    int to, port;
    size_t tag;    /* bytes behind an enciphered packet whose size is plain; 0: only the first can be found */
    size_t packet; /* from 1, of those after the first exchange of keys; 0: none */
    long at;       /* of its bytes; below 0: from its end */
    size_t offset; /* of all that comes, if packet is 0 */
    pid_t pid;
};

enum { SIZE = 4, NEWKEYS = 21 };

/* Reads all len bytes, or ends the process with the connection. */
static void take(int fd, unsigned char *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = recv(fd, data + at, len - at, 0);
        if (n <= 0)
            _exit(0);
        at += (size_t)n;
    }
}

static void give(int fd, const unsigned char *data, size_t len)
{
    if (send(fd, data, len, MSG_NOSIGNAL) != (ssize_t)len)
        _exit(0);
}

static void pass(int from, int to, size_t offset)
{
    unsigned char data[4096];
    for (size_t passed = 0;;) {
        ssize_t n = recv(from, data, sizeof data, 0);
        if (n <= 0)
            _exit(0);
        if (passed <= offset && offset - passed < (size_t)n)
            data[offset - passed] ^= 4;
        passed += (size_t)n;
        give(to, data, (size_t)n);
    }
}

/* Passes one packet on, and tells its type, which is noise in an enciphered one. */
static int pass_packet(int from, int to, size_t tag, const long *change)
{
    static unsigned char packet[1 << 16];
    take(from, packet, SIZE);
    size_t len = ((size_t)packet[2] << 8 | packet[3]) + tag;
    take(from, packet + SIZE, len);
    len += SIZE;
    if (change)
        packet[*change < 0 ? len - (size_t) - *change : (size_t)*change] ^= 4;
    give(to, packet, len);
    return packet[SIZE + 1];
}

static void pass_changed(const struct meddler *m, int from, int to)
{
    unsigned char byte = 0, start[SIZE];
    while (byte != '\n') {
        take(from, &byte, 1);
        give(to, &byte, 1);
    }
    while (pass_packet(from, to, 0, NULL) != NEWKEYS) {
    }
    for (size_t i = 1; i < m->packet; i++)
        pass_packet(from, to, m->tag, NULL);
    if (m->tag) {
        pass_packet(from, to, m->tag, &m->at);
    } else {
        take(from, start, SIZE);
        start[m->at] ^= 4;
        give(to, start, SIZE);
    }
    pass(from, to, SIZE_MAX);
}

static void *pass_back(void *ends)
{
    const int *fds = ends;
    pass(fds[0], fds[1], SIZE_MAX);
    return NULL;
}

static void meddle(const struct meddler *m, int listener)
{
    struct sockaddr_in at = loopback(m->to);
    int client = accept(listener, NULL, NULL), server = socket(AF_INET, SOCK_STREAM, 0);
    int ends[] = {client, server};
    pthread_t thread;
    if (client < 0 || connect(server, (struct sockaddr *)&at, sizeof at) < 0)
        _exit(1);
    if (pthread_create(&thread, NULL, pass_back, ends) != 0)
        _exit(1);
    if (m->packet)
        pass_changed(m, server, client);
    pass(server, client, m->offset);
}

static void meddler_start(struct meddler *m)
{
    int listener = listen_anywhere(&m->port);
    m->pid = fork_child();
    if (m->pid == 0)
        meddle(m, listener);
    close(listener);
}

static int read_through(const struct lab *lab, int port, struct sc_err *err)
{
    struct ssh_output output = {.out.max = (size_t)8 * MIB};
    struct ctx ctx = ctx_within(&lab->ctx, 10000);
    struct ssh *ssh;
    if (lab_connect_to(lab, &ctx, port, &ssh, err) < 0)
        return -1;
    int result = ssh_run(ssh, &ctx, "head -c 4000000 /dev/zero", NULL, &output, err);
    ssh_output_free(&output);
    ssh_close(ssh);
    return result;
}

/* In the handshake, in the authentication, when a channel is opened, and in a stream. */
static const size_t packets[] = {1, 2, 5, 30, 60};

static void refuse(const struct lab *lab, struct meddler *m)
{
    AUTO_ERR struct sc_err err = {0};
    meddler_start(m);
    int result = read_through(lab, m->port, &err);
    stop_program(m->pid);
    if (result == 0 || err.kind != ERR_NETWORK ||
        !strstr(err.text, "what the server sent was changed on the way"))
        fail_msg("tag %zu, packet %zu, byte %ld, offset %zu: %d %s", m->tag, m->packet, m->at, m->offset,
                 result, err.text ? err.text : "");
}

/* What stands first in an enciphered packet of GCM, or one of a MAC that goes over what is enciphered, is its
 * size. */
static void a_changed_bit_ends_the_session(void **state)
{
    static const struct {
        const char *cipher, *mac;
        size_t tag;
        long places[4];
    } cases[] = {
        {"aes128-gcm@openssh.com", "hmac-sha2-256",                 16, {0, 3, 4, -1}},
        {"aes256-gcm@openssh.com", "hmac-sha2-256",                 16, {0, 3, 4, -1}},
        {"aes128-ctr",             "hmac-sha2-256-etm@openssh.com", 32, {0, 0, 4, -1}},
        {"aes256-ctr",             "hmac-sha2-512-etm@openssh.com", 64, {0, 0, 4, -1}},
    };
    const struct lab *lab = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_FREE char *mac = str_format("MACs %s", cases[i].mac);
        struct sshd sshd = start_with(lab, cases[i].cipher, mac);
        for (size_t j = 0; j < sizeof packets / sizeof *packets * 4; j++) {
            struct meddler m = {
                .to = sshd.port, .tag = cases[i].tag, .packet = packets[j / 4], .at = cases[i].places[j % 4]};
            refuse(lab, &m);
        }
        sshd_stop(&sshd);
    }
}

/* The size of a packet is enciphered here, and used before it is known to be right. */
static void a_changed_bit_of_an_enciphered_size_ends_the_session(void **state)
{
    const struct lab *lab = *state;
    struct sshd sshd = start_with(lab, "aes128-ctr", "MACs hmac-sha2-256");
    static const size_t offsets[] = {MIB, MIB + 1, 3 * MIB + 12345};
    for (long at = 0; at < SIZE; at += SIZE - 1) {
        struct meddler m = {.to = sshd.port, .packet = 1, .at = at};
        refuse(lab, &m);
    }
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        struct meddler m = {.to = sshd.port, .offset = offsets[i]};
        refuse(lab, &m);
    }
    sshd_stop(&sshd);
}

/* A stream is left before its end, and what the server says to that is changed: libssh2 is silent about it.
 * The next command fails at once, or had its answer before. */
static bool fails_after_a_stream(const struct lab *lab, int port)
{
    struct ctx ctx = ctx_within(&lab->ctx, 10000);
    struct ssh *ssh;
    struct ssh_stream *stream;
    struct ssh_output output = {0};
    AUTO_ERR struct sc_err err = {0};
    char data[8];
    size_t got;
    if (lab_connect_to(lab, &ctx, port, &ssh, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(ssh_stream_open(ssh, &ctx, "printf abcdefgh; exec sleep 0.1", &stream, &err), 0);
    struct source *source = ssh_stream_source(stream);
    assert_int_equal(source->read(source, &ctx, data, sizeof data, &got, &err), 0);
    ssh_stream_close(stream);
    bool failed = ssh_run(ssh, &ctx, "echo here", NULL, &output, &err) < 0;
    if (failed && err.kind != ERR_NETWORK)
        fail_msg("%s", err.text);
    assert_true(failed || strcmp(buf_text(&output.out), "here\n") == 0);
    ssh_output_free(&output);
    ssh_close(ssh);
    return failed;
}

static void a_session_does_not_outlive_a_changed_bit(void **state)
{
    static const size_t firsts[] = {12, 13, 14, 15, 16};
    const struct lab *lab = *state;
    struct sshd sshd = start_with(lab, "aes128-ctr", "MACs hmac-sha2-256-etm@openssh.com");
    size_t failures = 0;
    for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
        struct meddler m = {.to = sshd.port, .tag = 32, .packet = firsts[i], .at = SIZE};
        meddler_start(&m);
        failures += fails_after_a_stream(lab, m.port);
        stop_program(m.pid);
    }
    assert_true(failures > 0);
    sshd_stop(&sshd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cheapest_cipher_is_chosen),
        cmocka_unit_test(chacha20_is_not_agreed_on),
        cmocka_unit_test(keys_are_exchanged_anew_for_the_same_cipher),
        cmocka_unit_test(a_changed_bit_ends_the_session),
        cmocka_unit_test(a_changed_bit_of_an_enciphered_size_ends_the_session),
        cmocka_unit_test(a_session_does_not_outlive_a_changed_bit),
    };
    return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
