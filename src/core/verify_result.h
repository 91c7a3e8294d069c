/* What verify's two ways, a file and a run, share. */
#ifndef SNAPCTL_SRC_CORE_VERIFY_RESULT_H
#define SNAPCTL_SRC_CORE_VERIFY_RESULT_H

#include "inspect.h"
#include "snapctl/core/verify.h"

/* Adds a copy that has failed until something else is said; the texts are copied. It moves when another one
 * is added. */
struct verify_copy *verify_add(struct verify_result *result, enum verify_place place, const char *where,
                               const char *snapshot);

/* Frees all copies. */
void verify_clear(struct verify_result *result);

/* Reads one copy to its end. progress may be NULL. A copy that was read before is read anew. */
int verify_read(struct verify_copy *copy, const struct ctx *ctx, struct source *source,
                stream_progress *progress, void *arg, struct sc_err *err) WARN_UNUSED;

/* How it ended: err is taken over. */
void verify_settle(struct verify_copy *copy, int result, struct sc_err *err);

/* The outcome, of all copies; signo 0: none. */
void verify_judge(struct verify_result *result, int signo);

#endif
