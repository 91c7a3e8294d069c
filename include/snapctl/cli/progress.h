/* How far each node is, on standard error: a live block on a terminal, else a line per phase. Belongs to the
 * main thread. */
#ifndef SNAPCTL_CLI_PROGRESS_H
#define SNAPCTL_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/cli/console.h"
#include "snapctl/core/run.h"

struct progress;

/* For n nodes whose addresses are given, and a row for S3 behind them if store; quiet: nothing but errors. */
struct progress *progress_new(struct console *console, struct log *log, const char *const *addresses,
                              size_t n, bool store, bool quiet) WARN_UNUSED;
void progress_free(struct progress *progress);

/* Takes an event in. The error of a node that failed is printed at once, unless it concerns the whole run
 * (ERR_REFUSED, ERR_CANCELLED) and so is told with its end. */
void progress_event(struct progress *progress, const struct run_event *event);

/* Draws the live block anew. */
void progress_tick(struct progress *progress);

/* Ends the block: it stays as it is if keep, else it goes. */
void progress_end(struct progress *progress, bool keep);

/* The block at the time now_ms (as of ctx_now_ms), for a terminal of that size. For tests. */
char *progress_render(struct progress *progress, size_t columns, size_t rows, int64_t now_ms) WARN_UNUSED;

#endif
