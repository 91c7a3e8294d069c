#include "snapctl/base/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapctl/base/retry.h"
#include "snapctl/base/str.h"

enum { FD_PATH = 32 };

struct new_file {
    struct sink sink;
    char *path;
    const char *name; /* within path */
    int folder, fd;
    char *temporary; /* its name meanwhile; NULL: none */
    bool replace;
    uint64_t bytes, max;
};

static int fail(const struct new_file *file, const char *what, struct sc_err *err)
{
    int why = errno;
    AUTO_FREE char *path = str_visible(file->path, strlen(file->path), false);
    enum err_kind kind = err_is_no_room(why) ? ERR_SPACE : why == EEXIST ? ERR_REFUSED : ERR_SYSTEM;
    errno = why;
    err_set_errno(err, kind, "cannot %s %s", what, path);
    if (kind == ERR_SPACE)
        return err_hint(err, "make room there, or choose another folder");
    if (why == EACCES || why == EPERM || why == EROFS)
        return err_hint(err, "choose a folder that may be written to");
    return -1;
}

static int open_folder(struct new_file *file, struct sc_err *err)
{
    size_t len = (size_t)(file->name - file->path);
    AUTO_FREE char *folder = len ? str_dup_n(file->path, len) : str_dup(".");
    AUTO_FREE char *visible = str_visible(folder, strlen(folder), false);
    AUTO_BUF struct buf quoted = {0};
    file->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file->folder >= 0)
        return 0;
    bool missing = errno == ENOENT;
    err_set_errno(err, ERR_USAGE, "cannot open the folder %s", visible);
    if (!missing)
        return -1;
    str_quote_shell(&quoted, folder);
    return err_hint(err, "mkdir -p -m 700 %s makes it", buf_text(&quoted));
}

/* What is there already, and may not be. */
static int look(const struct new_file *file, struct sc_err *err)
{
    struct stat st;
    AUTO_FREE char *path = str_visible(file->path, strlen(file->path), false);
    if (fstatat(file->folder, file->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : fail(file, "look at", err);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_REFUSED, "%s exists and is no regular file", path);
    if (file->replace)
        return 0;
    AUTO_FREE char *size = str_bytes((uint64_t)st.st_size);
    return err_set(err, ERR_REFUSED, "%s exists (%s)", path, size);
}

static char *make_name(void)
{
    uint64_t random;
    retry_random(&random, sizeof random);
    return str_format(".snapctl.%016" PRIx64, random);
}

/* By which an open file can be linked. */
static void fd_path(const struct new_file *file, char path[FD_PATH])
{
    snprintf(path, FD_PATH, "/proc/self/fd/%d", file->fd);
}

static bool can_be_named(const struct new_file *file)
{
    char path[FD_PATH];
    fd_path(file, path);
    return access(path, F_OK) == 0;
}

static int open_named(struct new_file *file)
{
    AUTO_FREE char *name = make_name();
    file->fd = openat(file->folder, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (file->fd >= 0)
        file->temporary = mem_take(&name);
    return file->fd;
}

static int open_file(struct new_file *file)
{
    file->fd = openat(file->folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file->fd >= 0 && can_be_named(file))
        return file->fd;
    bool unknown = file->fd >= 0 || errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL;
    if (file->fd >= 0)
        close(file->fd);
    return unknown ? open_named(file) : -1;
}

static int file_write(struct sink *self, const struct ctx *ctx, const void *data, size_t len,
                      struct sc_err *err)
{
    struct new_file *file = (struct new_file *)self;
    const char *at = data;
    (void)ctx;
    file->bytes += len;
    if (file->bytes > file->max) {
        errno = EFBIG;
        return fail(file, "write", err);
    }
    while (len) {
        ssize_t n = write(file->fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(file, "write", err);
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

static int begin(struct new_file *file, struct sc_err *err)
{
    const char *name = file->name;
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return err_set(err, ERR_USAGE, "\"%s\" cannot be the name of a file", file->path);
    if (open_folder(file, err) < 0 || look(file, err) < 0)
        return -1;
    return open_file(file) < 0 ? fail(file, "make", err) : 0;
}

int new_file_open(const char *path, bool replace, uint64_t max, struct new_file **out, struct sc_err *err)
{
    struct new_file *file = mem_calloc(1, sizeof *file);
    const char *slash;
    file->sink =
        (struct sink){.write = file_write, .finish = sink_finish_nothing, .abort = sink_abort_nothing};
    file->path = str_dup(path);
    slash = strrchr(file->path, '/');
    file->name = slash ? slash + 1 : file->path;
    file->folder = file->fd = -1;
    file->replace = replace;
    file->max = max;
    if (begin(file, err) < 0) {
        new_file_free(file);
        return -1;
    }
    *out = file;
    return 0;
}

void new_file_free(struct new_file *file)
{
    if (!file)
        return;
    if (file->temporary)
        unlinkat(file->folder, file->temporary, 0);
    if (file->fd >= 0)
        close(file->fd);
    if (file->folder >= 0)
        close(file->folder);
    free(file->temporary);
    free(file->path);
    free(file);
}

struct sink *new_file_sink(struct new_file *file)
{
    return &file->sink;
}

int new_file_fd(const struct new_file *file)
{
    return file->fd;
}

uint64_t new_file_bytes(const struct new_file *file)
{
    return file->bytes;
}

const char *new_file_path(const struct new_file *file)
{
    return file->path;
}

/* ---- keeping ---- */

static int link_as(const struct new_file *file, const char *name)
{
    char path[FD_PATH];
    fd_path(file, path);
    return linkat(AT_FDCWD, path, file->folder, name, AT_SYMLINK_FOLLOW);
}

/* Only what has a name can take another's. */
static int prepare(struct new_file *file, struct sc_err *err)
{
    if (fsync(file->fd) < 0)
        return fail(file, "write", err);
    if (!file->replace || file->temporary)
        return 0;
    AUTO_FREE char *name = make_name();
    if (link_as(file, name) < 0)
        return fail(file, "make", err);
    file->temporary = mem_take(&name);
    return 0;
}

/* Where the file system cannot tell, the name was free when it was looked at. */
static int rename_to_free(const struct new_file *file)
{
    struct stat st;
    int result = renameat2(file->folder, file->temporary, file->folder, file->name, RENAME_NOREPLACE);
    if (result == 0 || (errno != EINVAL && errno != ENOSYS))
        return result;
    if (fstatat(file->folder, file->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return renameat(file->folder, file->temporary, file->folder, file->name);
}

static int give_name(struct new_file *file, struct sc_err *err)
{
    int result = !file->temporary ? link_as(file, file->name)
                 : file->replace  ? renameat(file->folder, file->temporary, file->folder, file->name)
                                  : rename_to_free(file);
    if (result < 0)
        return fail(file, "make", err);
    free(file->temporary);
    file->temporary = NULL;
    return 0;
}

/* What was replaced does not come back. */
static void take_names_back(struct new_file *const *files, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!files[i]->replace)
            unlinkat(files[i]->folder, files[i]->name, 0);
}

/* Some file systems know no flushing of folders. */
static int flush_folder(const struct new_file *file, struct sc_err *err)
{
    return fsync(file->folder) < 0 && errno != EINVAL && errno != EOPNOTSUPP
               ? fail(file, "bring to the disk the name of", err)
               : 0;
}

int new_files_keep(struct new_file *const *files, size_t n, struct sc_err *err)
{
    size_t named = 0;
    int result = 0;
    for (size_t i = 0; i < n; i++)
        if (prepare(files[i], err) < 0)
            return -1;
    while (named < n && result == 0) {
        result = give_name(files[named], err);
        named += result == 0;
    }
    for (size_t i = 0; i < n && result == 0; i++)
        result = flush_folder(files[i], err);
    if (result < 0)
        take_names_back(files, named);
    return result;
}
