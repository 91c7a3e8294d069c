#include "snapctl/base/descriptor.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const struct descriptor_sink *self, struct sc_err *err)
{
    return err_set_errno(err, err_is_no_room(errno) ? ERR_SPACE : ERR_SYSTEM, "cannot write to %s",
                         self->name);
}

static int descriptor_write(struct sink *sink, const struct ctx *ctx, const void *data, size_t len,
                            struct sc_err *err)
{
    struct descriptor_sink *self = (struct descriptor_sink *)sink;
    const char *at = data;
    while (len) {
        if (ctx_wait(ctx, self->fd, POLLOUT, -1, err) < 0)
            return -1;
        ssize_t n = write(self->fd, at, len < self->most ? len : self->most);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return fail(self, err);
        if (n < 0)
            continue;
        at += n;
        len -= (size_t)n;
        self->bytes += (uint64_t)n;
    }
    return 0;
}

void descriptor_sink_init(struct descriptor_sink *self, int fd, const char *name)
{
    struct stat st;
    bool file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    *self = (struct descriptor_sink){
        .sink = {.write = descriptor_write, .finish = sink_finish_nothing, .abort = sink_abort_nothing},
        .fd = fd,
        .name = name,
        .most =
            file ? SSIZE_MAX : PIPE_BUF, /* POSIX, write: so much fits into a pipe that poll calls ready */
    };
}
