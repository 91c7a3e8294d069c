#include "sshd.h"

#include "../../../src/net/dial.h"

static const struct ctx no_limit = {.deadline_ms = CTX_NO_DEADLINE};

static void a_connection_is_made_as_it_should_be(void **state)
{
    (void)state;
    int port, fd, on = 0;
    socklen_t len = sizeof on;
    struct sc_err err = {0};
    AUTO_CLOSE int listener = listen_anywhere(&port);
    if (dial(&no_limit, "127.0.0.1", port, &fd, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &len), 0);
    assert_int_equal(on, 1);
    close(fd);
    assert_true(listener >= 0);
}

static void a_refused_port_is_told(void **state)
{
    (void)state;
    int fd, fds = count_fds();
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(dial(&no_limit, "127.0.0.1", free_port(), &fd, &err), -1);
    assert_int_equal(err.kind, ERR_NETWORK);
    assert_string_equal(err.text, "connection refused");
    assert_contains(err.hint, "is sshd running there");
    assert_int_equal(count_fds(), fds);
}

static void ipv6_is_dialled(void **state)
{
    (void)state;
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    socklen_t len = sizeof at;
    AUTO_CLOSE int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) < 0)
        skip(); /* this machine has no IPv6 */
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    int fd;
    struct sc_err err = {0};
    if (dial(&no_limit, "::1", ntohs(at.sin6_port), &fd, &err) < 0)
        fail_msg("%s", err.text);
    close(fd);
}

/* localhost is ::1 and 127.0.0.1 (or one of them): whichever comes first, the one that listens is found. */
static void the_next_address_is_tried(void **state)
{
    (void)state;
    int port, fd;
    struct sc_err err = {0};
    AUTO_CLOSE int listener = listen_anywhere(&port);
    if (dial(&no_limit, "localhost", port, &fd, &err) < 0)
        fail_msg("%s", err.text);
    close(fd);
    assert_true(listener >= 0);
}

/* A listener whose queue is full drops what comes next, as a firewall does. */
static int fill_up(int *port, int *fill, size_t n)
{
    struct sockaddr_in at = loopback(0);
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    for (size_t i = 0; i < n; i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fill[i], (struct sockaddr *)&at, sizeof at), -1);
    }
    pause_ms(50);
    return fd;
}

static void a_black_hole_runs_into_the_deadline(void **state)
{
    (void)state;
    int port, fd, fill[4];
    AUTO_ERR struct sc_err err = {0};
    AUTO_CLOSE int listener = fill_up(&port, fill, 4);
    struct ctx ctx = ctx_within(&no_limit, 300);
    int64_t start = ctx_now_ms();
    assert_int_equal(dial(&ctx, "127.0.0.1", port, &fd, &err), -1);
    assert_int_equal(err.kind, ERR_TIMEOUT);
    assert_in_range(ctx_now_ms() - start, 290, 1000);
    start = ctx_now_ms();
    assert_int_equal(dial(&no_limit, "127.0.0.1", port, &fd, &err), -1);
    assert_int_equal(err.kind, ERR_NETWORK);
    assert_string_equal(err.text, "no answer within 10.0 s");
    assert_contains(err.hint, "firewall");
    assert_in_range(ctx_now_ms() - start, SSH_CONNECT_MS - 10, SSH_CONNECT_MS + 1000);
    for (size_t i = 0; i < 4; i++)
        close(fill[i]);
    assert_true(listener >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_is_made_as_it_should_be),
        cmocka_unit_test(a_refused_port_is_told),
        cmocka_unit_test(ipv6_is_dialled),
        cmocka_unit_test(the_next_address_is_tried),
        cmocka_unit_test(a_black_hole_runs_into_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
