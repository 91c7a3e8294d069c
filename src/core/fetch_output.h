/* Where a fetched snapshot goes: a file, two of them, or standard output. */
#ifndef SNAPCTL_SRC_CORE_FETCH_OUTPUT_H
#define SNAPCTL_SRC_CORE_FETCH_OUTPUT_H

#include "inspect.h"
#include "snapctl/core/fetch.h"

struct fetch_output;

/* Finds out whether the files can be made; none is. The options outlive it. ERR_USAGE, ERR_REFUSED,
 * ERR_SPACE, ERR_SYSTEM. */
int fetch_output_new(const struct fetch_options *options, const char *name, struct fetch_output **out,
                     struct sc_err *err) WARN_UNUSED;
void fetch_output_free(struct fetch_output *output); /* NULL is allowed */

/* A copy begins: where it is to go. Ended by keep or drop. */
int fetch_output_begin(struct fetch_output *output, bool plain, struct inspect_to *to,
                       struct sc_err *err) WARN_UNUSED;

/* It is good: leaves the files, and tells which. state: there was a state file in it. */
int fetch_output_keep(struct fetch_output *output, const struct ctx *ctx, bool state,
                      struct fetch_result *result, struct sc_err *err) WARN_UNUSED;

/* It is not. */
void fetch_output_drop(struct fetch_output *output);

/* Some of it has left and cannot be taken back. */
bool fetch_output_spent(const struct fetch_output *output);

#endif
