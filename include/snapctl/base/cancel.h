/* One switch that tells everyone to unwind. Fired once, from the main thread or a signal handler's reader;
 * seen by any number of threads, which poll its descriptor beside their own. */
#ifndef SNAPCTL_BASE_CANCEL_H
#define SNAPCTL_BASE_CANCEL_H

#include <stdbool.h>

#include "snapctl/base/mem.h"

struct cancel;

struct cancel *cancel_new(void) WARN_UNUSED;
void cancel_free(struct cancel *c);

/* Fires; firing again changes nothing. */
void cancel_fire(struct cancel *c);
bool cancel_fired(const struct cancel *c);

/* Readable for ever once fired. Belongs to c. */
int cancel_fd(const struct cancel *c);

#endif
