/* Sending a request until it is answered for good: the part of the client that its operations use. */
#ifndef SNAPCTL_S3_ATTEMPT_H
#define SNAPCTL_S3_ATTEMPT_H

#include "request.h"
#include "snapctl/s3/client.h"
#include "snapctl/s3/error.h"

/* What was answered, also to a request that failed. */
struct s3_reply {
    struct http_response http;
    struct s3_refusal refusal; /* code is NULL after a success, and if nothing was answered */
};
void s3_reply_free(struct s3_reply *reply);
#define AUTO_REPLY CLEANUP(s3_reply_free)

bool s3_reply_refused(const struct s3_reply *reply, const char *code);

/* The header without the quotes around it; NULL if it is missing. The caller frees it. */
char *s3_reply_unquoted(const struct s3_reply *reply, const char *name) WARN_UNUSED;

/* Sends the request until it succeeds, fails for good, or the ctx ends. */
int s3_perform(struct s3_client *client, const struct ctx *ctx, const struct s3_request *request,
               struct s3_reply *reply, struct sc_err *err) WARN_UNUSED;

/* The same in steps, for several requests in flight: send; when http_wait gives the call, judge; after
 * S3_LATER send again once not_before_ms has come. */
struct s3_attempt {
    const struct s3_request *request;
    struct http_call *call; /* in flight; NULL: none */
    int64_t not_before_ms;
    int64_t went_ms;          /* for which the last one's bytes moved */
    int64_t first_failure_ms; /* 0: none yet */
    unsigned failures;        /* from that one on */
    bool damaged_once;
    unsigned generation; /* of the client's corrections, when it was signed */
};

enum s3_outcome { S3_DONE, S3_LATER, S3_FAILED };

int s3_attempt_send(struct s3_client *client, const struct ctx *ctx, struct s3_attempt *attempt,
                    struct sc_err *err) WARN_UNUSED;
enum s3_outcome s3_attempt_judge(struct s3_client *client, const struct ctx *ctx, struct s3_attempt *attempt,
                                 struct s3_reply *reply, struct sc_err *err) WARN_UNUSED;
void s3_attempt_break_off(struct s3_attempt *attempt);

/* The ctx has ended, as err tells: where that is for want of time, what was the matter with the last try (err
 * of S3_LATER) says more. Returns -1. */
int s3_attempt_too_late(struct sc_err *last, struct sc_err *err);

#endif
