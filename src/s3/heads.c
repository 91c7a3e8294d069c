/* HEAD of many objects, or a GET of some bytes, a few in flight. */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/param.h>

#include "attempt.h"
#include "describe.h"
#include "snapctl/base/str.h"
#include "snapctl/s3/object.h"

enum {
    IN_FLIGHT = 16,
    IDLE_MS = 1000,
    LEAST_MS = 60000, /* for all, and for each more; a store that is slower is as good as none */
    EACH_MS = 100,
    PARTIAL = 206,
    ANSWER_MAX = 64 << 10
};

struct slot {
    struct s3_head *head; /* NULL: nothing is asked */
    struct s3_request request;
    struct s3_attempt attempt;
};

struct heads {
    struct s3_client *client;
    const struct ctx *ctx;
    struct s3_head *next, *end; /* that were not asked yet */
    struct slot slots[IN_FLIGHT];
    struct sc_err last; /* why one has to be asked again */
};

void s3_heads_free(struct s3_head *heads, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        s3_object_free(&heads[i].object);
        buf_free(&heads[i].bytes);
        err_clear(&heads[i].err);
    }
    free(heads);
}

static void prepare(struct slot *slot, struct s3_head *head)
{
    slot->head = head;
    slot->request = (struct s3_request){.method = head->len ? "GET" : "HEAD",
                                        .action = "s3:GetObject",
                                        .key = head->key,
                                        .response_max = ANSWER_MAX};
    slot->attempt = (struct s3_attempt){.request = &slot->request};
    if (!head->len)
        return;
    AUTO_FREE char *range = str_format("bytes=%" PRIu64 "-%" PRIu64, head->from, head->from + head->len - 1);
    s3_request_header(&slot->request, "range", range);
}

/* Gives each free slot an object. False: there is none left, and all slots are free. */
static bool fill(struct heads *h)
{
    bool any = false;
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        struct slot *slot = &h->slots[i];
        if (!slot->head && h->next < h->end)
            prepare(slot, h->next++);
        any |= slot->head != NULL;
    }
    return any;
}

/* Sends what is due. *next_ms: when the next one is. */
static int send_due(struct heads *h, int64_t *next_ms, struct sc_err *err)
{
    int64_t now = ctx_now_ms();
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        struct slot *slot = &h->slots[i];
        if (!slot->head || slot->attempt.call)
            continue;
        if (slot->attempt.not_before_ms > now)
            *next_ms = MIN(*next_ms, slot->attempt.not_before_ms);
        else if (s3_attempt_send(h->client, h->ctx, &slot->attempt, err) < 0)
            return -1;
    }
    return 0;
}

/* What the store answered of this object says nothing of the others, unless it is that it cannot answer. */
static int take_refusal(struct s3_head *head, const struct s3_reply *reply, struct sc_err *why,
                        struct sc_err *err)
{
    if (s3_reply_refused(reply, "NoSuchKey"))
        return 0;
    bool its_own = reply->refusal.code && why->kind != ERR_STORE;
    err_move(its_own ? &head->err : err, why);
    return its_own ? 0 : -1;
}

static int take_bytes(struct s3_head *head, struct s3_reply *reply, struct sc_err *err)
{
    struct buf *body = &reply->http.body;
    if (body->len != head->len || (reply->http.status != PARTIAL && head->from))
        return err_set(err, ERR_STORE,
                       "the store sent %zu bytes from byte %" PRIu64 " of %s on, %zu were asked for",
                       body->len, head->from, head->key, head->len);
    head->bytes = *body;
    *body = (struct buf){0};
    return 0;
}

static int take_answer(struct heads *h, struct slot *slot, struct sc_err *err)
{
    AUTO_REPLY struct s3_reply reply = {0};
    AUTO_ERR struct sc_err why = {0};
    enum s3_outcome outcome = s3_attempt_judge(h->client, h->ctx, &slot->attempt, &reply, &why);
    if (outcome == S3_LATER) {
        err_move(&h->last, &why);
        return 0;
    }
    struct s3_head *head = slot->head;
    s3_request_free(&slot->request);
    *slot = (struct slot){0};
    err_clear(&h->last);
    if (outcome == S3_FAILED)
        return take_refusal(head, &reply, &why, err);
    describe_object(&reply, &head->object);
    return head->len ? take_bytes(head, &reply, err) : 0;
}

static struct slot *slot_of(struct heads *h, const struct http_call *call)
{
    for (size_t i = 0; i < IN_FLIGHT; i++)
        if (h->slots[i].attempt.call == call)
            return &h->slots[i];
    return NULL;
}

static int ask_all(struct heads *h, struct sc_err *err)
{
    while (fill(h)) {
        int64_t now = ctx_now_ms(), next = now + IDLE_MS;
        struct http_call *done = NULL;
        if (send_due(h, &next, err) < 0)
            return -1;
        if (http_wait(s3_client_http(h->client), h->ctx, MAX(next - now, 0), &done, err) < 0)
            return s3_attempt_too_late(&h->last, err);
        struct slot *slot = done ? slot_of(h, done) : NULL;
        if (slot && take_answer(h, slot, err) < 0)
            return -1;
    }
    return 0;
}

int s3_object_heads(struct s3_client *client, const struct ctx *ctx, struct s3_head *heads, size_t n,
                    struct sc_err *err)
{
    const struct ctx limited = ctx_within(ctx, LEAST_MS + (int64_t)n * EACH_MS);
    struct heads h = {.client = client, .ctx = &limited, .next = heads, .end = heads + n};
    int result = ask_all(&h, err);
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        s3_attempt_break_off(&h.slots[i].attempt);
        s3_request_free(&h.slots[i].request);
    }
    err_clear(&h.last);
    return result;
}
