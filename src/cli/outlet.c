#include "snapctl/cli/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "snapctl/base/ctx.h"
#include "snapctl/base/str.h"

/* What poll calls ready takes PIPE_BUF bytes, a terminal less, and how much less it does not tell. So that is
 * opened once more: to be non-blocking is a matter of the opening, which nobody else shares. */
int outlet_open(int fd)
{
    AUTO_FREE char *path = str_format("/proc/self/fd/%d", fd);
    int own = isatty(fd) ? open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
    return own < 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : own;
}

/* For poll. */
static int left_ms(int64_t until_ms)
{
    if (until_ms == CTX_NO_DEADLINE)
        return -1;
    int64_t left = until_ms - ctx_now_ms();
    return left > INT_MAX ? INT_MAX : left > 0 ? (int)left : 0;
}

static int wait_for_reader(int fd, int signals, int64_t until_ms)
{
    for (;;) {
        struct pollfd fds[] = {
            {.fd = fd,      .events = POLLOUT},
            {.fd = signals, .events = POLLIN }
        };
        int n = poll(fds, 2, left_ms(until_ms));
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0 && fds[0].revents)
            return 0;
        if (n >= 0) {
            errno = n ? ECANCELED : ETIMEDOUT;
            return -1;
        }
    }
}

int outlet_write(int fd, const char *data, size_t len, int signals, int64_t until_ms)
{
    while (len) {
        if (wait_for_reader(fd, signals, until_ms) < 0)
            return -1;
        ssize_t n = write(fd, data, len < PIPE_BUF ? len : PIPE_BUF);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return 0;
}
