#include "snapctl/net/tunnel.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "relay.h"
#include "session.h"
#include "snapctl/base/str.h"

enum { FIXED_FDS = 3 };

enum state { STATE_WAITING, STATE_OPENING, STATE_OPEN, STATE_CLOSING };

struct link {
    struct relay relay;
    enum state state;
    int64_t deadline_ms; /* of STATE_OPENING */
};

struct tunnel {
    struct ssh *via;
    char *host;
    int port;
    int listener; /* -1: none, and the tunnel ends with its one link */
    bool deaf;    /* no connection can be taken until a link is gone */
    char *socket;
    struct link **links;
    size_t n_links;
    struct cancel *stop;
    struct ctx ctx;
    pthread_t thread;
    pthread_mutex_t lock;
    struct sc_err err; /* see tunnel_check; behind the lock, as is broken */
    bool broken;
};

static struct link *add_link(struct tunnel *t, int fd, LIBSSH2_CHANNEL *channel)
{
    struct link *link = mem_calloc(1, sizeof *link);
    link->relay.via = t->via;
    link->relay.fd = fd;
    link->relay.channel = channel;
    link->state = channel ? STATE_OPEN : STATE_WAITING;
    t->links = mem_realloc(t->links, t->n_links + 1, sizeof(struct link *));
    t->links[t->n_links++] = link;
    return link;
}

static void free_link(struct link *link)
{
    if (link->relay.fd >= 0)
        close(link->relay.fd);
    free(link);
}

static void remove_link(struct tunnel *t, size_t i)
{
    t->deaf = false;
    free_link(t->links[i]);
    t->links[i] = t->links[--t->n_links];
}

static void tell(struct tunnel *t, bool broken, struct sc_err *err)
{
    pthread_mutex_lock(&t->lock);
    err_move(&t->err, err);
    t->broken = broken;
    pthread_mutex_unlock(&t->lock);
}

/* ---- the pump ---- */

/* The owner of the other end is told at once; the channel takes until the server has agreed. */
static void begin_closing(struct link *link)
{
    close(link->relay.fd);
    link->relay.fd = -1;
    link->state = STATE_CLOSING;
}

static bool is_own(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid == getpid();
}

static void take_connections(struct tunnel *t, bool *moved)
{
    while (t->listener >= 0 && t->n_links < TUNNEL_CONNECTIONS_MAX && !t->deaf) {
        int fd = accept4(t->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            t->deaf = errno == EMFILE || errno == ENFILE;
            return;
        }
        if (is_own(fd))
            add_link(t, fd, NULL);
        else
            close(fd);
        *moved = true;
    }
}

/* libssh2 opens one channel of a session at a time. */
static struct link *link_to_open(const struct tunnel *t)
{
    struct link *found = NULL;
    for (size_t i = 0; i < t->n_links; i++) {
        if (t->links[i]->state == STATE_OPENING)
            return t->links[i];
        if (t->links[i]->state == STATE_WAITING && !found)
            found = t->links[i];
    }
    return found;
}

/* What goes wrong with one connection leaves the others alone, unless the session itself is no good: then
 * libssh2 blames something else than the channel. told: for tunnel_check, before the other end is told by the
 * end of its connection, as who sees that asks why. */
static int link_failed(struct tunnel *t, struct link *link, bool told, struct sc_err *why, struct sc_err *err)
{
    int rc = libssh2_session_last_errno(t->via->lib);
    bool channel = rc == LIBSSH2_ERROR_CHANNEL_FAILURE || rc == LIBSSH2_ERROR_CHANNEL_CLOSED ||
                   rc == LIBSSH2_ERROR_CHANNEL_EOF_SENT || rc == LIBSSH2_ERROR_CHANNEL_UNKNOWN;
    bool own = why->kind == ERR_SYSTEM;
    if (t->listener < 0 || session_is_broken(t->via) || !(own || channel)) {
        err_move(err, why);
        return -1;
    }
    ctx_log(&t->ctx, LOG_DEBUG, "a connection through the tunnel: %s", why->text);
    if (told)
        tell(t, false, why);
    begin_closing(link);
    return 0;
}

static int open_next(struct tunnel *t, bool *moved, struct sc_err *err)
{
    struct link *link = link_to_open(t);
    AUTO_ERR struct sc_err why = {0};
    if (!link || !session_may_send(t->via))
        return 0;
    if (link->state == STATE_WAITING)
        link->deadline_ms = ctx_now_ms() + SSH_CONNECT_MS;
    link->state = STATE_OPENING;
    link->relay.channel = relay_open(t->via, t->host, t->port);
    if (!link->relay.channel && libssh2_session_last_errno(t->via->lib) == LIBSSH2_ERROR_EAGAIN) {
        /* A channel cannot be given up half open: the session with it. */
        return ctx_now_ms() < link->deadline_ms
                   ? 0
                   : err_set(err, ERR_NETWORK, "%s does not answer when asked for %s port %d", t->via->name,
                             t->host, t->port);
    }
    *moved = true;
    if (!link->relay.channel) {
        relay_open_failed(t->via, t->host, t->port, &why);
        return link_failed(t, link, true, &why, err);
    }
    link->state = STATE_OPEN;
    tell(t, false, &why);
    return 0;
}

/* true when nothing is left of its channel. */
static bool close_channel(struct link *link)
{
    return !link->relay.channel || libssh2_channel_free(link->relay.channel) != LIBSSH2_ERROR_EAGAIN;
}

static int move_link(struct tunnel *t, struct link *link, bool *moved, struct sc_err *err)
{
    AUTO_ERR struct sc_err why = {0};
    if (link->state != STATE_OPEN)
        return 0;
    if (relay_move(&link->relay, moved, &why) < 0) {
        err_wrap(&why, "%s", t->via->name);
        return link_failed(t, link, false, &why, err);
    }
    /* Nobody who comes to the listener goes on to talk when the other side has ended. */
    if (t->listener >= 0 && link->relay.down.passed) {
        begin_closing(link);
        *moved = true;
    }
    return 0;
}

static int move_all(struct tunnel *t, bool *moved, struct sc_err *err)
{
    take_connections(t, moved);
    if (open_next(t, moved, err) < 0)
        return -1;
    for (size_t i = t->n_links; i-- > 0;) {
        if (move_link(t, t->links[i], moved, err) < 0)
            return -1;
        if (t->links[i]->state == STATE_CLOSING && close_channel(t->links[i])) {
            remove_link(t, i);
            *moved = true;
        }
    }
    return 0;
}

static bool listens(const struct tunnel *t)
{
    for (size_t i = 0; i < t->n_links; i++)
        if (t->links[i]->state != STATE_OPEN || relay_listens(&t->links[i]->relay))
            return true;
    return t->n_links == 0;
}

/* One that came to the listener is always watched: where its bytes find no way on, its end must be seen all
 * the same. */
static struct pollfd link_events(const struct tunnel *t, const struct link *link)
{
    short events = link->state == STATE_OPEN ? relay_events(&link->relay) : 0;
    bool watched = events || (link->state == STATE_OPEN && t->listener >= 0);
    return (struct pollfd){.fd = watched ? link->relay.fd : -1, .events = events};
}

static int wait_for_any(struct tunnel *t, struct sc_err *err)
{
    struct pollfd fds[TUNNEL_CONNECTIONS_MAX + FIXED_FDS];
    bool listening = listens(t);
    short remote = session_events(t->via) | (listening ? POLLIN : 0);
    nfds_t n = FIXED_FDS;
    bool room = t->n_links < TUNNEL_CONNECTIONS_MAX && !t->deaf;
    fds[0] = (struct pollfd){.fd = remote ? t->via->fd : -1, .events = remote};
    fds[1] = (struct pollfd){.fd = cancel_fd(t->stop), .events = POLLIN};
    fds[2] = (struct pollfd){.fd = room ? t->listener : -1, .events = POLLIN};
    for (size_t i = 0; i < t->n_links; i++)
        fds[n++] = link_events(t, t->links[i]);
    int64_t start = ctx_now_ms();
    if (poll(fds, n, (int)session_patience_ms(t->via)) < 0 && errno != EINTR)
        return err_set_errno(err, ERR_SYSTEM, "poll");
    if (cancel_fired(t->stop))
        return err_set(err, ERR_CANCELLED, "closed");
    for (size_t i = 0; i < t->n_links && t->listener >= 0; i++)
        if (fds[FIXED_FDS + i].revents & (POLLHUP | POLLERR) && t->links[i]->state == STATE_OPEN)
            begin_closing(t->links[i]);
    /* A server that was not listened to cannot be called silent. */
    return session_waited(t->via, fds[0].revents, listening ? ctx_now_ms() - start : 0, err);
}

static bool is_over(const struct tunnel *t)
{
    return t->listener < 0 && relay_done(&t->links[0]->relay);
}

static int pump(struct tunnel *t, struct sc_err *err)
{
    while (!is_over(t)) {
        bool moved = false;
        uint64_t received = t->via->received;
        if (move_all(t, &moved, err) < 0)
            return -1;
        /* What one link read from the server may be for another that was asked before it. */
        if (moved || t->via->received != received) {
            if (ctx_check(&t->ctx, err) < 0)
                return -1;
        } else if (wait_for_any(t, err) < 0) {
            return err_wrap(err, "%s", t->via->name);
        }
    }
    return 0;
}

static void *run(void *arg)
{
    struct tunnel *t = arg;
    AUTO_ERR struct sc_err err = {0};
    if (pump(t, &err) < 0 && err.kind != ERR_CANCELLED)
        tell(t, true, &err);
    if (t->listener >= 0)
        shutdown(t->listener, SHUT_RDWR);
    for (size_t i = 0; i < t->n_links; i++)
        if (t->links[i]->relay.fd >= 0)
            shutdown(t->links[i]->relay.fd, SHUT_RDWR);
    return NULL;
}

/* ---- its owner ---- */

static struct tunnel *tunnel_new(struct ssh *via, const struct ctx *ctx, const char *host, int port)
{
    struct tunnel *t = mem_calloc(1, sizeof *t);
    t->via = via;
    t->host = str_dup(host);
    t->port = port;
    t->listener = -1;
    t->stop = cancel_new();
    t->ctx =
        (struct ctx){.log = ctx->log, .cancel = t->stop, .deadline_ms = CTX_NO_DEADLINE, .who = ctx->who};
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

static void destroy(struct tunnel *t)
{
    for (size_t i = 0; i < t->n_links; i++)
        free_link(t->links[i]);
    if (t->listener >= 0)
        close(t->listener);
    cancel_free(t->stop);
    pthread_mutex_destroy(&t->lock);
    err_clear(&t->err);
    free(t->links);
    free(t->socket);
    free(t->host);
    free(t);
}

static int start(struct tunnel *t, struct tunnel **out, struct sc_err *err)
{
    if (pthread_create(&t->thread, NULL, run, t) != 0) {
        destroy(t);
        return err_set(err, ERR_SYSTEM, "cannot start a thread for the tunnel");
    }
    *out = t;
    return 0;
}

static int open_channel(struct ssh *via, const struct ctx *ctx, const char *host, int port,
                        LIBSSH2_CHANNEL **out, struct sc_err *err)
{
    struct ctx limit = ctx_within(ctx, SSH_CONNECT_MS);
    while (!(*out = relay_open(via, host, port))) {
        if (libssh2_session_last_errno(via->lib) != LIBSSH2_ERROR_EAGAIN)
            return relay_open_failed(via, host, port, err);
        if (session_wait(via, &limit, err) < 0) {
            session_explain_timeout(ctx, "opening a tunnel to the host", SSH_CONNECT_MS, err);
            return err_wrap(err, "%s", via->name);
        }
    }
    return 0;
}

int tunnel_open(struct ssh *via, const struct ctx *ctx, const char *host, int port, struct tunnel **out,
                int *fd, struct sc_err *err)
{
    LIBSSH2_CHANNEL *channel;
    int ends[2];
    if (open_channel(via, ctx, host, port, &channel, err) < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
        return err_set_errno(err, ERR_SYSTEM, "cannot make a socket");
    struct tunnel *t = tunnel_new(via, ctx, host, port);
    add_link(t, ends[0], channel);
    if (start(t, out, err) < 0) {
        close(ends[1]);
        return -1;
    }
    *fd = ends[1];
    return 0;
}

/* The kernel chooses a name that is free: unix(7), "Autobind feature". */
static int bind_somewhere(struct tunnel *t, struct sc_err *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    socklen_t len = offsetof(struct sockaddr_un, sun_path);
    t->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (t->listener < 0 || bind(t->listener, (struct sockaddr *)&at, len) < 0 ||
        listen(t->listener, TUNNEL_CONNECTIONS_MAX) < 0)
        return err_set_errno(err, ERR_SYSTEM, "cannot make a socket for the tunnel");
    len = sizeof at;
    if (getsockname(t->listener, (struct sockaddr *)&at, &len) < 0)
        return err_set_errno(err, ERR_SYSTEM, "cannot read the name of the tunnel's socket");
    size_t name = offsetof(struct sockaddr_un, sun_path) + 1;
    t->socket = str_format("@%.*s", (int)(len - name), at.sun_path + 1);
    return 0;
}

int tunnel_listen(struct ssh *via, const struct ctx *ctx, const char *host, int port, struct tunnel **out,
                  struct sc_err *err)
{
    struct tunnel *t = tunnel_new(via, ctx, host, port);
    if (bind_somewhere(t, err) < 0) {
        destroy(t);
        return -1;
    }
    return start(t, out, err);
}

const char *tunnel_socket(const struct tunnel *tunnel)
{
    return tunnel->socket;
}

int tunnel_check(struct tunnel *tunnel, bool *broken, struct sc_err *err)
{
    pthread_mutex_lock(&tunnel->lock);
    bool failed = tunnel->err.kind != ERR_NONE;
    if (broken)
        *broken = tunnel->broken;
    if (failed)
        err_set(err, tunnel->err.kind, "%s", tunnel->err.text);
    if (failed && tunnel->err.hint)
        err_hint(err, "%s", tunnel->err.hint);
    pthread_mutex_unlock(&tunnel->lock);
    return failed ? -1 : 0;
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
