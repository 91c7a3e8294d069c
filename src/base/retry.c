#include "snapctl/base/retry.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/types.h>

void retry_random(void *data, unsigned len)
{
    char *p = data;
    while (len) {
        ssize_t n = getrandom(p, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            abort();
        p += n;
        len -= (unsigned)n;
    }
}

int64_t retry_delay_ms(unsigned attempt, int64_t base_ms, int64_t cap_ms)
{
    int64_t limit = base_ms;
    for (unsigned i = 0; i < attempt && limit < cap_ms; i++)
        limit *= 2;
    if (limit > cap_ms)
        limit = cap_ms;
    uint64_t random;
    retry_random(&random, sizeof random);
    return (int64_t)(random % ((uint64_t)limit + 1));
}
