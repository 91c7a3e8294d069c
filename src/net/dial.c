#include "dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "resolve.h"
#include "snapctl/base/str.h"
#include "snapctl/net/ssh.h"

enum { KEEPALIVE_IDLE_S = 15, KEEPALIVE_INTERVAL_S = 5, KEEPALIVE_COUNT = 3 };

static const char firewall[] = "is the host up, and does a firewall let this port through?";

static const struct {
    int number;
    const char *text, *hint;
} reasons[] = {
    {ECONNREFUSED, "connection refused",
     "the host is up, but nothing listens on that port: is sshd running there, and is the port right?"},
    {EHOSTUNREACH, "no route to host",       "is the host up, and the address right?"                 },
    {ENETUNREACH,  "network is unreachable", "has this machine a route to that network?"              },
    {ETIMEDOUT,    "no answer",              firewall                                                 },
};

static int fail(int number, struct sc_err *err)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].number == number) {
            err_set(err, ERR_NETWORK, "%s", reasons[i].text);
            return err_hint(err, "%s", reasons[i].hint);
        }
    errno = number;
    return err_set_errno(err, ERR_NETWORK, "cannot connect");
}

static int no_answer(int64_t ms, struct sc_err *err)
{
    AUTO_FREE char *limit = str_duration(ms);
    err_set(err, ERR_NETWORK, "no answer within %s", limit);
    return err_hint(err, "%s", firewall);
}

/* Keeps entries in firewalls alive, and finds a dead host, while nobody reads from the session. */
static void set_options(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY,   1                   },
        {SOL_SOCKET,  SO_KEEPALIVE,  1                   },
        {IPPROTO_TCP, TCP_KEEPIDLE,  KEEPALIVE_IDLE_S    },
        {IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S},
        {IPPROTO_TCP, TCP_KEEPCNT,   KEEPALIVE_COUNT     },
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof options[i].value);
}

static int wait_connected(const struct ctx *ctx, int fd, int64_t share_ms, struct sc_err *err)
{
    int number = 0;
    socklen_t len = sizeof number;
    int events = ctx_wait(ctx, fd, POLLOUT, share_ms, err);
    if (events < 0)
        return -1;
    if (events == 0)
        return no_answer(share_ms, err);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &len) < 0)
        return err_set_errno(err, ERR_NETWORK, "cannot connect");
    return number ? fail(number, err) : 0;
}

static int connect_fd(const struct ctx *ctx, int fd, const struct addrinfo *to, int64_t share_ms,
                      struct sc_err *err)
{
    if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
        return 0;
    return errno == EINPROGRESS ? wait_connected(ctx, fd, share_ms, err) : fail(errno, err);
}

static int connect_one(const struct ctx *ctx, const struct addrinfo *to, int64_t share_ms, int *fd,
                       struct sc_err *err)
{
    *fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return err_set_errno(err, ERR_NETWORK, "cannot make a socket");
    set_options(*fd);
    if (connect_fd(ctx, *fd, to, share_ms, err) == 0)
        return 0;
    close(*fd);
    return -1;
}

static int64_t count(const struct addrinfo *list)
{
    int64_t n = 0;
    for (; list; list = list->ai_next)
        n++;
    return n;
}

static int connect_any(const struct ctx *ctx, const struct addrinfo *list, int *fd, struct sc_err *err)
{
    struct ctx limit = ctx_within(ctx, SSH_CONNECT_MS);
    for (const struct addrinfo *to = list; to; to = to->ai_next) {
        if (connect_one(&limit, to, ctx_left_ms(&limit) / count(to), fd, err) == 0)
            return 0;
        if (ctx_check(&limit, NULL) < 0)
            break;
    }
    /* The last address has the whole rest, so the limit and its share end together. */
    if (ctx_check(ctx, NULL) == 0 && ctx_check(&limit, NULL) < 0)
        return no_answer(SSH_CONNECT_MS, err);
    return -1;
}

int dial(const struct ctx *ctx, const char *host, int port, int *fd, struct sc_err *err)
{
    struct addrinfo *list = NULL;
    if (resolve(ctx, host, port, &list, err) < 0)
        return -1;
    int result = connect_any(ctx, list, fd, err);
    freeaddrinfo(list);
    return result;
}
