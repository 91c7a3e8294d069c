/* A file that is either whole or not there: it gets its name when all of it is written and on the disk. Mode
 * 0600.
 *
 * Until then it has no name, and goes with the process, however that ends. Where the file system knows no
 * such files, it is called ".snapctl.<16 hex digits>" meanwhile, which new_file_free removes. */
#ifndef SNAPCTL_BASE_NEW_FILE_H
#define SNAPCTL_BASE_NEW_FILE_H

#include <stdint.h>

#include "snapctl/base/stream.h"

struct new_file;

/* replace: a regular file of that path gives way in the end; max: the bytes that are taken at most.
 * ERR_USAGE if the path can be no file's, or its folder is not there; ERR_REFUSED if there is something of
 * that name which is not to be replaced; ERR_SPACE; ERR_SYSTEM. */
int new_file_open(const char *path, bool replace, uint64_t max, struct new_file **out,
                  struct sc_err *err) WARN_UNUSED;

/* What was not kept is gone. NULL is allowed. */
void new_file_free(struct new_file *file);

/* write: ERR_SPACE, ERR_SYSTEM. finish and abort do nothing: see new_files_keep. */
struct sink *new_file_sink(struct new_file *file);

/* For reading, too; the file's own. */
int new_file_fd(const struct new_file *file);

uint64_t new_file_bytes(const struct new_file *file);
const char *new_file_path(const struct new_file *file);

/* Brings the files to the disk and gives them their names, one after the other: all of them or none, as long
 * as none replaces another. Whoever sees the last one sees all. ERR_REFUSED if a name was taken meanwhile;
 * ERR_SPACE, ERR_SYSTEM. */
int new_files_keep(struct new_file *const *files, size_t n, struct sc_err *err) WARN_UNUSED;

#endif
