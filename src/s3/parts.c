#include "parts.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "snapctl/base/str.h"
#include "write.h"

enum { IDLE_MS = 1000 };

enum buffer_state { BUFFER_FREE, BUFFER_FILLING, BUFFER_READY, BUFFER_SENDING };

struct buffer {
    enum buffer_state state;
    size_t number; /* of the part, from 0 */
    char *data;    /* of part_size; NULL until it is first used */
    size_t len;
    EVP_MD_CTX *hash;
    char hex[SIGV4_HASH_SIZE];
    /* The sender's. */
    struct s3_request request;
    struct s3_attempt attempt;
};

struct parts {
    struct parts_setup setup;
    struct ctx ctx; /* the sender's: cancelled by stop alone */
    struct cancel *stop;
    pthread_t thread;
    bool started;
    atomic_uint_least64_t sent;

    /* The sender's until it has ended. */
    char *upload_id;
    bool unanswered; /* the request for it */
    struct s3_part *list;
    struct sc_err last; /* why a part has to be sent again */

    /* The writer's. */
    struct buffer *filling;
    size_t next_number;

    pthread_mutex_t lock; /* of the states and what follows */
    int news;             /* eventfd: a buffer became free, or the sender ended */
    bool complete;        /* no more parts come */
    bool ended, failed;
    struct sc_err err; /* why the sender failed */
    size_t n_buffers;
    struct buffer buffers[];
};

struct parts *parts_new(const struct ctx *ctx, const struct parts_setup *setup)
{
    size_t n = setup->concurrency + 1;
    if (n > setup->n_parts)
        n = setup->n_parts;
    struct parts *parts = mem_calloc(1, sizeof *parts + n * sizeof *parts->buffers);
    parts->setup = *setup;
    parts->stop = cancel_new();
    parts->ctx = (struct ctx){
        .log = ctx->log, .cancel = parts->stop, .deadline_ms = ctx->deadline_ms, .who = ctx->who};
    parts->list = mem_calloc(setup->n_parts, sizeof *parts->list);
    parts->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (parts->news < 0)
        abort();
    pthread_mutex_init(&parts->lock, NULL);
    parts->n_buffers = n;
    return parts;
}

void parts_free(struct parts *parts)
{
    if (!parts)
        return;
    parts_stop(parts);
    for (size_t i = 0; i < parts->n_buffers; i++) {
        s3_request_free(&parts->buffers[i].request);
        EVP_MD_CTX_free(parts->buffers[i].hash);
        free(parts->buffers[i].data);
    }
    for (size_t i = 0; i < parts->setup.n_parts; i++)
        free(parts->list[i].etag);
    free(parts->list);
    free(parts->upload_id);
    err_clear(&parts->err);
    err_clear(&parts->last);
    pthread_mutex_destroy(&parts->lock);
    close(parts->news);
    cancel_free(parts->stop);
    free(parts);
}

static void tell_news(struct parts *parts)
{
    uint64_t one = 1;
    ssize_t ignored = write(parts->news, &one, sizeof one);
    (void)ignored;
}

static void set_state(struct parts *parts, struct buffer *buffer, enum buffer_state state)
{
    pthread_mutex_lock(&parts->lock);
    buffer->state = state;
    pthread_mutex_unlock(&parts->lock);
}

/* ---- the sender ---- */

static void prepare(struct parts *parts, struct buffer *buffer)
{
    struct s3_request *request = &buffer->request;
    s3_request_free(request);
    *request = (struct s3_request){.method = "PUT",
                                   .action = "s3:PutObject",
                                   .key = parts->setup.write->key,
                                   .body = buffer->data,
                                   .body_len = buffer->len,
                                   .body_hash = buffer->hex};
    AUTO_FREE char *number = str_format("%zu", buffer->number + 1);
    s3_request_query(request, "partNumber", number);
    s3_request_query(request, "uploadId", parts->upload_id);
    if (write_wants_checksum(parts->setup.write)) {
        write_checksum(buffer->hex, parts->list[buffer->number].checksum);
        s3_request_header(request, "x-amz-checksum-sha256", parts->list[buffer->number].checksum);
    }
    buffer->attempt = (struct s3_attempt){.request = request};
}

/* The one that is ready and comes first, or NULL. */
static struct buffer *take_ready(struct parts *parts)
{
    struct buffer *first = NULL;
    pthread_mutex_lock(&parts->lock);
    for (size_t i = 0; i < parts->n_buffers; i++) {
        struct buffer *b = &parts->buffers[i];
        if (b->state == BUFFER_READY && (!first || b->number < first->number))
            first = b;
    }
    if (first)
        first->state = BUFFER_SENDING;
    pthread_mutex_unlock(&parts->lock);
    return first;
}

/* Only the sender moves buffers to and from this state, so it may look without the lock. */
static size_t count_sending(struct parts *parts)
{
    size_t n = 0;
    pthread_mutex_lock(&parts->lock);
    for (size_t i = 0; i < parts->n_buffers; i++)
        n += parts->buffers[i].state == BUFFER_SENDING;
    pthread_mutex_unlock(&parts->lock);
    return n;
}

static bool all_arrived(struct parts *parts)
{
    pthread_mutex_lock(&parts->lock);
    bool done = parts->complete;
    for (size_t i = 0; i < parts->n_buffers; i++)
        done = done && parts->buffers[i].state == BUFFER_FREE;
    pthread_mutex_unlock(&parts->lock);
    return done;
}

/* Sends what is due of those being sent, again. *next_ms: when the next one is. */
static int resend(struct parts *parts, int64_t *next_ms, struct sc_err *err)
{
    int64_t now = ctx_now_ms();
    for (size_t i = 0; i < parts->n_buffers; i++) {
        struct buffer *b = &parts->buffers[i];
        bool waiting = b->attempt.request && !b->attempt.call;
        if (!waiting)
            continue;
        if (b->attempt.not_before_ms > now) {
            if (b->attempt.not_before_ms < *next_ms)
                *next_ms = b->attempt.not_before_ms;
        } else if (s3_attempt_send(parts->setup.client, &parts->ctx, &b->attempt, err) < 0) {
            return -1;
        }
    }
    return 0;
}

static struct buffer *buffer_of(struct parts *parts, const struct http_call *call)
{
    for (size_t i = 0; i < parts->n_buffers; i++)
        if (parts->buffers[i].attempt.call == call)
            return &parts->buffers[i];
    return NULL;
}

static int arrived(struct parts *parts, struct buffer *buffer, const struct s3_reply *reply,
                   struct sc_err *err)
{
    struct s3_part *part = &parts->list[buffer->number];
    part->etag = http_response_header(&reply->http, "etag");
    if (!part->etag || !*part->etag)
        return err_set(err, ERR_STORE, "the store's answer to part %zu has no ETag", buffer->number + 1);
    atomic_fetch_add(&parts->sent, buffer->len);
    err_clear(&parts->last);
    buffer->attempt = (struct s3_attempt){0};
    set_state(parts, buffer, BUFFER_FREE);
    tell_news(parts);
    return 0;
}

static int judge(struct parts *parts, struct buffer *buffer, struct sc_err *err)
{
    AUTO_REPLY struct s3_reply reply = {0};
    AUTO_ERR struct sc_err why = {0};
    switch (s3_attempt_judge(parts->setup.client, &parts->ctx, &buffer->attempt, &reply, &why)) {
    case S3_DONE:
        return arrived(parts, buffer, &reply, err);
    case S3_LATER:
        err_move(&parts->last, &why);
        if (parts->last.kind != ERR_NONE)
            err_wrap(&parts->last, "part %zu of %zu", buffer->number + 1, parts->setup.n_parts);
        return 0;
    default:
        err_move(err, &why);
        return err_wrap(err, "part %zu of %zu", buffer->number + 1, parts->setup.n_parts);
    }
}

static int send_parts(struct parts *parts, struct sc_err *err)
{
    struct http *http = s3_client_http(parts->setup.client);
    while (!all_arrived(parts)) {
        struct buffer *ready;
        while (count_sending(parts) < parts->setup.concurrency && (ready = take_ready(parts)))
            prepare(parts, ready);
        int64_t now = ctx_now_ms(), next = now + IDLE_MS;
        if (resend(parts, &next, err) < 0)
            return -1;
        struct http_call *done = NULL;
        if (http_wait(http, &parts->ctx, next > now ? next - now : 0, &done, err) < 0)
            return s3_attempt_too_late(&parts->last, err);
        struct buffer *buffer = done ? buffer_of(parts, done) : NULL;
        if (buffer && judge(parts, buffer, err) < 0)
            return -1;
    }
    return 0;
}

static void *run(void *arg)
{
    struct parts *parts = arg;
    struct sc_err err = {0};
    int result =
        s3_multipart_create(parts->setup.client, &parts->ctx, parts->setup.write, &parts->upload_id, &err);
    parts->unanswered = result < 0 && (err.kind == ERR_TIMEOUT || err.kind == ERR_CANCELLED);
    if (result == 0)
        result = send_parts(parts, &err);
    for (size_t i = 0; i < parts->n_buffers; i++)
        s3_attempt_break_off(&parts->buffers[i].attempt);
    pthread_mutex_lock(&parts->lock);
    parts->ended = true;
    parts->failed = result < 0;
    parts->err = err;
    pthread_mutex_unlock(&parts->lock);
    tell_news(parts);
    return NULL;
}

int parts_start(struct parts *parts, struct sc_err *err)
{
    sigset_t all, before;
    sigfillset(&all);
    /* Signals are main's. */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errno = pthread_create(&parts->thread, NULL, run, parts);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (errno)
        return err_set_errno(err, ERR_SYSTEM, "cannot start a thread for the upload");
    parts->started = true;
    return 0;
}

void parts_stop(struct parts *parts)
{
    if (!parts->started)
        return;
    cancel_fire(parts->stop);
    pthread_join(parts->thread, NULL);
    parts->started = false;
}

/* ---- the writer ---- */

static int check_failed(struct parts *parts, struct sc_err *err)
{
    pthread_mutex_lock(&parts->lock);
    bool failed = parts->failed;
    if (failed) {
        err_set(err, parts->err.kind, "%s", parts->err.text);
        if (parts->err.hint)
            err_hint(err, "%s", parts->err.hint);
    }
    pthread_mutex_unlock(&parts->lock);
    return failed ? -1 : 0;
}

/* What made the news is read before the state is looked at again, so nothing is missed. */
static int wait_for_news(struct parts *parts, const struct ctx *ctx, struct sc_err *err)
{
    uint64_t count;
    if (ctx_wait(ctx, parts->news, POLLIN, -1, err) < 0)
        return -1;
    ssize_t ignored = read(parts->news, &count, sizeof count);
    (void)ignored;
    return 0;
}

static struct buffer *find_free(struct parts *parts)
{
    struct buffer *found = NULL;
    pthread_mutex_lock(&parts->lock);
    for (size_t i = 0; i < parts->n_buffers && !found; i++)
        if (parts->buffers[i].state == BUFFER_FREE)
            found = &parts->buffers[i];
    if (found)
        found->state = BUFFER_FILLING;
    pthread_mutex_unlock(&parts->lock);
    return found;
}

static int begin_part(struct parts *parts, const struct ctx *ctx, struct sc_err *err)
{
    struct buffer *b;
    if (check_failed(parts, err) < 0)
        return -1;
    while (!(b = find_free(parts)))
        if (wait_for_news(parts, ctx, err) < 0 || check_failed(parts, err) < 0)
            return -1;
    if (!b->data)
        b->data = mem_calloc(parts->setup.part_size, 1);
    if (!b->hash)
        b->hash = EVP_MD_CTX_new();
    EVP_DigestInit_ex(b->hash, EVP_sha256(), NULL);
    b->len = 0;
    b->number = parts->next_number++;
    parts->filling = b;
    return 0;
}

static void end_part(struct parts *parts)
{
    struct buffer *b = parts->filling;
    unsigned char digest[32];
    EVP_DigestFinal_ex(b->hash, digest, NULL);
    for (size_t i = 0; i < sizeof digest; i++) {
        b->hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        b->hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    parts->filling = NULL;
    set_state(parts, b, BUFFER_READY);
    http_wake(s3_client_http(parts->setup.client));
}

int parts_write(struct parts *parts, const struct ctx *ctx, const char *data, size_t len, struct sc_err *err)
{
    while (len) {
        if (!parts->filling && begin_part(parts, ctx, err) < 0)
            return -1;
        struct buffer *b = parts->filling;
        size_t room = parts->setup.part_size - b->len;
        size_t n = len < room ? len : room;
        memcpy(b->data + b->len, data, n);
        EVP_DigestUpdate(b->hash, data, n);
        b->len += n;
        data += n;
        len -= n;
        if (b->len == parts->setup.part_size)
            end_part(parts);
    }
    return 0;
}

static bool has_ended(struct parts *parts)
{
    pthread_mutex_lock(&parts->lock);
    bool ended = parts->ended;
    pthread_mutex_unlock(&parts->lock);
    return ended;
}

int parts_finish(struct parts *parts, const struct ctx *ctx, parts_news *news, void *arg, struct sc_err *err)
{
    if (parts->filling)
        end_part(parts);
    pthread_mutex_lock(&parts->lock);
    parts->complete = true;
    pthread_mutex_unlock(&parts->lock);
    http_wake(s3_client_http(parts->setup.client));
    int result = 0;
    while (result == 0 && !has_ended(parts)) {
        news(arg);
        result = wait_for_news(parts, ctx, err);
    }
    parts_stop(parts);
    return result < 0 ? -1 : check_failed(parts, err);
}

uint64_t parts_sent(const struct parts *parts)
{
    return atomic_load(&parts->sent);
}

bool parts_unanswered(const struct parts *parts)
{
    return parts->unanswered;
}

const char *parts_upload_id(const struct parts *parts)
{
    return parts->upload_id;
}

const struct s3_part *parts_list(const struct parts *parts)
{
    return parts->list;
}
