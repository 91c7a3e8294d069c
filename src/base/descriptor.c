#include "snapctl/base/descriptor.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const struct descriptor_sink *self, struct sc_err *err)
{
    bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    return err_set_errno(err, full ? ERR_SPACE : ERR_SYSTEM, "cannot write to %s", self->name);
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

static int descriptor_finish(struct sink *sink, const struct ctx *ctx, struct sc_err *err)
{
    (void)sink;
    (void)ctx;
    (void)err;
    return 0;
}

static void descriptor_abort(struct sink *sink)
{
    (void)sink;
}

void descriptor_sink_init(struct descriptor_sink *self, int fd, const char *name)
{
    struct stat st;
    bool file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    *self = (struct descriptor_sink){
        .sink = {.write = descriptor_write, .finish = descriptor_finish, .abort = descriptor_abort},
        .fd = fd,
        .name = name,
        .most =
            file ? SSIZE_MAX : PIPE_BUF, /* POSIX, write: so much fits into a pipe that poll calls ready */
    };
}
