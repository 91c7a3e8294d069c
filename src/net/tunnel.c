#include "tunnel.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "session.h"
#include "wire.h"

enum { CHUNK = 64 * 1024 };

/* Bytes that were taken from one side and not yet given to the other. */
struct flow {
    char data[CHUNK];
    size_t at, len;
    bool ended;  /* the side that gives has ended */
    bool passed; /* and the side that takes was told */
};

struct tunnel {
    struct ssh *via;
    LIBSSH2_CHANNEL *channel;
    int fd;
    struct flow up, down; /* from fd into the channel, and back */
    struct cancel *stop;
    struct ctx ctx;
    pthread_t thread;
    pthread_mutex_t lock;
    struct sc_err err; /* why the thread ended by itself; behind the lock */
};

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

static int read_channel(struct tunnel *t, bool *moved, struct sc_err *err)
{
    struct flow *f = &t->down;
    if (!is_empty(f) || f->ended)
        return 0;
    ssize_t n = libssh2_channel_read(t->channel, f->data, CHUNK);
    if (n == LIBSSH2_ERROR_EAGAIN)
        return 0;
    if (n < 0)
        return session_fail(t->via, (int)n, "the tunnel broke", err);
    fill(f, (size_t)n);
    f->ended = n == 0;
    *moved = true;
    return 0;
}

static int write_channel(struct tunnel *t, bool *moved, struct sc_err *err)
{
    struct flow *f = &t->up;
    if (f->passed || (is_empty(f) && !f->ended) || !session_may_send(t->via))
        return 0;
    ssize_t n = is_empty(f) ? libssh2_channel_send_eof(t->channel)
                            : libssh2_channel_write(t->channel, f->data + f->at, f->len - f->at);
    if (n == LIBSSH2_ERROR_EAGAIN)
        return 0;
    if (n < 0)
        return session_fail(t->via, (int)n, "the tunnel broke", err);
    f->passed = is_empty(f);
    f->at += (size_t)n;
    *moved = true;
    return 0;
}

static int read_socket(struct tunnel *t, bool *moved, struct sc_err *err)
{
    struct flow *f = &t->up;
    if (!is_empty(f) || f->ended)
        return 0;
    ssize_t n = recv(t->fd, f->data, CHUNK, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0)
        return err_set_errno(err, ERR_SYSTEM, "the tunnel's socket broke");
    fill(f, (size_t)n);
    f->ended = n == 0;
    *moved = true;
    return 0;
}

static int write_socket(struct tunnel *t, bool *moved, struct sc_err *err)
{
    struct flow *f = &t->down;
    if (f->passed || (is_empty(f) && !f->ended))
        return 0;
    if (is_empty(f)) {
        shutdown(t->fd, SHUT_WR);
        f->passed = *moved = true;
        return 0;
    }
    ssize_t n = send(t->fd, f->data + f->at, f->len - f->at, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0)
        return err_set_errno(err, ERR_SYSTEM, "the tunnel's socket broke");
    f->at += (size_t)n;
    *moved = true;
    return 0;
}

/* Input from the server is waited for only where there is room for it, or where it may bring the window that
 * the way up waits for. */
static bool listens(const struct tunnel *t)
{
    return (is_empty(&t->down) && !t->down.ended) || (!is_empty(&t->up) && session_may_send(t->via));
}

static short socket_events(const struct tunnel *t)
{
    short events = is_empty(&t->up) && !t->up.ended ? POLLIN : 0;
    if (!is_empty(&t->down))
        events |= POLLOUT;
    return events;
}

static int wait_for_any(struct tunnel *t, struct sc_err *err)
{
    bool listening = listens(t);
    short remote = session_events(t->via) | (listening ? POLLIN : 0), local = socket_events(t);
    struct pollfd fds[] = {
        {.fd = remote ? t->via->fd : -1, .events = remote},
        {.fd = local ? t->fd : -1,       .events = local },
        {.fd = cancel_fd(t->stop),       .events = POLLIN},
    };
    int64_t start = ctx_now_ms();
    if (poll(fds, 3, (int)session_patience_ms(t->via)) < 0 && errno != EINTR)
        return err_set_errno(err, ERR_SYSTEM, "poll");
    if (cancel_fired(t->stop))
        return err_set(err, ERR_CANCELLED, "closed");
    /* A server that was not listened to cannot be called silent. */
    return session_waited(t->via, fds[0].revents, listening ? ctx_now_ms() - start : 0, err);
}

static int pump(struct tunnel *t, struct sc_err *err)
{
    while (!t->up.passed || !t->down.passed) {
        bool moved = false;
        if (read_channel(t, &moved, err) < 0 || write_socket(t, &moved, err) < 0 ||
            read_socket(t, &moved, err) < 0 || write_channel(t, &moved, err) < 0)
            return -1;
        if (moved ? ctx_check(&t->ctx, err) < 0 : wait_for_any(t, err) < 0)
            return -1;
    }
    return 0;
}

static void *run(void *arg)
{
    struct tunnel *t = arg;
    AUTO_ERR struct sc_err err = {0};
    if (pump(t, &err) < 0 && err.kind != ERR_CANCELLED) {
        pthread_mutex_lock(&t->lock);
        err_move(&t->err, &err);
        pthread_mutex_unlock(&t->lock);
    }
    shutdown(t->fd, SHUT_RDWR);
    return NULL;
}

static int fail_channel(struct ssh *via, const char *host, int port, struct sc_err *err)
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

/* libssh2_channel_direct_tcpip has a fixed window of half the size. Message: RFC 4254, section 7.2. */
static int open_channel(struct ssh *via, const struct ctx *ctx, const char *host, int port,
                        LIBSSH2_CHANNEL **out, struct sc_err *err)
{
    static const char type[] = "direct-tcpip", origin[] = "127.0.0.1";
    AUTO_BUF struct buf message = {0};
    struct ctx limit = ctx_within(ctx, SSH_CONNECT_MS);
    wire_put_string(&message, host, strlen(host));
    wire_put_u32(&message, (uint32_t)port);
    wire_put_string(&message, origin, strlen(origin));
    wire_put_u32(&message, 0);
    while (!(*out = libssh2_channel_open_ex(via->lib, type, sizeof type - 1, SESSION_WINDOW, SESSION_PACKET,
                                            message.data, (unsigned)message.len))) {
        if (libssh2_session_last_errno(via->lib) != LIBSSH2_ERROR_EAGAIN)
            return fail_channel(via, host, port, err);
        if (session_wait(via, &limit, err) < 0) {
            session_explain_timeout(ctx, "opening a tunnel to the host", SSH_CONNECT_MS, err);
            return err_wrap(err, "%s", via->name);
        }
    }
    return 0;
}

static int make_ends(struct tunnel *t, int *fd, struct sc_err *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
        return err_set_errno(err, ERR_SYSTEM, "cannot make a socket");
    t->fd = ends[0];
    *fd = ends[1];
    return 0;
}

static void destroy(struct tunnel *t)
{
    if (t->fd >= 0)
        close(t->fd);
    cancel_free(t->stop);
    pthread_mutex_destroy(&t->lock);
    err_clear(&t->err);
    free(t);
}

int tunnel_open(struct ssh *via, const struct ctx *ctx, const char *host, int port, struct tunnel **out,
                int *fd, struct sc_err *err)
{
    LIBSSH2_CHANNEL *channel;
    if (open_channel(via, ctx, host, port, &channel, err) < 0)
        return -1;
    struct tunnel *t = mem_calloc(1, sizeof *t);
    t->via = via;
    t->channel = channel;
    t->fd = -1;
    t->stop = cancel_new();
    t->ctx =
        (struct ctx){.log = ctx->log, .cancel = t->stop, .deadline_ms = CTX_NO_DEADLINE, .who = ctx->who};
    pthread_mutex_init(&t->lock, NULL);
    if (make_ends(t, fd, err) < 0) {
        destroy(t);
        return -1;
    }
    if (pthread_create(&t->thread, NULL, run, t) != 0) {
        close(*fd);
        destroy(t);
        return err_set(err, ERR_SYSTEM, "cannot start a thread for the tunnel");
    }
    *out = t;
    return 0;
}

int tunnel_check(struct tunnel *tunnel, struct sc_err *err)
{
    pthread_mutex_lock(&tunnel->lock);
    bool broken = tunnel->err.kind != ERR_NONE;
    if (broken)
        err_set(err, tunnel->err.kind, "%s: %s", tunnel->via->name, tunnel->err.text);
    pthread_mutex_unlock(&tunnel->lock);
    return broken ? -1 : 0;
}

void tunnel_close(struct tunnel *tunnel)
{
    if (!tunnel)
        return;
    cancel_fire(tunnel->stop);
    pthread_join(tunnel->thread, NULL);
    ssh_close(tunnel->via);
    destroy(tunnel);
}
