/* Writing to a descriptor that other programs share, and that perhaps nobody reads, without being held up. */
#ifndef SNAPCTL_CLI_OUTLET_H
#define SNAPCTL_CLI_OUTLET_H

#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/mem.h"

/* A descriptor of the caller's own for what fd is open to; -1 with errno. */
int outlet_open(int fd) WARN_UNUSED;

/* Writes all of it, whether the descriptor is blocking or not. Waits for whoever reads it until a signal can
 * be taken from the signalfd signals (-1: none), or until until_ms (CTX_NO_DEADLINE: as long as it takes). -1
 * with ECANCELED, ETIMEDOUT, or the errno of write; some of it may be written then. */
int outlet_write(int fd, const char *data, size_t len, int signals, int64_t until_ms) WARN_UNUSED;

#endif
