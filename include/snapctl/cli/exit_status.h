/* The exit statuses: one table, from which help and the man page are made. */
#ifndef SNAPCTL_CLI_EXIT_STATUS_H
#define SNAPCTL_CLI_EXIT_STATUS_H

#include <stddef.h>

enum {
    EXIT_STATUS_OK = 0,
    EXIT_STATUS_NONE_SAVED = 1,
    EXIT_STATUS_REFUSED = 2,
    EXIT_STATUS_TOO_FEW = 3,
    EXIT_STATUS_OUTPUT = 4,
    EXIT_STATUS_SIGNAL = 128, /* plus the signal's number */
};

struct exit_status {
    int status;
    const char *meaning;
};

extern const struct exit_status exit_status_table[];
extern const size_t exit_status_count;

#endif
