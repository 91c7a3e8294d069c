#include "snapctl/base/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "snapctl/base/str.h"

/* Many times what etcd can hold (its documentation: 8 GiB), against archives made to fill a disk. */
static const uint64_t bytes_max = (uint64_t)64 << 30;

/* A file system takes few large writes for a fraction of what many small ones cost it. */
enum { PIECE = 256 << 10 };

struct spool {
    struct sink sink;
    const char *folder;
    int fd;         /* -1: something went wrong */
    int went_wrong; /* errno; 0: nothing */
    uint64_t bytes;
    size_t n_piece;
    char piece[PIECE]; /* not written yet */
};

/* For file systems that know no files without a name. */
static int make_and_unlink(const char *folder)
{
    AUTO_FREE char *path = str_format("%s/snapctl.XXXXXX", folder);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static int open_unnamed(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
    bool unknown = fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL);
    return unknown ? make_and_unlink(folder) : fd;
}

/* Gives the room back at once. */
static void give_up(struct spool *spool, int why)
{
    spool->went_wrong = why;
    if (spool->fd >= 0)
        close(spool->fd);
    spool->fd = -1;
}

static void flush(struct spool *spool)
{
    const char *at = spool->piece;
    while (spool->fd >= 0 && spool->n_piece) {
        ssize_t n = write(spool->fd, at, spool->n_piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            give_up(spool, errno);
            break;
        }
        at += n;
        spool->n_piece -= (size_t)n;
    }
    spool->n_piece = 0;
}

static int spool_write(struct sink *self, const struct ctx *ctx, const void *data, size_t len,
                       struct sc_err *err)
{
    struct spool *spool = (struct spool *)self;
    const char *at = data;
    (void)ctx;
    (void)err;
    spool->bytes += len;
    if (spool->bytes > bytes_max)
        give_up(spool, EFBIG);
    while (spool->fd >= 0 && len) {
        size_t room = PIECE - spool->n_piece, n = len < room ? len : room;
        memcpy(spool->piece + spool->n_piece, at, n);
        spool->n_piece += n;
        at += n;
        len -= n;
        if (spool->n_piece == PIECE)
            flush(spool);
    }
    return 0;
}

static void spool_abort(struct sink *self)
{
    give_up((struct spool *)self, ECANCELED);
}

struct spool *spool_new(void)
{
    struct spool *spool = mem_calloc(1, sizeof *spool);
    const char *folder = getenv("TMPDIR");
    spool->sink = (struct sink){.write = spool_write, .finish = sink_finish_nothing, .abort = spool_abort};
    spool->folder = folder && *folder ? folder : "/var/tmp";
    spool->fd = open_unnamed(spool->folder);
    if (spool->fd < 0)
        give_up(spool, errno);
    return spool;
}

void spool_free(struct spool *spool)
{
    if (!spool)
        return;
    if (spool->fd >= 0)
        close(spool->fd);
    free(spool);
}

struct sink *spool_sink(struct spool *spool)
{
    return &spool->sink;
}

uint64_t spool_bytes(const struct spool *spool)
{
    return spool->bytes;
}

int spool_file(struct spool *spool, struct sc_err *err)
{
    flush(spool);
    if (spool->fd >= 0)
        return spool->fd;
    AUTO_FREE char *folder = str_visible(spool->folder, strlen(spool->folder), false);
    AUTO_FREE char *size = str_bytes(spool->bytes);
    int why = spool->went_wrong;
    if (err_is_no_room(why)) {
        err_set(err, ERR_SPACE, "no room in %s for a temporary file of %s", folder, size);
    } else {
        errno = why;
        err_set_errno(err, ERR_SYSTEM, "cannot keep a temporary file of %s in %s", size, folder);
    }
    return err_hint(err, "set TMPDIR to a folder with that much room");
}
