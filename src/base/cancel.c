#include "snapctl/base/cancel.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct cancel {
    atomic_bool fired;
    int fd;
};

struct cancel *cancel_new(void)
{
    struct cancel *c = mem_calloc(1, sizeof *c);
    c->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (c->fd < 0)
        abort();
    return c;
}

void cancel_free(struct cancel *c)
{
    if (!c)
        return;
    close(c->fd);
    free(c);
}

void cancel_fire(struct cancel *c)
{
    uint64_t one = 1;
    atomic_store(&c->fired, true);
    /* Nobody reads the counter, so it stays readable; it can be full only after 2^64 - 2 writes. */
    ssize_t ignored = write(c->fd, &one, sizeof one);
    (void)ignored;
}

bool cancel_fired(const struct cancel *c)
{
    return atomic_load(&c->fired);
}

int cancel_fd(const struct cancel *c)
{
    return c->fd;
}
