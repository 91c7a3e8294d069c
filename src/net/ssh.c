#include "snapctl/net/ssh.h"

#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "auth.h"
#include "dial.h"
#include "host_key.h"
#include "session.h"
#include "snapctl/base/retry.h"
#include "snapctl/base/str.h"

enum { RETRY_BASE_MS = 200, RETRY_CAP_MS = 2000 };

/* A semaphore that can be polled: readable while there are places. */
struct ssh_gate {
    int fd;
};

struct ssh_gate *ssh_gate_new(void)
{
    struct ssh_gate *gate = mem_calloc(1, sizeof *gate);
    gate->fd = eventfd(SSH_UNAUTHENTICATED_MAX, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
    if (gate->fd < 0)
        abort();
    return gate;
}

void ssh_gate_free(struct ssh_gate *gate)
{
    if (!gate)
        return;
    close(gate->fd);
    free(gate);
}

static int gate_enter(struct ssh_gate *gate, const struct ctx *ctx, struct sc_err *err)
{
    uint64_t one;
    while (gate && read(gate->fd, &one, sizeof one) < 0)
        if (ctx_wait(ctx, gate->fd, POLLIN, -1, err) < 0)
            return err_wrap(err, "waiting for others to authenticate");
    return 0;
}

static void gate_leave(struct ssh_gate *gate)
{
    uint64_t one = 1;
    if (gate && write(gate->fd, &one, sizeof one) < 0)
        abort();
}

void ssh_init(void)
{
    if (libssh2_init(0) != 0)
        abort();
}

void ssh_exit(void)
{
    libssh2_exit();
}

const char *ssh_library_version(void)
{
    return "libssh2/" LIBSSH2_VERSION;
}

/* A way to a host: its own socket, or a tunnel that leads there. */
struct way {
    const struct ssh_policy *policy;
    const struct ssh_host *host, *bastion; /* bastion: through which, or NULL */
    const char *name;
};

/* *hung_up: worth trying again. */
typedef int attempt(const struct way *way, const struct ctx *ctx, bool *hung_up, struct ssh **out,
                    struct sc_err *err);

static char *host_name(const struct ssh_host *host, const char *prefix)
{
    bool ipv6 = strchr(host->address, ':') != NULL;
    return str_format("%s%s@%s%s%s:%d", prefix, host->user, ipv6 ? "[" : "", host->address, ipv6 ? "]" : "",
                      host->port);
}

/* Makes a session of a connection, which it takes over. */
static int enter(const struct way *way, const struct ctx *ctx, int fd, struct tunnel *tunnel, bool *hung_up,
                 struct ssh **out, struct sc_err *err)
{
    const struct ssh_host *host = way->host;
    struct ssh *ssh = session_new(fd, tunnel, way->name, way->policy->silence_ms);
    AUTO_FREE char *algorithms = known_hosts_algorithms(way->policy->known, host->address, host->port);
    if (session_handshake(ssh, ctx, algorithms, hung_up, err) < 0 ||
        host_key_check(ssh, ctx, way->policy, host, way->bastion, err) < 0 || auth(ssh, ctx, host, err) < 0) {
        ssh_close(ssh);
        return -1;
    }
    *out = ssh;
    return 0;
}

static int connect_directly(const struct way *way, const struct ctx *ctx, bool *hung_up, struct ssh **out,
                            struct sc_err *err)
{
    int fd;
    if (dial(ctx, way->host->address, way->host->port, &fd, err) < 0)
        return -1;
    return enter(way, ctx, fd, NULL, hung_up, out, err);
}

/* sshd drops some of many simultaneous connections (MaxStartups): those come back a little later. */
static int connect_patiently(const struct way *way, const struct ctx *ctx, attempt *connect_once,
                             struct ssh **out, struct sc_err *err)
{
    struct ctx limit = ctx_within(ctx, SSH_CONNECT_MS);
    for (unsigned tries = 0;; tries++) {
        AUTO_ERR struct sc_err why = {0}, late = {0};
        bool hung_up = false;
        if (connect_once(way, ctx, &hung_up, out, &why) == 0)
            return 0;
        int64_t delay = RETRY_BASE_MS + retry_delay_ms(tries, RETRY_BASE_MS, RETRY_CAP_MS);
        if (!hung_up || ctx_wait(&limit, -1, 0, delay, &late) < 0) {
            err_move(err, late.kind == ERR_CANCELLED ? &late : &why);
            return err_wrap(err, "%s", way->name);
        }
        ctx_log(ctx, LOG_DEBUG, "%s: %s; trying again", way->name, why.text);
    }
}

static int connect_bastion(const struct way *way, const struct ctx *ctx, struct ssh **out, struct sc_err *err)
{
    AUTO_FREE char *name = host_name(way->bastion, "bastion ");
    struct way first = {.policy = way->policy, .host = way->bastion, .name = name};
    if (gate_enter(way->policy->bastion_gate, ctx, err) < 0)
        return err_wrap(err, "%s", name);
    int result = connect_patiently(&first, ctx, connect_directly, out, err);
    gate_leave(way->policy->bastion_gate);
    return result;
}

static int connect_through(const struct way *way, const struct ctx *ctx, bool *hung_up, struct ssh **out,
                           struct sc_err *err)
{
    struct ssh *via = NULL;
    struct tunnel *tunnel;
    int fd;
    if (connect_bastion(way, ctx, &via, err) < 0)
        return -1;
    if (tunnel_open(via, ctx, way->host->address, way->host->port, &tunnel, &fd, err) < 0) {
        ssh_close(via);
        return -1;
    }
    return enter(way, ctx, fd, tunnel, hung_up, out, err);
}

int ssh_connect(const struct ctx *ctx, const struct ssh_policy *policy, const struct ssh_host *host,
                const struct ssh_host *bastion, struct ssh **out, struct sc_err *err)
{
    AUTO_FREE char *name = host_name(host, "");
    struct way way = {policy, host, bastion, name};
    return connect_patiently(&way, ctx, bastion ? connect_through : connect_directly, out, err);
}
