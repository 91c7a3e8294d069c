#include "snapctl/cli/console.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "snapctl/base/ctx.h"
#include "snapctl/base/str.h"
#include "snapctl/cli/environment.h"
#include "snapctl/cli/outlet.h"
#include "snapctl/cli/signals.h"

enum { DEFAULT_COLUMNS = 80, DEFAULT_ROWS = 24, FEWEST_COLUMNS = 20, MOST_COLUMNS = 500 };

/* What a line waits for who reads standard error. */
enum { PATIENCE_MS = 1000 };

struct console {
    int out, err; /* own ones */
    int signals;  /* -1: not watched */
    bool hurries; /* a result waits no longer than a line */
    bool live, colour;
    pthread_mutex_t lock;
    char *block; /* as drawn; NULL: none */
    size_t block_lines;
    bool unread;     /* what was printed last came to nobody */
    size_t left_out; /* lines, since then */
    bool held;
    struct buf kept; /* lines that came meanwhile */
};

enum { KEPT_MAX = 16 << 20 };

struct console *console_new(int out_fd, int err_fd, bool live, bool colour)
{
    struct console *c = mem_calloc(1, sizeof *c);
    c->out = outlet_open(out_fd);
    c->err = outlet_open(err_fd);
    c->signals = -1;
    c->live = live;
    c->colour = colour;
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

struct console *console_open(int out_fd, int err_fd)
{
    const char *term = environment_get(ENVIRONMENT_TERM);
    bool live = isatty(err_fd) && term && strcmp(term, "dumb") != 0;
    return console_new(out_fd, err_fd, live, live && !environment_get(ENVIRONMENT_NO_COLOR));
}

void console_free(struct console *c)
{
    if (!c)
        return;
    pthread_mutex_destroy(&c->lock);
    close(c->out);
    close(c->err);
    buf_free(&c->kept);
    free(c->block);
    free(c);
}

bool console_is_live(const struct console *c)
{
    return c->live;
}

bool console_has_colour(const struct console *c)
{
    return c->colour;
}

void console_give_up_out(struct console *c)
{
    dup3(c->err, c->out, O_CLOEXEC);
    c->hurries = true;
}

void console_watch_signals(struct console *c, int signal_fd)
{
    c->signals = signal_fd;
}

void console_hurry(struct console *c)
{
    c->hurries = true;
}

bool console_out_is_terminal(const struct console *c)
{
    return isatty(c->out);
}

size_t console_columns(int fd)
{
    struct winsize size;
    bool told = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= FEWEST_COLUMNS;
    return told ? size.ws_col : DEFAULT_COLUMNS;
}

size_t console_rows(int fd)
{
    struct winsize size;
    bool told = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
    return told ? size.ws_row : DEFAULT_ROWS;
}

size_t console_live_columns(const struct console *c)
{
    return console_columns(c->err);
}

size_t console_live_rows(const struct console *c)
{
    return console_rows(c->err);
}

size_t console_help_columns(const struct console *c)
{
    const char *columns = environment_get(ENVIRONMENT_COLUMNS);
    int64_t value;
    if (columns && str_to_int(columns, FEWEST_COLUMNS, MOST_COLUMNS, &value))
        return (size_t)value;
    return console_columns(c->out);
}

int console_out(struct console *c, const char *text, struct sc_err *err)
{
    int64_t until = c->hurries ? ctx_now_ms() + PATIENCE_MS : CTX_NO_DEADLINE;
    if (outlet_write(c->out, text, strlen(text), c->signals, until) == 0)
        return 0;
    if (errno == ETIMEDOUT)
        return err_set(err, ERR_TIMEOUT, "nobody reads standard output");
    if (errno != ECANCELED)
        return err_set_errno(err, ERR_SYSTEM, "cannot write to standard output");
    int signo = signals_take(c->signals);
    err_set(err, ERR_CANCELLED, "interrupted by %s, as nobody read standard output", signals_name(signo));
    return signo;
}

/* The bytes that take the block away and leave the cursor where it began. */
static void erase(const struct console *c, struct buf *out)
{
    if (c->block_lines)
        buf_printf(out, "\033[%zuA\r\033[J", c->block_lines);
}

/* With the lock held. */
static void settle(struct console *c)
{
    free(c->block);
    c->block = NULL;
    c->block_lines = 0;
}

/* What was printed last may have come to an end in the middle of a line. */
static void tell_gap(const struct console *c, struct buf *out)
{
    buf_puts(out, "\n");
    if (c->left_out)
        buf_printf(out, "warning: lines that nobody read, and that are left out here: %zu\n", c->left_out);
}

/* With the lock held; false if nobody read it: all threads wait for the lock, so who did not read in time is
 * not waited for again. Nobody can be told that standard error cannot be written to. */
static bool print(struct console *c, const struct buf *text)
{
    AUTO_BUF struct buf out = {.max = SIZE_MAX / 2};
    if (c->unread)
        tell_gap(c, &out);
    buf_append(&out, buf_text(text), text->len);
    int64_t until = ctx_now_ms() + (c->unread ? 0 : PATIENCE_MS);
    c->unread = outlet_write(c->err, buf_text(&out), out.len, -1, until) < 0 && errno == ETIMEDOUT;
    if (c->unread)
        settle(c); /* how much of it stands there nobody knows */
    else
        c->left_out = 0;
    return !c->unread;
}

static size_t count_lines(const char *text)
{
    size_t n = 0;
    while ((text = strchr(text, '\n'))) {
        text++;
        n++;
    }
    return n;
}

/* With the lock held: text that ends with a newline, above the block. */
static void print_above(struct console *c, const char *text)
{
    AUTO_BUF struct buf out = {.max = SIZE_MAX / 2};
    erase(c, &out);
    buf_puts(&out, text);
    if (c->block)
        buf_puts(&out, c->block);
    if (!print(c, &out))
        c->left_out += count_lines(text);
}

void console_line(struct console *c, const char *line)
{
    AUTO_FREE char *text = str_format("%s\n", line);
    pthread_mutex_lock(&c->lock);
    if (c->held)
        buf_puts(&c->kept, text);
    else
        print_above(c, text);
    pthread_mutex_unlock(&c->lock);
}

void console_hold(struct console *c)
{
    console_draw(c, "");
    pthread_mutex_lock(&c->lock);
    c->held = true;
    c->kept.max = KEPT_MAX;
    pthread_mutex_unlock(&c->lock);
}

void console_release(struct console *c)
{
    pthread_mutex_lock(&c->lock);
    c->held = false;
    if (c->kept.len)
        print_above(c, buf_text(&c->kept));
    buf_free(&c->kept);
    pthread_mutex_unlock(&c->lock);
}

void console_draw(struct console *c, const char *text)
{
    AUTO_BUF struct buf out = {0};
    if (!c->live)
        return;
    pthread_mutex_lock(&c->lock);
    if (!str_equal(c->block ? c->block : "", text)) {
        erase(c, &out);
        buf_puts(&out, text);
        if (print(c, &out)) {
            free(c->block);
            c->block = str_dup(text);
            c->block_lines = count_lines(text);
        }
    }
    pthread_mutex_unlock(&c->lock);
}

void console_settle(struct console *c)
{
    pthread_mutex_lock(&c->lock);
    settle(c);
    pthread_mutex_unlock(&c->lock);
}

char *console_clean(struct log *log, const char *text, bool keep_lines)
{
    AUTO_FREE char *redacted = log_redacted(log, text);
    return str_visible(redacted, strlen(redacted), keep_lines);
}

static const char *colour_of(const struct console *c, enum log_level level)
{
    static const char *const codes[] = {[LOG_ERROR] = "\033[31m", [LOG_WARN] = "\033[33m"};
    return c->colour && level <= LOG_WARN ? codes[level] : "";
}

/* "error: node 10.0.0.1: " */
static void print_labelled(struct console *c, enum log_level level, const char *who, const char *text)
{
    static const char *const labels[] = {
        [LOG_ERROR] = "error: ", [LOG_WARN] = "warning: ", [LOG_INFO] = "",
        [LOG_DEBUG] = "debug: ", [LOG_TRACE] = "trace: ",
    };
    const char *colour = colour_of(c, level);
    const char *kind = !who || who == log_who_store ? "" : "node ";
    AUTO_FREE char *line = str_format("%s%s%s%s%s%s%s", colour, labels[level], *colour ? "\033[0m" : "", kind,
                                      who ? who : "", who ? ": " : "", text);
    console_line(c, line);
}

void console_error(struct console *c, struct log *log, const char *who, const struct sc_err *err)
{
    AUTO_FREE char *text = console_clean(log, err->text ? err->text : "unknown error", false);
    print_labelled(c, LOG_ERROR, who, text);
    if (!err->hint)
        return;
    AUTO_FREE char *hint = console_clean(log, err->hint, true);
    char *rest = hint;
    for (const char *line; (line = strsep(&rest, "\n"));) {
        AUTO_FREE char *shown = str_format("  %s", line);
        if (*line)
            console_line(c, shown);
    }
}

void console_log_writer(void *arg, enum log_level level, const char *who, const char *line)
{
    print_labelled(arg, level, who, line);
}
