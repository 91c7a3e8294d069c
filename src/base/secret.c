#include "snapctl/base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapctl/base/ctx.h"

enum { SLOWEST_WRITER_MS = 10000 };

/* Each secret has pages of its own, so that MADV_DONTDUMP covers it and nothing else. */
struct secret {
    size_t mapped;
    size_t len;
    char data[];
};

void secret_wipe(void *data, size_t len)
{
    explicit_bzero(data, len);
}

static struct secret *secret_alloc(size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t mapped = (sizeof(struct secret) + len + 1 + page - 1) / page * page;
    struct secret *s = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED)
        abort();
    madvise(s, mapped, MADV_DONTDUMP);
    s->mapped = mapped;
    s->len = len;
    return s;
}

struct secret *secret_new(const char *data, size_t len)
{
    return secret_join(&(struct secret_part){data, len}, 1);
}

struct secret *secret_join(const struct secret_part *parts, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += parts[i].len;
    struct secret *s = secret_alloc(len);
    char *at = s->data;
    for (size_t i = 0; i < n; i++) {
        if (parts[i].len)
            memcpy(at, parts[i].data, parts[i].len);
        at += parts[i].len;
    }
    return s;
}

struct secret *secret_dup(const struct secret *s)
{
    return s ? secret_new(s->data, s->len) : NULL;
}

/* Files are opened so that a FIFO without a writer does not hang; one whose writer is slow is waited for. */
static int wait_for_writer(int fd, int64_t until_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int64_t left = until_ms - ctx_now_ms();
    int n = poll(&p, 1, left > 0 ? (int)left : 0);
    if (n == 0)
        errno = ETIMEDOUT;
    return n > 0 || (n < 0 && errno == EINTR) ? 0 : -1;
}

/* Reads until the end or until len is full; the number of bytes, or -1 with errno. All the waiting has one
 * deadline: a writer of a byte now and then would else have hours. */
static ssize_t read_full(int fd, char *data, size_t len)
{
    int64_t until = ctx_now_ms() + SLOWEST_WRITER_MS;
    size_t at = 0;
    while (at < len) {
        ssize_t n = read(fd, data + at, len - at);
        if (n < 0 && (errno == EINTR || (errno == EAGAIN && wait_for_writer(fd, until) == 0)))
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        at += (size_t)n;
    }
    return (ssize_t)at;
}

int secret_read_fd(int fd, const char *name, size_t max, int chomp, struct secret **out, struct sc_err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_set_errno(err, ERR_CONFIG, "cannot read %s", name);
    if (S_ISDIR(st.st_mode))
        return err_set(err, ERR_CONFIG, "cannot read %s: it is a folder", name);
    if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > max)
        return err_set(err, ERR_CONFIG, "%s is larger than %zu bytes", name, max);
    /* A pipe tells no size: room for the most there may be, and one byte more to notice too much. */
    AUTO_SECRET struct secret *s = secret_alloc(max + 1);
    s->len = 0;
    ssize_t n = read_full(fd, s->data, max + 1);
    if (n < 0)
        return err_set_errno(err, ERR_CONFIG, "cannot read %s", name);
    s->len = (size_t)n;
    if (s->len > max)
        return err_set(err, ERR_CONFIG, "%s is larger than %zu bytes", name, max);
    *out = secret_new(s->data, chomp && n && s->data[n - 1] == '\n' ? s->len - 1 : s->len);
    return 0;
}

int secret_read_file(const char *path, size_t max, int chomp, struct secret **out, struct sc_err *err)
{
    /* O_NONBLOCK: a FIFO without a writer must not hang the program. */
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return err_set_errno(err, ERR_CONFIG, "cannot read %s", path);
    return secret_read_fd(fd, path, max, chomp, out, err);
}

const char *secret_data(const struct secret *s)
{
    return s->data;
}

size_t secret_len(const struct secret *s)
{
    return s->len;
}

void secret_free(struct secret *s)
{
    if (!s)
        return;
    /* Only what was used: wiping the rest would bring its pages into memory. */
    secret_wipe(s->data, s->len);
    munmap(s, s->mapped);
}

void secret_free_cleanup(struct secret **s)
{
    secret_free(*s);
}
