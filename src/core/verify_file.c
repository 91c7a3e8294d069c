#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "snapctl/base/str.h"
#include "snapctl/core/inventory.h"
#include "verify_result.h"

enum { HEAD = 32 };

struct file_source {
    struct source source;
    int fd;
};

static int file_read(struct source *self, const struct ctx *ctx, void *buf, size_t cap, size_t *got,
                     struct sc_err *err)
{
    ssize_t n;
    if (ctx_check(ctx, err) < 0)
        return -1;
    do
        n = read(((struct file_source *)self)->fd, buf, cap);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set_errno(err, ERR_SYSTEM, "cannot read on");
    *got = (size_t)n;
    return 0;
}

static int open_file(const char *path, int *fd, struct stat *st, struct sc_err *err)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (*fd < 0 || fstat(*fd, st) < 0)
        return err_set_errno(err, ERR_USAGE, "cannot open %s", path);
    return S_ISREG(st->st_mode) ? 0 : err_set(err, ERR_USAGE, "%s is not a regular file", path);
}

enum form { FORM_UNKNOWN, FORM_DATABASE, FORM_ZIP };

/* An archive begins with an entry. */
static enum form form_of(int fd)
{
    char head[HEAD];
    ssize_t n = pread(fd, head, sizeof head, 0);
    if (n > 0 && inventory_is_database(head, (size_t)n))
        return FORM_DATABASE;
    return n >= 2 && memcmp(head, "PK", 2) == 0 ? FORM_ZIP : FORM_UNKNOWN;
}

/* A database whose beginning is damaged looks like this, too, so it was tried as one. */
static int no_snapshot(struct sc_err *err)
{
    err_wrap(err, "by its first bytes this is neither a zip archive nor a database of etcd");
    return err_hint(err, "name a NAME.zip of RKE or snapctl, or what `etcdctl snapshot save` wrote");
}

static void look(struct verify_result *r, const struct ctx *ctx, struct verify_copy *copy, int fd)
{
    AUTO_ERR struct sc_err err = {0};
    struct file_source source = {.source.read = file_read, .fd = fd};
    int64_t start = ctx_now_ms();
    enum form form = form_of(fd);
    copy->plain = form != FORM_ZIP;
    int result = verify_read(copy, ctx, &source.source, NULL, NULL, NULL, &err);
    if (result < 0 && form == FORM_UNKNOWN && err.kind == ERR_CORRUPT)
        result = no_snapshot(&err);
    verify_settle(copy, result, &err);
    copy->duration_ms = r->duration_ms = ctx_now_ms() - start;
    r->snapshot = str_dup(copy->snapshot);
}

int verify_file(const struct ctx *ctx, const char *path, struct verify_result **out, struct sc_err *err)
{
    AUTO_CLOSE int fd = -1;
    struct stat st = {0};
    if (open_file(path, &fd, &st, err) < 0)
        return -1;
    struct verify_result *r = mem_calloc(1, sizeof *r);
    struct verify_copy *copy = verify_add(r, VERIFY_FILE, path, NULL);
    r->started = (int64_t)time(NULL);
    copy->bytes = (uint64_t)st.st_size;
    look(r, ctx, copy, fd);
    verify_judge(r, 0);
    *out = r;
    return 0;
}
