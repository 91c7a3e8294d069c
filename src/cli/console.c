#include "snapctl/cli/console.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/environment.h"

enum { DEFAULT_COLUMNS = 80, DEFAULT_ROWS = 24, FEWEST_COLUMNS = 20, MOST_COLUMNS = 500 };

struct console {
    int out, err;
    bool live, colour;
    pthread_mutex_t lock;
    char *block; /* as drawn; NULL: none */
    size_t block_lines;
    bool held;
    struct buf kept; /* lines that came meanwhile */
};

enum { KEPT_MAX = 16 << 20 };

struct console *console_new(int out_fd, int err_fd, bool live, bool colour)
{
    struct console *c = mem_calloc(1, sizeof *c);
    c->out = out_fd;
    c->err = err_fd;
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
    c->out = c->err;
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

/* All of it, also to a descriptor that someone else made non-blocking. */
static int write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EAGAIN)
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        else if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

int console_out(struct console *c, const char *text, struct sc_err *err)
{
    if (write_all(c->out, text, strlen(text)) < 0)
        return err_set_errno(err, ERR_SYSTEM, "cannot write to standard output");
    return 0;
}

/* The bytes that take the block away and leave the cursor where it began. */
static void erase(const struct console *c, struct buf *out)
{
    if (c->block_lines)
        buf_printf(out, "\033[%zuA\r\033[J", c->block_lines);
}

/* Nobody can be told that standard error cannot be written to. */
static void print(const struct console *c, const struct buf *out)
{
    int ignored = write_all(c->err, buf_text(out), out->len);
    (void)ignored;
}

/* With the lock held: text that ends with a newline, above the block. */
static void print_above(const struct console *c, const char *text)
{
    AUTO_BUF struct buf out = {.max = SIZE_MAX / 2};
    erase(c, &out);
    buf_puts(&out, text);
    if (c->block)
        buf_puts(&out, c->block);
    print(c, &out);
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

static size_t count_lines(const char *text)
{
    size_t n = 0;
    while ((text = strchr(text, '\n'))) {
        text++;
        n++;
    }
    return n;
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
        print(c, &out);
        free(c->block);
        c->block = str_dup(text);
        c->block_lines = count_lines(text);
    }
    pthread_mutex_unlock(&c->lock);
}

void console_settle(struct console *c)
{
    pthread_mutex_lock(&c->lock);
    free(c->block);
    c->block = NULL;
    c->block_lines = 0;
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
