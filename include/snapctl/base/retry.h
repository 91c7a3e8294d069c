/* How long to wait before trying again: exponential backoff with full jitter, so that many clients that
 * failed together do not come back together. */
#ifndef SNAPCTL_BASE_RETRY_H
#define SNAPCTL_BASE_RETRY_H

#include <stdint.h>

/* A random time in [0, min(cap_ms, base_ms * 2^attempt)] milliseconds; the first attempt is 0. */
int64_t retry_delay_ms(unsigned attempt, int64_t base_ms, int64_t cap_ms);

/* Fills data with random bytes from the kernel. */
void retry_random(void *data, unsigned len);

#endif
