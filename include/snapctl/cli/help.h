/* --help, made from the tables. The caller frees the texts. */
#ifndef SNAPCTL_CLI_HELP_H
#define SNAPCTL_CLI_HELP_H

#include "snapctl/base/buf.h"
#include "snapctl/cli/commands.h"

/* What snapctl is, its commands and general options. */
char *help_program(size_t columns) WARN_UNUSED;

/* A command: usage, text, options by group, exit statuses. */
char *help_command(const struct command *command, size_t columns) WARN_UNUSED;

/* Appends text, broken at blanks so that no line has more than `columns` columns where its words allow; each
 * line but the first begins with `indent` blanks, and the first already has `used` columns. Ends with a
 * newline. */
void help_wrap(struct buf *out, const char *text, size_t indent, size_t used, size_t columns);

#endif
