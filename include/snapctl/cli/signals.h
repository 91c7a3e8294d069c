/* SIGINT, SIGTERM and SIGHUP, read instead of caught. */
#ifndef SNAPCTL_CLI_SIGNALS_H
#define SNAPCTL_CLI_SIGNALS_H

#include "snapctl/base/err.h"

/* Blocks the signals in this thread and those it starts from now on, and gives a signalfd for them. One that
 * is ignored (nohup, a shell's background job) stays so. */
int signals_open(int *fd, struct sc_err *err) WARN_UNUSED;

/* The number of a signal that came, 0 if none did. Takes it. */
int signals_take(int fd);

/* "SIGINT" */
const char *signals_name(int signo);

#endif
