#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "snapctl/base/str.h"

enum {
    CHUNK = 64 * 1024,
    INPUT_CHUNK = 32 * 1024,
    STDERR_KEPT = 64 * 1024,
    STDERR_MOST = 2 * STDERR_KEPT,
    REASON_KEPT = 512, /* of stderr, in an error's text */
    FIRST_LINE = 200,  /* of a command, in the log */
    BREAK_OFF_MS = 5000,
};

/* A command that runs on the server, and what it printed to stderr. */
struct command {
    struct ssh *ssh;
    LIBSSH2_CHANNEL *channel;
    struct buf err; /* up to STDERR_MOST; then its last STDERR_KEPT remain */
    bool err_cut;
    int64_t start_ms;
    char *line;
};

static void keep_stderr(struct command *c, const char *data, size_t len)
{
    buf_append(&c->err, data, len);
    if (c->err.len <= STDERR_MOST)
        return;
    memmove(c->err.data, c->err.data + c->err.len - STDERR_KEPT, STDERR_KEPT);
    c->err.len = STDERR_KEPT;
    c->err.data[c->err.len] = '\0';
    c->err_cut = true;
}

/* Leaves at most STDERR_KEPT bytes that begin with a line. */
static void trim_stderr(struct command *c)
{
    size_t cut = c->err.len > STDERR_KEPT ? c->err.len - STDERR_KEPT : 0;
    c->err_cut |= cut > 0;
    if (!c->err_cut)
        return;
    const char *newline = memchr(c->err.data + cut, '\n', c->err.len - cut);
    if (newline)
        cut = (size_t)(newline + 1 - c->err.data);
    c->err.len -= cut;
    memmove(c->err.data, c->err.data + cut, c->err.len + 1);
    c->err.truncated = true;
}

static int fail_open(struct command *c, struct sc_err *err)
{
    int rc = libssh2_session_last_errno(c->ssh->lib);
    session_fail(c->ssh, rc, "opening a channel", err);
    if (rc == LIBSSH2_ERROR_CHANNEL_FAILURE)
        err_hint(err, "sshd refuses sessions: its sshd_config may have MaxSessions 0");
    return -1;
}

static int start(struct command *c, const struct ctx *ctx, const char *command, struct sc_err *err)
{
    static const char type[] = "session";
    int rc;
    while (!(c->channel = libssh2_channel_open_ex(c->ssh->lib, type, sizeof type - 1, session_window(c->ssh),
                                                  SESSION_PACKET, NULL, 0))) {
        if (libssh2_session_last_errno(c->ssh->lib) != LIBSSH2_ERROR_EAGAIN)
            return fail_open(c, err);
        if (session_wait(c->ssh, ctx, err) < 0)
            return -1;
    }
    while ((rc = libssh2_channel_exec(c->channel, command)) == LIBSSH2_ERROR_EAGAIN)
        if (session_wait(c->ssh, ctx, err) < 0)
            return -1;
    return rc ? session_fail(c->ssh, rc, "starting a command", err) : 0;
}

static int command_open(struct command *c, struct ssh *ssh, const struct ctx *ctx, const char *command,
                        struct sc_err *err)
{
    size_t len = strcspn(command, "\n");
    *c = (struct command){.ssh = ssh, .err.max = STDERR_MOST + CHUNK, .start_ms = ctx_now_ms()};
    if (ssh->unusable)
        return err_set(err, ERR_NETWORK,
                       "an earlier stream was left in the middle, and its end did not come");
    c->line = str_dup_n(command, len < FIRST_LINE ? len : FIRST_LINE);
    return start(c, ctx, command, err);
}

/* The channel stays with a session that broke, and goes with it. */
static void command_free(struct command *c)
{
    buf_free(&c->err);
    free(c->line);
    c->line = NULL;
}

/* Reads what there is of stderr, which shares its window with stdout. *got: there was something. */
static int take_stderr(struct command *c, char *chunk, bool *got, struct sc_err *err)
{
    ssize_t n = libssh2_channel_read_stderr(c->channel, chunk, CHUNK);
    *got = n > 0;
    if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
        return session_fail(c->ssh, (int)n, "the connection was lost while a command ran", err);
    if (*got)
        keep_stderr(c, chunk, (size_t)n);
    return 0;
}

/* Reading stderr also takes what comes for stdout off the socket, which then has nothing to wake a wait with.
 */
static bool is_pending(struct command *c)
{
    unsigned long bytes = 0;
    libssh2_channel_window_read_ex(c->channel, &bytes, NULL);
    return bytes > 0;
}

/* The server has said that the command ended, and everything that it printed was read. */
static int is_over(struct command *c, bool *over, struct sc_err *err)
{
    *over = false;
    if (!libssh2_channel_eof(c->channel))
        return 0;
    int rc = libssh2_channel_wait_closed(c->channel);
    if (rc && rc != LIBSSH2_ERROR_EAGAIN)
        return session_fail(c->ssh, rc, "the connection was lost while a command ran", err);
    *over = rc == 0;
    return 0;
}

static int killed(const char *name, size_t len, struct sc_err *err)
{
    AUTO_FREE char *visible = str_visible(name, len, false);
    return err_set(err, ERR_NETWORK, "the command was killed on the server by SIG%s", visible);
}

/* After is_over. The status is 0 also where a signal ended the command. */
static int command_end(struct command *c, const struct ctx *ctx, int *status, struct sc_err *err)
{
    char *name = NULL;
    size_t len = 0;
    *status = libssh2_channel_get_exit_status(c->channel);
    libssh2_channel_get_exit_signal(c->channel, &name, &len, NULL, NULL, NULL, NULL);
    int result = name ? killed(name, len, err) : 0;
    if (name)
        libssh2_free(c->ssh->lib, name);
    ctx_log(ctx, LOG_TRACE, "%s: status %d%s after %lld ms: %s", c->ssh->name, *status,
            result < 0 ? " (killed)" : "", (long long)(ctx_now_ms() - c->start_ms), c->line);
    while (libssh2_channel_free(c->channel) == LIBSSH2_ERROR_EAGAIN)
        if (session_wait(c->ssh, ctx, err) < 0)
            return -1;
    c->channel = NULL;
    trim_stderr(c);
    return result;
}

/* What is on its way into the command. */
struct feed {
    struct source *source;
    char chunk[INPUT_CHUNK];
    size_t at, len;
    bool ended, closed; /* no more from the source; EOF was sent */
};

static int send_eof(struct command *c, struct feed *feed, bool *moved, struct sc_err *err)
{
    int rc = libssh2_channel_send_eof(c->channel);
    if (rc == LIBSSH2_ERROR_EAGAIN)
        return 0;
    if (rc)
        return session_fail(c->ssh, rc, "the connection was lost while a command ran", err);
    *moved = feed->closed = true;
    return 0;
}

static int send_input(struct command *c, struct feed *feed, const struct ctx *ctx, bool *moved,
                      struct sc_err *err)
{
    if (feed->closed)
        return 0;
    if (feed->at == feed->len && !feed->ended) {
        feed->at = feed->len = 0;
        if (feed->source &&
            feed->source->read(feed->source, ctx, feed->chunk, INPUT_CHUNK, &feed->len, err) < 0)
            return -1;
        feed->ended = feed->len == 0;
    }
    if (feed->ended)
        return send_eof(c, feed, moved, err);
    if (!session_may_send(c->ssh))
        return 0;
    ssize_t n = libssh2_channel_write(c->channel, feed->chunk + feed->at, feed->len - feed->at);
    if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
        return session_fail(c->ssh, (int)n, "the connection was lost while a command ran", err);
    if (n > 0) {
        feed->at += (size_t)n;
        *moved = true;
    }
    return 0;
}

static int take_output(struct command *c, char *chunk, struct buf *out, bool *moved, struct sc_err *err)
{
    bool got;
    ssize_t n = libssh2_channel_read(c->channel, chunk, CHUNK);
    if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
        return session_fail(c->ssh, (int)n, "the connection was lost while a command ran", err);
    if (n > 0)
        buf_append(out, chunk, (size_t)n);
    if (take_stderr(c, chunk, &got, err) < 0)
        return -1;
    *moved |= n > 0 || got;
    return 0;
}

/* The input goes on until the command ends: it may have closed its output long before. */
static int converse(struct command *c, const struct ctx *ctx, struct source *input, struct buf *out,
                    struct sc_err *err)
{
    struct feed feed = {.source = input};
    AUTO_FREE char *chunk = mem_calloc(CHUNK, 1);
    for (;;) {
        bool moved = false, over;
        if (send_input(c, &feed, ctx, &moved, err) < 0 || take_output(c, chunk, out, &moved, err) < 0 ||
            is_over(c, &over, err) < 0)
            return -1;
        if (over)
            return 0;
        if (moved || is_pending(c) ? ctx_check(ctx, err) < 0 : session_wait(c->ssh, ctx, err) < 0)
            return -1;
    }
}

int ssh_run(struct ssh *ssh, const struct ctx *ctx, const char *command, struct source *input,
            struct ssh_output *output, struct sc_err *err)
{
    struct command c;
    size_t max = output->out.max;
    *output = (struct ssh_output){.out.max = max};
    int result = command_open(&c, ssh, ctx, command, err);
    if (result == 0)
        result = converse(&c, ctx, input, &output->out, err);
    if (result == 0)
        result = command_end(&c, ctx, &output->status, err);
    if (result == 0) {
        output->err = c.err;
        c.err = (struct buf){0};
    }
    command_free(&c);
    return result;
}

void ssh_output_free(struct ssh_output *output)
{
    buf_free(&output->out);
    buf_free(&output->err);
}

struct ssh_stream {
    struct source source;
    struct command command;
    struct ctx ctx; /* of its opening: for its closing */
    bool over;
    bool failed;
    char *chunk; /* for stderr */
};

/* The end of what was printed, as one line. */
static char *reason(const struct command *c)
{
    size_t len = c->err.len;
    while (len && strchr(" \t\r\n", c->err.data[len - 1]))
        len--;
    size_t from = len > REASON_KEPT ? len - REASON_KEPT : 0;
    return len ? str_visible(c->err.data + from, len - from, false) : str_dup("nothing on standard error");
}

static int stream_end(struct ssh_stream *s, const struct ctx *ctx, struct sc_err *err)
{
    int status;
    s->over = true;
    if (command_end(&s->command, ctx, &status, err) < 0)
        return -1;
    if (status == 0)
        return 0;
    AUTO_FREE char *text = reason(&s->command);
    return err_set(err, ERR_DOCKER, "the command that reads ended with status %d: %s", status, text);
}

static int read_some(struct ssh_stream *s, const struct ctx *ctx, void *data, size_t cap, size_t *got,
                     struct sc_err *err)
{
    struct command *c = &s->command;
    bool more;
    while (!s->over) {
        if (ctx_check(ctx, err) < 0)
            return -1;
        ssize_t n = libssh2_channel_read(c->channel, data, cap);
        if (n > 0) {
            *got = (size_t)n;
            return 0;
        }
        if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
            return session_fail(c->ssh, (int)n, "the connection was lost while a command ran", err);
        bool over;
        if (take_stderr(c, s->chunk, &more, err) < 0 || is_over(c, &over, err) < 0)
            return -1;
        if (over)
            return stream_end(s, ctx, err);
        if (!more && !is_pending(c) && session_wait(c->ssh, ctx, err) < 0)
            return -1;
    }
    return 0;
}

static int stream_read(struct source *source, const struct ctx *ctx, void *data, size_t cap, size_t *got,
                       struct sc_err *err)
{
    struct ssh_stream *s = (struct ssh_stream *)source;
    const struct ctx limited = ctx_within(ctx, SSH_STREAM_STALL_MS);
    *got = 0;
    int result = read_some(s, &limited, data, cap, got, err);
    s->failed |= result < 0;
    if (result < 0 && err->kind == ERR_TIMEOUT && ctx_check(ctx, NULL) == 0)
        err_set(err, ERR_TIMEOUT, "nothing was sent for %d s", SSH_STREAM_STALL_MS / 1000);
    return result;
}

static void stream_idle(struct source *source)
{
    session_idle(((struct ssh_stream *)source)->command.ssh);
}

/* Without input: a command that reads gets EOF. */
static int close_input(struct command *c, const struct ctx *ctx, struct sc_err *err)
{
    struct feed feed = {.ended = true};
    for (;;) {
        bool moved = false;
        if (send_eof(c, &feed, &moved, err) < 0)
            return -1;
        if (feed.closed)
            return 0;
        if (session_wait(c->ssh, ctx, err) < 0)
            return -1;
    }
}

int ssh_stream_open(struct ssh *ssh, const struct ctx *ctx, const char *command, struct ssh_stream **out,
                    struct sc_err *err)
{
    struct ssh_stream *s = mem_calloc(1, sizeof *s);
    s->source = (struct source){.read = stream_read, .idle = stream_idle};
    s->ctx = *ctx;
    s->chunk = mem_calloc(CHUNK, 1);
    if (command_open(&s->command, ssh, ctx, command, err) < 0 || close_input(&s->command, ctx, err) < 0) {
        command_free(&s->command);
        free(s->chunk);
        free(s);
        return -1;
    }
    *out = s;
    return 0;
}

struct source *ssh_stream_source(struct ssh_stream *stream)
{
    return &stream->source;
}

/* Tells the server to stop, and waits for it to agree, reading what is still on its way. */
static void break_off(struct ssh_stream *s)
{
    struct command *c = &s->command;
    struct ctx limit = ctx_within(&s->ctx, BREAK_OFF_MS);
    while (libssh2_channel_free(c->channel) == LIBSSH2_ERROR_EAGAIN)
        if (session_wait(c->ssh, &limit, NULL) < 0) {
            c->ssh->unusable = true;
            return;
        }
}

void ssh_stream_close(struct ssh_stream *stream)
{
    if (!stream)
        return;
    if (stream->command.channel && stream->failed)
        stream->command.ssh->unusable = true;
    else if (stream->command.channel)
        break_off(stream);
    command_free(&stream->command);
    free(stream->chunk);
    free(stream);
}
