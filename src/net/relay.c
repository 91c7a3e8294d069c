#include "relay.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "session.h"
#include "wire.h"

static bool is_empty(const struct flow *f)
{
    return f->at == f->len;
}

static void fill(struct flow *f, size_t len)
{
    f->at = 0;
    f->len = len;
}

/* Each of the four steps moves what can be moved without waiting, and notes that it did. */

static int read_channel(struct relay *r, bool *moved, struct sc_err *err)
{
    struct flow *f = &r->down;
    if (!is_empty(f) || f->ended)
        return 0;
    ssize_t n = libssh2_channel_read(r->channel, f->data, RELAY_CHUNK);
    if (n == LIBSSH2_ERROR_EAGAIN)
        return 0;
    if (n < 0)
        return session_fail(r->via, (int)n, "the tunnel broke", err);
    fill(f, (size_t)n);
    f->ended = n == 0;
    *moved = true;
    return 0;
}

static int write_channel(struct relay *r, bool *moved, struct sc_err *err)
{
    struct flow *f = &r->up;
    if (f->passed || (is_empty(f) && !f->ended) || !session_may_send(r->via))
        return 0;
    ssize_t n = is_empty(f) ? libssh2_channel_send_eof(r->channel)
                            : libssh2_channel_write(r->channel, f->data + f->at, f->len - f->at);
    if (n == LIBSSH2_ERROR_EAGAIN)
        return 0;
    if (n < 0)
        return session_fail(r->via, (int)n, "the tunnel broke", err);
    f->passed = is_empty(f);
    f->at += (size_t)n;
    *moved = true;
    return 0;
}

static int read_socket(struct relay *r, bool *moved, struct sc_err *err)
{
    struct flow *f = &r->up;
    if (!is_empty(f) || f->ended)
        return 0;
    ssize_t n = recv(r->fd, f->data, RELAY_CHUNK, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0)
        return err_set_errno(err, ERR_SYSTEM, "the tunnel's socket broke");
    fill(f, (size_t)n);
    f->ended = n == 0;
    *moved = true;
    return 0;
}

static int write_socket(struct relay *r, bool *moved, struct sc_err *err)
{
    struct flow *f = &r->down;
    if (f->passed || (is_empty(f) && !f->ended))
        return 0;
    if (is_empty(f)) {
        shutdown(r->fd, SHUT_WR);
        f->passed = *moved = true;
        return 0;
    }
    ssize_t n = send(r->fd, f->data + f->at, f->len - f->at, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0)
        return err_set_errno(err, ERR_SYSTEM, "the tunnel's socket broke");
    f->at += (size_t)n;
    *moved = true;
    return 0;
}

int relay_move(struct relay *r, bool *moved, struct sc_err *err)
{
    if (read_channel(r, moved, err) < 0 || write_socket(r, moved, err) < 0 || read_socket(r, moved, err) < 0)
        return -1;
    return write_channel(r, moved, err);
}

bool relay_done(const struct relay *r)
{
    return r->up.passed && r->down.passed;
}

/* Where there is room for it, or where it may bring the window that the way up waits for. */
bool relay_listens(const struct relay *r)
{
    return (is_empty(&r->down) && !r->down.ended) || (!is_empty(&r->up) && session_may_send(r->via));
}

short relay_events(const struct relay *r)
{
    short events = is_empty(&r->up) && !r->up.ended ? POLLIN : 0;
    if (!is_empty(&r->down))
        events |= POLLOUT;
    return events;
}

/* libssh2_channel_direct_tcpip has a fixed window of half the size. Message: RFC 4254, section 7.2. */
LIBSSH2_CHANNEL *relay_open(struct ssh *via, const char *host, int port)
{
    static const char type[] = "direct-tcpip", origin[] = "127.0.0.1";
    AUTO_BUF struct buf message = {0};
    wire_put_string(&message, host, strlen(host));
    wire_put_u32(&message, (uint32_t)port);
    wire_put_string(&message, origin, strlen(origin));
    wire_put_u32(&message, 0);
    return libssh2_channel_open_ex(via->lib, type, sizeof type - 1, session_window(via), SESSION_PACKET,
                                   message.data, (unsigned)message.len);
}

int relay_open_failed(struct ssh *via, const char *host, int port, struct sc_err *err)
{
    char *message = NULL;
    int rc = libssh2_session_last_error(via->lib, &message, NULL, 0);
    if (rc != LIBSSH2_ERROR_CHANNEL_FAILURE) {
        session_fail(via, rc, "opening a tunnel", err);
        return err_wrap(err, "%s", via->name);
    }
    err_set(err, ERR_NETWORK, "%s cannot reach %s port %d: %s", via->name, host, port, message);
    return err_hint(err,
                    "try it there: nc -zv %s %d; if that works, sshd may forbid tunnels (AllowTcpForwarding, "
                    "PermitOpen)",
                    host, port);
}
