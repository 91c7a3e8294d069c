#include "resolve.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "snapctl/base/str.h"
#include "snapctl/net/ssh.h"

enum { PORT_CHARS = 12 };

/* getaddrinfo(3) blocks and cannot be cancelled, so it has a thread of its own. Whoever of the two lets go of
 * the lookup last frees it: an abandoned thread ends when the resolver answers. */
struct lookup {
    atomic_int owners;
    int done_fd;
    char *host;
    char port[PORT_CHARS];
    int result;
    struct addrinfo *found;
};

static void let_go(struct lookup *l)
{
    if (atomic_fetch_sub(&l->owners, 1) > 1)
        return;
    if (l->found)
        freeaddrinfo(l->found);
    close(l->done_fd);
    free(l->host);
    free(l);
}

static int look(const char *host, const char *port, int flags, struct addrinfo **found)
{
    struct addrinfo hints = {
        .ai_flags = flags | AI_NUMERICSERV, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    return getaddrinfo(host, port, &hints, found);
}

static void *run(void *arg)
{
    struct lookup *l = arg;
    uint64_t one = 1;
    l->result = look(l->host, l->port, AI_ADDRCONFIG, &l->found);
    ssize_t ignored = write(l->done_fd, &one, sizeof one);
    (void)ignored;
    let_go(l);
    return NULL;
}

static int start(struct lookup *l, struct sc_err *err)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &attributes, run, l);
    pthread_attr_destroy(&attributes);
    if (!failed)
        return 0;
    atomic_fetch_sub(&l->owners, 1);
    return err_set(err, ERR_SYSTEM, "cannot start a thread for name resolution");
}

static int fail(int result, struct sc_err *err)
{
    if (result == EAI_AGAIN)
        return err_set(err, ERR_NETWORK, "the name cannot be resolved now: no name server answers");
    err_set(err, ERR_NETWORK, "the name does not resolve: %s", gai_strerror(result));
    return err_hint(
        err, "is the address in cluster.yml spelled right, and does this machine know it (DNS, /etc/hosts)?");
}

static int wait_for(struct lookup *l, const struct ctx *ctx, struct addrinfo **out, struct sc_err *err)
{
    uint64_t count;
    struct ctx limit = ctx_within(ctx, SSH_RESOLVE_MS);
    if (ctx_wait(&limit, l->done_fd, POLLIN, -1, err) < 0)
        return err_wrap(err, "resolving the name");
    if (read(l->done_fd, &count, sizeof count) != sizeof count)
        return err_set_errno(err, ERR_SYSTEM, "resolving the name");
    if (l->result)
        return fail(l->result, err);
    *out = l->found;
    l->found = NULL;
    return 0;
}

int resolve(const struct ctx *ctx, const char *host, int port, struct addrinfo **out, struct sc_err *err)
{
    char service[PORT_CHARS];
    snprintf(service, sizeof service, "%d", port);
    if (look(host, service, AI_NUMERICHOST, out) == 0)
        return 0;
    struct lookup *l = mem_calloc(1, sizeof *l);
    atomic_init(&l->owners, 2);
    l->host = str_dup(host);
    snprintf(l->port, sizeof l->port, "%d", port);
    l->done_fd = eventfd(0, EFD_CLOEXEC);
    int result = l->done_fd < 0 ? err_set_errno(err, ERR_SYSTEM, "eventfd") : start(l, err);
    if (result == 0)
        result = wait_for(l, ctx, out, err);
    let_go(l);
    return result;
}
