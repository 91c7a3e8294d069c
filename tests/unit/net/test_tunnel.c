#include "sshd.h"

#include <poll.h>
#include <sys/un.h>
#include <time.h>

#include "snapctl/net/tunnel.h"

enum { BIG = 8 << 20 };

/* A second server behind the lab's, which is the bastion: it has another host key and another user key. */
struct pair {
    struct lab *lab;
    struct sshd inner;
    struct ssh_key *key;
    struct ssh_host host;
};

static int setup(void **state)
{
    struct pair *p = mem_calloc(1, sizeof *p);
    p->lab = lab_new("");
    shell_in(p->lab->folder,
             "mkdir inner; cp hk_ed25519 ca.pub inner; cd inner; ssh-keygen -q -t ed25519 -N '' -f plain; "
             "ssh-keygen -q -t ed25519 -N '' -f hk_inner; cp plain.pub authorized_keys");
    AUTO_FREE char *folder = str_format("%s/inner", p->lab->folder);
    p->inner = sshd_start(folder, "hk_inner", "");
    p->key = read_key(folder, "plain", NULL, NULL);
    p->host = p->lab->host;
    p->host.port = p->inner.port;
    p->host.key = p->key;
    know(p->lab->known, folder, "hk_inner", p->inner.port);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct pair *p = *state;
    sshd_stop(&p->inner);
    ssh_key_free(p->key);
    lab_free(p->lab);
    free(p);
    return 0;
}

static struct ssh *connect_through(const struct pair *p, const struct ssh_policy *policy)
{
    struct ssh *ssh = NULL;
    struct sc_err err = {0};
    if (ssh_connect(&p->lab->ctx, policy, &p->host, &p->lab->host, &ssh, &err) < 0)
        fail_msg("%s", err.text);
    return ssh;
}

static void a_host_behind_a_bastion_is_reached(void **state)
{
    const struct pair *p = *state;
    int fds = count_fds();
    struct ssh *ssh = connect_through(p, &p->lab->policy);
    AUTO_FREE char *port = run_text(ssh, &p->lab->ctx, "echo ${SSH_CONNECTION##* }");
    assert_int_equal(atoi(port), p->inner.port);
    ssh_close(ssh);
    assert_int_equal(count_fds(), fds);
}

static void data_goes_both_ways_whole(void **state)
{
    const struct pair *p = *state;
    struct ssh *ssh = connect_through(p, &p->lab->policy);
    char *data = mem_calloc(BIG, 1);
    for (size_t i = 0; i < BIG; i++)
        data[i] = (char)(i * 2654435761u >> 13);
    struct source_memory input;
    struct ssh_output output = {.out.max = BIG + 1};
    struct sc_err err = {0};
    source_memory_init(&input, data, BIG);
    if (ssh_run(ssh, &p->lab->ctx, "cat", &input.source, &output, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(output.out.len, BIG);
    assert_memory_equal(output.out.data, data, BIG);
    ssh_output_free(&output);
    free(data);
    ssh_close(ssh);
}

/* The reader rests longer than silence is borne: the tunnel must neither spin nor take the bastion for dead.
 */
static void a_slow_reader_is_no_dead_bastion(void **state)
{
    const struct pair *p = *state;
    struct ssh_policy policy = p->lab->policy;
    policy.silence_ms = 1500;
    struct ssh *ssh = connect_through(p, &policy);
    struct ssh_stream *stream;
    struct sc_err err = {0};
    assert_int_equal(ssh_stream_open(ssh, &p->lab->ctx, "head -c 64000000 /dev/zero", &stream, &err), 0);
    struct source *source = ssh_stream_source(stream);
    char *chunk = mem_calloc(65536, 1);
    size_t got, total = 0;
    struct timespec before, after;
    do {
        if (source->read(source, &p->lab->ctx, chunk, 65536, &got, &err) < 0)
            fail_msg("%s", err.text);
        if (total == 0) {
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
            pause_ms(3000);
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
        }
        total += got;
    } while (got);
    assert_int_equal(total, 64000000);
    assert_true(after.tv_sec - before.tv_sec < 2);
    free(chunk);
    ssh_stream_close(stream);
    ssh_close(ssh);
}

static int try_through(const struct pair *p, const struct ssh_host *host, const struct ssh_host *bastion,
                       struct sc_err *err)
{
    struct ssh *ssh;
    int fds = count_fds();
    int result = ssh_connect(&p->lab->ctx, &p->lab->policy, host, bastion, &ssh, err);
    if (result == 0)
        ssh_close(ssh);
    assert_int_equal(count_fds(), fds);
    return result;
}

static void it_is_told_which_of_the_two_failed(void **state)
{
    const struct pair *p = *state;
    AUTO_FREE char *bastion_name =
        str_format("%s@127.0.0.1:%d: bastion %s@127.0.0.1:", user_name(), p->inner.port, user_name());
    AUTO_ERR struct sc_err err = {0};

    struct ssh_host bastion = p->lab->host, host = p->host;
    bastion.port = free_port();
    assert_int_equal(try_through(p, &host, &bastion, &err), -1);
    assert_int_equal(err.kind, ERR_NETWORK);
    assert_contains(err.text, bastion_name);
    assert_contains(err.text, ": connection refused");

    bastion = p->lab->host;
    bastion.key = p->key;
    assert_int_equal(try_through(p, &host, &bastion, &err), -1);
    assert_int_equal(err.kind, ERR_AUTH);
    assert_contains(err.text, bastion_name);

    host.key = p->lab->key;
    assert_int_equal(try_through(p, &host, &p->lab->host, &err), -1);
    assert_int_equal(err.kind, ERR_AUTH);
    assert_null(strstr(err.text, "bastion"));

    host = p->host;
    host.port = free_port();
    assert_int_equal(try_through(p, &host, &p->lab->host, &err), -1);
    assert_int_equal(err.kind, ERR_NETWORK);
    assert_contains(err.text, "cannot reach 127.0.0.1 port ");
    assert_contains(err.hint, "AllowTcpForwarding");
}

static void a_bastion_that_forbids_tunnels_is_told(void **state)
{
    const struct pair *p = *state;
    struct sshd closed = sshd_start(p->lab->folder, "hk_ed25519", "AllowTcpForwarding no");
    know(p->lab->known, p->lab->folder, "hk_ed25519", closed.port);
    struct ssh_host bastion = p->lab->host;
    AUTO_ERR struct sc_err err = {0};
    bastion.port = closed.port;
    assert_int_equal(try_through(p, &p->host, &bastion, &err), -1);
    assert_contains(err.text, "administratively prohibited");
    assert_contains(err.hint, "AllowTcpForwarding");
    sshd_stop(&closed);
}

static void the_bastions_host_key_is_checked_too(void **state)
{
    const struct pair *p = *state;
    struct known_hosts *known = known_hosts_new();
    AUTO_FREE char *folder = str_format("%s/inner", p->lab->folder);
    know(known, folder, "hk_inner", p->inner.port);
    struct ssh_policy policy = {.mode = HOST_KEY_STRICT, .known = known};
    struct ssh *ssh;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(ssh_connect(&p->lab->ctx, &policy, &p->host, &p->lab->host, &ssh, &err), -1);
    assert_int_equal(err.kind, ERR_HOST_KEY);
    assert_contains(err.text, "bastion ");
    known_hosts_free(known);
}

static void a_host_behind_a_bastion_is_scanned_from_there(void **state)
{
    const struct pair *p = *state;
    struct known_hosts *known = known_hosts_new();
    know(known, p->lab->folder, "hk_ed25519", p->lab->sshd.port);
    struct ssh_policy policy = {.mode = HOST_KEY_STRICT, .known = known};
    struct ssh *ssh;
    AUTO_ERR struct sc_err err = {0};
    AUTO_FREE char *scan = str_format("ssh -p %d %s@127.0.0.1 ssh-keyscan -t ed25519 -p %d 127.0.0.1 >> ",
                                      p->lab->sshd.port, user_name(), p->inner.port);
    assert_int_equal(ssh_connect(&p->lab->ctx, &policy, &p->host, &p->lab->host, &ssh, &err), -1);
    assert_int_equal(err.kind, ERR_HOST_KEY);
    assert_contains(err.hint, scan);
    known_hosts_free(known);
}

static pid_t newest_child(pid_t parent)
{
    AUTO_FREE char *command = str_format("pgrep -n -P %d", (int)parent);
    char line[32] = "";
    FILE *f = popen(command, "r");
    assert_non_null(f);
    bool found = fgets(line, sizeof line, f);
    pclose(f);
    return found ? atoi(line) : 0;
}

/* The process of the bastion's sshd that serves the connection made last: the monitor that the listener has
 * forked, or for other users than root the child of that. */
static pid_t bastion_process(const struct pair *p)
{
    pid_t monitor = newest_child(p->lab->sshd.pid);
    assert_true(monitor > 1);
    pid_t served = newest_child(monitor);
    return served ? served : monitor;
}

static void a_bastion_that_dies_is_told(void **state)
{
    const struct pair *p = *state;
    struct ssh *ssh = connect_through(p, &p->lab->policy);
    struct ssh_output output = {0};
    AUTO_ERR struct sc_err err = {0};
    kill(bastion_process(p), SIGKILL);
    assert_int_equal(ssh_run(ssh, &p->lab->ctx, "sleep 5", NULL, &output, &err), -1);
    assert_int_equal(err.kind, ERR_NETWORK);
    assert_contains(err.text, "bastion ");
    assert_contains(err.text, "the server ended the connection");
    ssh_output_free(&output);
    ssh_close(ssh);
}

/* Whether it is talked to or listened to: in the first case, packets are half sent when it is given up. */
static void a_bastion_that_freezes_is_told(void **state)
{
    static const char *const commands[] = {"sleep 20", "cat >/dev/null"};
    const struct pair *p = *state;
    struct ssh_policy policy = p->lab->policy;
    char *data = mem_calloc(4, BIG);
    policy.silence_ms = 2000;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct ssh *ssh = connect_through(p, &policy);
        struct ssh_output output = {0};
        struct source_memory input;
        AUTO_ERR struct sc_err err = {0};
        pid_t bastion = bastion_process(p);
        kill(bastion, SIGSTOP);
        int64_t start = ctx_now_ms();
        source_memory_init(&input, data, (size_t)4 * BIG);
        assert_int_equal(ssh_run(ssh, &p->lab->ctx, commands[i], &input.source, &output, &err), -1);
        assert_int_equal(err.kind, ERR_NETWORK);
        assert_contains(err.text, "no sign of life");
        assert_true(ctx_now_ms() - start < 3500);
        start = ctx_now_ms();
        ssh_output_free(&output);
        ssh_close(ssh);
        assert_true(ctx_now_ms() - start < 500);
        kill(bastion, SIGKILL);
    }
    free(data);
}

static void an_inner_server_that_dies_is_told(void **state)
{
    const struct pair *p = *state;
    struct ssh *ssh = connect_through(p, &p->lab->policy);
    struct ssh_output output = {0};
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(ssh_run(ssh, &p->lab->ctx, "kill -9 $PPID; sleep 5", NULL, &output, &err), -1);
    assert_int_equal(err.kind, ERR_NETWORK);
    assert_contains(err.text, "the server ended the connection");
    assert_null(strstr(err.text, "bastion"));
    ssh_output_free(&output);
    ssh_close(ssh);
}

/* ---- connections of this process ---- */

/* A server that sends back what it gets, and ends when the other side has. */
static pid_t echo_start(const struct pair *p, int port)
{
    static const char program[] =
        "import socketserver, sys\n"
        "class Echo(socketserver.BaseRequestHandler):\n"
        "    def handle(self):\n"
        "        while data := self.request.recv(65536): self.request.sendall(data)\n"
        "socketserver.ThreadingTCPServer.allow_reuse_address = True\n"
        "socketserver.ThreadingTCPServer.request_queue_size = 64\n"
        "socketserver.ThreadingTCPServer(('127.0.0.1', int(sys.argv[1])), Echo).serve_forever()\n";
    AUTO_FREE char *text = str_format("%d", port), *log = str_format("%s/echo.log", p->lab->folder);
    const char *argv[] = {"/usr/bin/python3", "-c", program, text, NULL};
    pid_t pid = start_program(argv, log);
    wait_for_port(pid, port, log);
    return pid;
}

static struct tunnel *listen_for(const struct pair *p, int port)
{
    struct tunnel *tunnel = NULL;
    AUTO_ERR struct sc_err err = {0};
    if (tunnel_listen(lab_connect(p->lab), &p->lab->ctx, "127.0.0.1", port, &tunnel, &err) < 0)
        fail_msg("%s", err.text);
    return tunnel;
}

static int dial_tunnel(const struct tunnel *tunnel)
{
    const char *name = tunnel_socket(tunnel);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    assert_int_equal(name[0], '@');
    memcpy(at.sun_path + 1, name + 1, strlen(name + 1));
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&at, len) == 0)
        return fd;
    close(fd);
    return -1;
}

/* What comes until the end, at most a second after the last byte. */
static size_t read_all(int fd, char *data, size_t cap)
{
    size_t len = 0;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (len < cap && poll(&ready, 1, 10000) == 1) {
        ssize_t n = read(fd, data + len, cap - len);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    return len;
}

enum { CONNECTIONS = 12, MESSAGE = 600 * 1000 };

/* All are open at the same time, and each gets its own bytes back. */
static void many_connections_share_a_session(void **state)
{
    const struct pair *p = *state;
    int port = free_port(), ends[CONNECTIONS], fds = count_fds();
    pid_t echo = echo_start(p, port);
    struct tunnel *tunnel = listen_for(p, port);
    char *sent = mem_calloc(MESSAGE, 1), *got = mem_calloc(MESSAGE + 1, 1);
    for (int i = 0; i < CONNECTIONS; i++) {
        ends[i] = dial_tunnel(tunnel);
        assert_true(ends[i] >= 0);
        memset(sent, 'a' + i, MESSAGE);
        assert_int_equal(write(ends[i], sent, MESSAGE / 100), MESSAGE / 100);
    }
    for (int i = CONNECTIONS; i-- > 0;) {
        memset(sent, 'a' + i, MESSAGE);
        assert_int_equal(read_all(ends[i], got, MESSAGE / 100), MESSAGE / 100);
        assert_memory_equal(got, sent, MESSAGE / 100);
        assert_int_equal(write(ends[i], sent, MESSAGE), MESSAGE);
        shutdown(ends[i], SHUT_WR);
        assert_int_equal(read_all(ends[i], got, MESSAGE + 1), MESSAGE);
        assert_memory_equal(got, sent, MESSAGE);
        close(ends[i]);
    }
    assert_int_equal(tunnel_check(tunnel, NULL, NULL), 0);
    tunnel_close(tunnel);
    stop_program(echo);
    free(sent);
    free(got);
    assert_int_equal(count_fds(), fds);
}

static void a_connection_that_cannot_be_made_is_told_and_the_next_one_tried(void **state)
{
    const struct pair *p = *state;
    int port = free_port();
    char byte = 0;
    bool broken = true;
    struct tunnel *tunnel = listen_for(p, port);
    AUTO_ERR struct sc_err err = {0};
    int fd = dial_tunnel(tunnel);
    assert_int_equal(read_all(fd, &byte, 1), 0);
    close(fd);
    assert_int_equal(tunnel_check(tunnel, &broken, &err), -1);
    assert_false(broken);
    assert_int_equal(err.kind, ERR_NETWORK);
    assert_contains(err.text, "cannot reach 127.0.0.1 port ");

    pid_t echo = echo_start(p, port);
    fd = dial_tunnel(tunnel);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(read_all(fd, &byte, 1), 1);
    assert_int_equal(byte, 'x');
    close(fd);
    assert_int_equal(tunnel_check(tunnel, &broken, &err), 0);
    tunnel_close(tunnel);
    stop_program(echo);
}

static void another_process_is_refused(void **state)
{
    const struct pair *p = *state;
    int port = free_port(), status;
    pid_t echo = echo_start(p, port);
    struct tunnel *tunnel = listen_for(p, port);
    pid_t stranger = fork();
    if (stranger == 0) {
        char byte;
        int fd = dial_tunnel(tunnel);
        if (fd < 0 || write(fd, "x", 1) < 0)
            _exit(0);
        _exit(read_all(fd, &byte, 1) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(stranger, &status, 0), stranger);
    assert_int_equal(status, 0);
    tunnel_close(tunnel);
    stop_program(echo);
}

static void a_server_that_dies_ends_all_its_connections(void **state)
{
    const struct pair *p = *state;
    int port = free_port();
    char byte;
    bool broken = false;
    pid_t echo = echo_start(p, port);
    struct tunnel *tunnel = listen_for(p, port);
    AUTO_ERR struct sc_err err = {0};
    int fd = dial_tunnel(tunnel);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(read_all(fd, &byte, 1), 1);
    kill(bastion_process(p), SIGKILL);
    assert_int_equal(read_all(fd, &byte, 1), 0);
    close(fd);
    assert_int_equal(tunnel_check(tunnel, &broken, &err), -1);
    assert_true(broken);
    assert_contains(err.text, "the server ended the connection");
    assert_int_equal(dial_tunnel(tunnel), -1);
    tunnel_close(tunnel);
    stop_program(echo);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_behind_a_bastion_is_reached),
        cmocka_unit_test(data_goes_both_ways_whole),
        cmocka_unit_test(a_slow_reader_is_no_dead_bastion),
        cmocka_unit_test(it_is_told_which_of_the_two_failed),
        cmocka_unit_test(a_bastion_that_forbids_tunnels_is_told),
        cmocka_unit_test(the_bastions_host_key_is_checked_too),
        cmocka_unit_test(a_host_behind_a_bastion_is_scanned_from_there),
        cmocka_unit_test(a_bastion_that_dies_is_told),
        cmocka_unit_test(a_bastion_that_freezes_is_told),
        cmocka_unit_test(an_inner_server_that_dies_is_told),
        cmocka_unit_test(many_connections_share_a_session),
        cmocka_unit_test(a_connection_that_cannot_be_made_is_told_and_the_next_one_tried),
        cmocka_unit_test(another_process_is_refused),
        cmocka_unit_test(a_server_that_dies_ends_all_its_connections),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
