#include "snapctl/base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"

const char log_who_store[] = "S3";

enum { SHORTEST_SECRET = 4, SHORTEST_LINE = 8 };

struct log {
    enum log_level level;
    log_writer *writer;
    void *arg;
    pthread_mutex_t lock;
    struct hidden {
        struct secret *value;
    } * hidden;
    size_t n_hidden;
};

struct log *log_new(enum log_level level, log_writer *writer, void *arg)
{
    struct log *log = mem_calloc(1, sizeof *log);
    log->level = level;
    log->writer = writer;
    log->arg = arg;
    pthread_mutex_init(&log->lock, NULL);
    return log;
}

void log_free(struct log *log)
{
    if (!log)
        return;
    for (size_t i = 0; i < log->n_hidden; i++)
        secret_free(log->hidden[i].value);
    free(log->hidden);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

static void add(struct log *log, const char *data, size_t len)
{
    log->hidden = mem_realloc(log->hidden, log->n_hidden + 1, sizeof *log->hidden);
    log->hidden[log->n_hidden++].value = secret_new(data, len);
}

void log_redact(struct log *log, const struct secret *secret)
{
    if (!log || !secret || secret_len(secret) < SHORTEST_SECRET)
        return;
    pthread_mutex_lock(&log->lock);
    add(log, secret_data(secret), secret_len(secret));
    /* A key of many lines can turn up one line at a time. */
    const char *line = secret_data(secret), *end = line + secret_len(secret);
    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t len = (size_t)((newline ? newline : end) - line), next = len + 1;
        if (len && line[len - 1] == '\r')
            len--;
        if (len >= SHORTEST_LINE && len < secret_len(secret))
            add(log, line, len);
        line += next;
    }
    pthread_mutex_unlock(&log->lock);
}

/* Secrets may overlap in a text, and one may be part of another: so all are marked first. */
static void mark_all(const char *text, size_t len, const struct secret *secret, bool *marks)
{
    const char *end = text + len, *hit = text;
    while ((hit = memmem(hit, (size_t)(end - hit), secret_data(secret), secret_len(secret)))) {
        memset(marks + (hit - text), true, secret_len(secret));
        hit++;
    }
}

/* With the lock held. */
static char *redacted(const struct log *log, const char *text)
{
    size_t len = strlen(text);
    AUTO_FREE bool *marks = mem_calloc(len + 1, sizeof *marks);
    for (size_t i = 0; i < log->n_hidden; i++)
        mark_all(text, len, log->hidden[i].value, marks);
    struct buf out = {.max = SIZE_MAX / 2};
    for (size_t at = 0; at < len; at++)
        if (!marks[at])
            buf_append(&out, text + at, 1);
        else if (at == 0 || !marks[at - 1])
            buf_puts(&out, "***");
    return buf_take(&out);
}

char *log_redacted(struct log *log, const char *text)
{
    if (!log)
        return str_dup(text);
    pthread_mutex_lock(&log->lock);
    char *result = redacted(log, text);
    pthread_mutex_unlock(&log->lock);
    return result;
}

bool log_enabled(const struct log *log, enum log_level level)
{
    return log && level <= log->level;
}

void log_write(struct log *log, enum log_level level, const char *who, const char *format, ...)
{
    if (!log_enabled(log, level))
        return;
    va_list args;
    va_start(args, format);
    AUTO_FREE char *text = str_vformat(format, args);
    va_end(args);
    pthread_mutex_lock(&log->lock);
    AUTO_FREE char *clean = redacted(log, text);
    AUTO_FREE char *line = str_visible(clean, strlen(clean), false);
    log->writer(log->arg, level, who, line);
    pthread_mutex_unlock(&log->lock);
}
