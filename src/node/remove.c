#include "snapctl/node/remove.h"

#include <inttypes.h>
#include <string.h>

#include "reason.h"
#include "script.h"
#include "snapctl/base/str.h"

enum { WORDS_MAX = 24 << 10 }; /* with the script less than a packet of SSH, 32 KiB (RFC 4253, section 6.1) */

static enum node_removed how_of(const char *word)
{
    static const char *const words[] = {[NODE_REMOVED] = "removed",
                                        [NODE_GONE] = "gone",
                                        [NODE_CHANGED] = "changed",
                                        [NODE_BUSY] = "busy",
                                        [NODE_KEPT] = "kept"};
    for (enum node_removed how = NODE_REMOVED; how <= NODE_KEPT; how++)
        if (strcmp(words[how], word) == 0)
            return how;
    return NODE_UNTOLD;
}

void node_parse_removals(struct node_removal *files, size_t n, const char *text)
{
    while (*text) {
        AUTO_FREE char *line = str_next_line(&text);
        char *file = strchr(line, ' ');
        if (!file)
            continue;
        *file++ = '\0';
        for (size_t i = 0; i < n; i++)
            if (files[i].how == NODE_UNTOLD && strcmp(files[i].file, file) == 0)
                files[i].how = how_of(line);
    }
}

static bool any_kept(const struct node_removal *files, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (files[i].how == NODE_KEPT)
            return true;
    return false;
}

static int remove_some(const struct node *node, struct ssh *ssh, const struct ctx *ctx, const char *words,
                       struct node_removal *files, size_t n, struct sc_err *err)
{
    struct ssh_output output = {0};
    struct node with_words = *node;
    with_words.removal = words;
    AUTO_FREE char *command = script_command(&with_words, SCRIPT_REMOVE);
    int result = ssh_run(ssh, ctx, command, NULL, &output, err);
    AUTO_FREE char *reason = reason_of(&output.err);
    if (result < 0) {
        err_wrap(err, "removing snapshots");
    } else {
        node_parse_removals(files, n, buf_text(&output.out));
        if (any_kept(files, n))
            ctx_log(ctx, LOG_WARN, "%s", reason);
        if (output.status != 0)
            result = err_set(err, ERR_DOCKER, "cannot remove snapshots: %s", reason);
    }
    ssh_output_free(&output);
    return result;
}

int node_remove(const struct node *node, struct ssh *ssh, const struct ctx *ctx, struct node_removal *files,
                size_t n, struct sc_err *err)
{
    for (size_t at = 0; at < n;) {
        AUTO_BUF struct buf words = {0};
        size_t first = at;
        for (; at < n && words.len < WORDS_MAX; at++)
            if (files[at].how == NODE_UNTOLD && node_file_name_valid(files[at].file))
                buf_printf(&words, "%s%s %" PRIu64 " %" PRId64, words.len ? " " : "", files[at].file,
                           files[at].bytes, files[at].modified);
        if (words.len && remove_some(node, ssh, ctx, buf_text(&words), files + first, at - first, err) < 0)
            return -1;
    }
    return 0;
}
