/* What verify, in its two ways, a file and a run, and fetch share. */
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

/* The same for a place that may have a copy, and could not be asked; why is copied. */
void verify_add_unknown(struct verify_result *result, enum verify_place place, const char *where,
                        const char *snapshot, const struct sc_err *why);

/* Moves the copies of another result behind its own. */
void verify_move(struct verify_result *result, struct verify_result *from);

/* Reads one copy to its end. to, progress: may be NULL. */
int verify_read(struct verify_copy *copy, const struct ctx *ctx, struct source *source,
                const struct inspect_to *to, stream_progress *progress, void *arg,
                struct sc_err *err) WARN_UNUSED;

/* How it ended: err is taken over. */
void verify_settle(struct verify_copy *copy, int result, struct sc_err *err);

/* Tells in the log how one ended. */
void verify_tell(const struct ctx *ctx, const struct verify_copy *copy);

/* How many of a status. */
size_t verify_count(const struct verify_result *result, enum verify_status status);

/* Nobody has it, or anything at all: sets outcome, exit status and error. */
void verify_refuse(struct verify_result *result);

/* The run was interrupted: sets outcome and exit status. */
void verify_interrupt(struct verify_result *result, int signo);

/* The outcome, of all copies; signo 0: none. */
void verify_judge(struct verify_result *result, int signo);

#endif
