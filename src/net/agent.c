#include "agent.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "snapctl/base/str.h"
#include "wire.h"

enum {
    REQUEST_IDENTITIES = 11,
    IDENTITIES_ANSWER = 12,
    SIGN_REQUEST = 13,
    SIGN_RESPONSE = 14,
    MESSAGE_MAX = 256 * 1024, /* OpenSSH's limit */
    IDENTITIES_MAX = 2048,
    FULL_RETRY_MS = 20,
};

/* A local socket whose listener's queue is full answers EAGAIN at once, and cannot be polled. */
static int join(const struct ctx *ctx, int fd, const struct sockaddr_un *to, struct sc_err *err)
{
    while (connect(fd, (const struct sockaddr *)to, sizeof *to) < 0) {
        if (errno != EAGAIN)
            return err_set_errno(err, ERR_AUTH, "cannot reach the SSH agent at %s", to->sun_path);
        if (ctx_wait(ctx, -1, 0, FULL_RETRY_MS, err) < 0)
            return err_wrap(err, "connecting to the SSH agent");
    }
    return 0;
}

int agent_connect(const struct ctx *ctx, const char *path, int *fd, struct sc_err *err)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof to.sun_path)
        return err_set(err, ERR_AUTH, "the path of the SSH agent's socket is too long: %s", path);
    memcpy(to.sun_path, path, strlen(path));
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return err_set_errno(err, ERR_SYSTEM, "cannot make a socket");
    if (join(ctx, *fd, &to, err) < 0) {
        close(*fd);
        *fd = -1;
        if (err->kind == ERR_AUTH)
            err_hint(
                err,
                "is the agent running, and does SSH_AUTH_SOCK name its socket? ssh-add -l lists its keys");
        return -1;
    }
    return 0;
}

static int broken(ssize_t n, struct sc_err *err)
{
    if (n == 0)
        return err_set(err, ERR_AUTH, "the SSH agent hung up");
    return err_set_errno(err, ERR_AUTH, "talking to the SSH agent");
}

static int send_all(const struct ctx *ctx, int fd, const struct buf *message, struct sc_err *err)
{
    for (size_t at = 0; at < message->len;) {
        ssize_t n = send(fd, message->data + at, message->len - at, MSG_NOSIGNAL);
        if (n >= 0)
            at += (size_t)n;
        else if (errno != EAGAIN && errno != EINTR)
            return broken(n, err);
        else if (ctx_wait(ctx, fd, POLLOUT, -1, err) < 0)
            return err_wrap(err, "waiting for the SSH agent");
    }
    return 0;
}

static int receive_all(const struct ctx *ctx, int fd, void *data, size_t len, struct sc_err *err)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = recv(fd, (char *)data + at, len - at, 0);
        if (n > 0)
            at += (size_t)n;
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
            return broken(n, err);
        else if (ctx_wait(ctx, fd, POLLIN, -1, err) < 0)
            return err_wrap(err, "waiting for the SSH agent");
    }
    return 0;
}

/* Sends a message (without its length) and reads the answer's body. */
static int talk(const struct ctx *ctx, int fd, const struct buf *message, struct buf *answer,
                struct sc_err *err)
{
    AUTO_BUF struct buf framed = {0};
    unsigned char head[4];
    uint32_t len;
    wire_put_string(&framed, message->data, message->len);
    if (send_all(ctx, fd, &framed, err) < 0 || receive_all(ctx, fd, head, sizeof head, err) < 0)
        return -1;
    struct wire w = {head, sizeof head};
    if (!wire_u32(&w, &len) || len == 0 || len > MESSAGE_MAX)
        return err_set(err, ERR_AUTH, "the SSH agent gave an answer of an impossible length");
    AUTO_FREE char *body = mem_calloc(len, 1);
    if (receive_all(ctx, fd, body, len, err) < 0)
        return -1;
    buf_append(answer, body, len);
    return 0;
}

/* Steps over the type of an answer, which must be the wanted one. */
static bool take_type(struct wire *w, unsigned char wanted)
{
    if (!w->left || *w->at != wanted)
        return false;
    *w = (struct wire){w->at + 1, w->left - 1};
    return true;
}

static int parse_identities(struct wire w, uint32_t n, struct agent_identities *out, struct sc_err *err)
{
    out->list = mem_calloc(n, sizeof *out->list);
    while (out->n < n) {
        struct wire blob, comment;
        if (!wire_string(&w, &blob) || !wire_string(&w, &comment))
            return err_set(err, ERR_AUTH, "the SSH agent's list of keys ends too early");
        struct agent_identity *to = &out->list[out->n++];
        buf_append(&to->blob, blob.at, blob.left);
        to->comment = str_visible((const char *)comment.at, comment.left, false);
    }
    return 0;
}

int agent_parse_list(const void *data, size_t len, struct agent_identities *out, struct sc_err *err)
{
    struct wire w = {data, len};
    uint32_t n;
    *out = (struct agent_identities){0};
    if (!take_type(&w, IDENTITIES_ANSWER) || !wire_u32(&w, &n))
        return err_set(err, ERR_AUTH, "the SSH agent does not list its keys");
    if (n > IDENTITIES_MAX)
        return err_set(err, ERR_AUTH, "the SSH agent claims to have %u keys", (unsigned)n);
    if (parse_identities(w, n, out, err) == 0)
        return 0;
    agent_identities_free(out);
    return -1;
}

int agent_list(const struct ctx *ctx, int fd, struct agent_identities *out, struct sc_err *err)
{
    AUTO_BUF struct buf message = {0}, answer = {0};
    unsigned char type = REQUEST_IDENTITIES;
    buf_append(&message, &type, 1);
    if (talk(ctx, fd, &message, &answer, err) < 0)
        return -1;
    return agent_parse_list(answer.data, answer.len, out, err);
}

void agent_identities_free(struct agent_identities *identities)
{
    for (size_t i = 0; i < identities->n; i++) {
        buf_free(&identities->list[i].blob);
        free(identities->list[i].comment);
    }
    free(identities->list);
    *identities = (struct agent_identities){0};
}

int agent_parse_signature(const void *data, size_t len, struct buf *algorithm, struct buf *signature,
                          struct sc_err *err)
{
    struct wire w = {data, len}, whole, name, bytes;
    if (!take_type(&w, SIGN_RESPONSE))
        return err_set(err, ERR_AUTH, "the SSH agent refused to sign");
    if (!wire_string(&w, &whole) || !wire_string(&whole, &name) || !wire_string(&whole, &bytes))
        return err_set(err, ERR_AUTH, "the SSH agent's signature ends too early");
    buf_append(algorithm, name.at, name.left);
    buf_append(signature, bytes.at, bytes.left);
    return 0;
}

int agent_sign(const struct ctx *ctx, int fd, const struct buf *blob, const void *data, size_t len,
               uint32_t flags, struct buf *algorithm, struct buf *signature, struct sc_err *err)
{
    AUTO_BUF struct buf message = {0}, answer = {0};
    unsigned char type = SIGN_REQUEST;
    buf_append(&message, &type, 1);
    wire_put_string(&message, blob->data, blob->len);
    wire_put_string(&message, data, len);
    wire_put_u32(&message, flags);
    if (talk(ctx, fd, &message, &answer, err) < 0)
        return -1;
    return agent_parse_signature(answer.data, answer.len, algorithm, signature, err);
}
