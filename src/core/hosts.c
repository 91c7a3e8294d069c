#include "hosts.h"

#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"

/* A node that is slow to answer does not keep the person waiting; if it is unknown too, it is asked for
 * later. */
enum { LATEST_MS = 2000 };

struct question {
    char *address, *type, *fingerprint;
    int port;
    bool answered, trusted;
};

struct hosts {
    struct runner *runner;
    size_t open; /* node threads that may still bring a question */
    size_t waiting;
    int64_t newest_ms;
    struct question *questions;
    size_t n;
};

struct hosts *hosts_new(struct runner *runner, size_t nodes)
{
    struct hosts *h = mem_calloc(1, sizeof *h);
    h->runner = runner;
    h->open = nodes;
    return h;
}

void hosts_free(struct hosts *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->n; i++) {
        free(h->questions[i].address);
        free(h->questions[i].type);
        free(h->questions[i].fingerprint);
    }
    free(h->questions);
    free(h);
}

/* The index of the question, which is added if it is new. */
static size_t find(struct hosts *h, const struct host_key_question *q)
{
    for (size_t i = 0; i < h->n; i++) {
        const struct question *known = &h->questions[i];
        if (known->port == q->port && str_equal(known->address, q->address) &&
            str_equal(known->fingerprint, q->fingerprint))
            return i;
    }
    h->questions = mem_realloc(h->questions, h->n + 1, sizeof *h->questions);
    h->questions[h->n] = (struct question){.address = str_dup(q->address),
                                           .type = str_dup(q->type),
                                           .fingerprint = str_dup(q->fingerprint),
                                           .port = q->port};
    h->newest_ms = ctx_now_ms();
    return h->n++;
}

bool hosts_confirm(void *arg, const struct ctx *ctx, const struct host_key_question *question)
{
    struct hosts *h = arg;
    runner_lock(h->runner);
    size_t i = find(h, question);
    h->waiting++;
    runner_wake(h->runner);
    int result = 0;
    while (!h->questions[i].answered && result == 0)
        result = runner_wait(h->runner, ctx, NULL);
    h->waiting--;
    bool trusted = h->questions[i].answered && h->questions[i].trusted;
    runner_unlock(h->runner);
    return trusted;
}

void hosts_settled(struct hosts *h)
{
    runner_lock(h->runner);
    h->open--;
    runner_wake(h->runner);
    runner_unlock(h->runner);
}

bool hosts_were_asked(struct hosts *h)
{
    runner_lock(h->runner);
    bool asked = false;
    for (size_t i = 0; i < h->n; i++)
        asked |= h->questions[i].answered;
    runner_unlock(h->runner);
    return asked;
}

static size_t count_open_questions(const struct hosts *h)
{
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++)
        n += !h->questions[i].answered;
    return n;
}

/* As a person compares them with a list, not as they came. */
static int by_address(const void *a, const void *b)
{
    const struct host_key_question *left = a, *right = b;
    int order = strverscmp(left->address, right->address);
    return order ? order : left->port - right->port;
}

void hosts_ask(struct hosts *h, const struct run_ui *ui)
{
    runner_lock(h->runner);
    size_t n = count_open_questions(h);
    bool time = n && h->waiting && (h->waiting >= h->open || ctx_now_ms() - h->newest_ms >= LATEST_MS);
    AUTO_FREE struct host_key_question *asked = mem_calloc(n, sizeof *asked);
    AUTO_FREE size_t *indices = mem_calloc(n, sizeof *indices);
    size_t at = 0;
    for (size_t i = 0; i < h->n && time; i++) {
        const struct question *q = &h->questions[i];
        if (q->answered)
            continue;
        indices[at] = i;
        asked[at++] = (struct host_key_question){q->address, q->port, q->type, q->fingerprint};
    }
    runner_unlock(h->runner);
    if (!time)
        return;
    qsort(asked, n, sizeof *asked, by_address);
    bool trusted = ui->confirm(ui->arg, asked, n);
    runner_lock(h->runner);
    for (size_t i = 0; i < n; i++) {
        h->questions[indices[i]].answered = true;
        h->questions[indices[i]].trusted = trusted;
    }
    runner_wake(h->runner);
    runner_unlock(h->runner);
}
