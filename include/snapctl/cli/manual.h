/* The generated parts of the man page, in mdoc(7), and of the bash completion: for docs/generate.c. */
#ifndef SNAPCTL_CLI_MANUAL_H
#define SNAPCTL_CLI_MANUAL_H

#include "snapctl/base/buf.h"

void manual_commands(struct buf *out);
void manual_options(struct buf *out);
void manual_environment(struct buf *out);
void manual_exit_status(struct buf *out);

/* Arms of case statements: the words that may be a command; the options of $command; what follows $option. */
void completion_commands(struct buf *out);
void completion_options(struct buf *out);
void completion_values(struct buf *out);

#endif
