/* A client of an SSH agent (draft-miller-ssh-agent), with deadlines. One that belongs to one thread. */
#ifndef SNAPCTL_SRC_NET_AGENT_H
#define SNAPCTL_SRC_NET_AGENT_H

#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/ctx.h"

struct agent_identity {
    struct buf blob; /* the public key, or certificate */
    char *comment;   /* visible */
};

struct agent_identities {
    struct agent_identity *list;
    size_t n;
};

/* ERR_AUTH if nobody listens at path. */
int agent_connect(const struct ctx *ctx, const char *path, int *fd, struct sc_err *err) WARN_UNUSED;

int agent_list(const struct ctx *ctx, int fd, struct agent_identities *out, struct sc_err *err) WARN_UNUSED;
void agent_identities_free(struct agent_identities *identities);

enum { AGENT_RSA_SHA2_256 = 2, AGENT_RSA_SHA2_512 = 4 };

/* Signs data; algorithm and signature are the two strings of the answer (RFC 4253, section 6.6). */
int agent_sign(const struct ctx *ctx, int fd, const struct buf *blob, const void *data, size_t len,
               uint32_t flags, struct buf *algorithm, struct buf *signature, struct sc_err *err) WARN_UNUSED;

/* The bodies of answers, for the calls above and for fuzzers. */
int agent_parse_list(const void *data, size_t len, struct agent_identities *out,
                     struct sc_err *err) WARN_UNUSED;
int agent_parse_signature(const void *data, size_t len, struct buf *algorithm, struct buf *signature,
                          struct sc_err *err) WARN_UNUSED;

#endif
