/* The environment variables that snapctl reads beside those of options; for help and the man page. */
#ifndef SNAPCTL_CLI_ENVIRONMENT_H
#define SNAPCTL_CLI_ENVIRONMENT_H

#include <stddef.h>

#define ENVIRONMENT_PASSPHRASE_FILE "SNAPCTL_SSH_PASSPHRASE_FILE"
#define ENVIRONMENT_AGENT_SOCKET "SSH_AUTH_SOCK"
#define ENVIRONMENT_HOME "HOME"
#define ENVIRONMENT_TMPDIR "TMPDIR" /* base/spool.h */
#define ENVIRONMENT_COLUMNS "COLUMNS"
#define ENVIRONMENT_NO_COLOR "NO_COLOR"
#define ENVIRONMENT_TERM "TERM"

struct environment_variable {
    const char *name;
    const char *meaning; /* plain text without full stop */
};

extern const struct environment_variable environment_table[];
extern const size_t environment_count;

/* Those of AWS's tools that are read for S3: help has one line for all, the man page each. */
extern const struct environment_variable environment_aws[];
extern const size_t environment_aws_count;

/* The value of a variable; NULL if it is not set or empty. */
const char *environment_get(const char *name);

#endif
