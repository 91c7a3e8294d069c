#include "snapctl/node/files.h"

#include <stdlib.h>
#include <string.h>

#include "reason.h"
#include "script.h"
#include "snapctl/base/mem.h"
#include "snapctl/base/str.h"

enum { LISTING_MAX = 64 << 20 };

void node_files_free(struct node_files *files)
{
    for (size_t i = 0; i < files->n; i++)
        free(files->files[i].name);
    free(files->files);
    buf_free(&files->raw);
    *files = (struct node_files){0};
}

/* "BYTES SECONDS NAME"; false if it is none. */
static bool read_line(const char *line, size_t len, struct node_file *file)
{
    AUTO_FREE char *text = str_dup_n(line, len);
    char *time = strchr(text, ' ');
    char *name = time ? strchr(time + 1, ' ') : NULL;
    int64_t bytes;
    if (!name)
        return false;
    *time++ = '\0';
    *name++ = '\0';
    if (!str_to_int(text, 0, INT64_MAX, &bytes) || !str_to_int(time, 0, INT64_MAX, &file->modified) ||
        !node_file_name_valid(name))
        return false;
    file->bytes = (uint64_t)bytes;
    file->name = str_dup(name);
    return true;
}

/* Returns where the lines end. */
static size_t read_lines(struct node_files *files)
{
    const char *text = buf_text(&files->raw);
    size_t at = 0;
    while (at < files->raw.len) {
        const char *end = memchr(text + at, '\n', files->raw.len - at);
        size_t len = end ? (size_t)(end - text) - at : files->raw.len - at;
        struct node_file file = {0};
        if (len && read_line(text + at, len, &file)) {
            files->files = mem_realloc(files->files, files->n + 1, sizeof *files->files);
            files->files[files->n++] = file;
        }
        at += len + (end != NULL);
        if (!len)
            break;
    }
    return at;
}

static size_t piece_of(const struct node_file *file, size_t most)
{
    return file->bytes < most ? (size_t)file->bytes : most;
}

/* A file that grew, shrank or went while the node was at it moves all that follow: then none is believed. */
static void point_into(struct node_files *files, size_t at)
{
    size_t heads = 0, ends = 0;
    for (size_t i = 0; i < files->n; i++) {
        heads += piece_of(&files->files[i], NODE_HEAD_BYTES);
        ends += piece_of(&files->files[i], NODE_END_BYTES);
    }
    if (files->raw.len - at != heads + ends)
        return;
    const char *head = buf_text(&files->raw) + at, *end = head + heads;
    for (size_t i = 0; i < files->n; i++) {
        struct node_file *file = &files->files[i];
        file->head = head;
        file->end = end;
        head += file->head_len = piece_of(file, NODE_HEAD_BYTES);
        end += file->end_len = piece_of(file, NODE_END_BYTES);
    }
}

void node_parse_files(struct node_files *files, struct buf *text)
{
    *files = (struct node_files){.raw = *text};
    *text = (struct buf){0};
    point_into(files, read_lines(files));
}

int node_list(struct node *node, struct ssh *ssh, const struct ctx *ctx, struct node_files *files,
              struct sc_err *err)
{
    struct ssh_output output = {.out.max = LISTING_MAX};
    AUTO_FREE char *command = script_command(node, SCRIPT_LIST);
    int result = ssh_run(ssh, ctx, command, NULL, &output, err);
    if (result < 0)
        err_wrap(err, "listing " NODE_SNAPSHOT_FOLDER);
    else if (output.out.len == 0 && output.status != 0) {
        AUTO_FREE char *reason = reason_of(&output.err);
        result = err_set(err, ERR_DOCKER, "cannot look into " NODE_SNAPSHOT_FOLDER ": %s", reason);
    } else {
        node_parse_files(files, &output.out);
    }
    ssh_output_free(&output);
    return result;
}
