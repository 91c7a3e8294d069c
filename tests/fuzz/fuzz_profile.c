/* ~/.aws/credentials and ~/.aws/config: written by hand and by many tools. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/s3/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* In memory of its exact size, so that a read beyond its end is seen. */
    char *text = mem_calloc(size ? size : 1, 1);
    if (size)
        memcpy(text, data, size);
    for (int syntax = PROFILE_CREDENTIALS; syntax <= PROFILE_CONFIG; syntax++) {
        struct profile p = {0};
        profile_parse(&p, (enum profile_syntax)syntax, "default", text, size);
        profile_parse(&p, (enum profile_syntax)syntax, "a b", text, size);
        for (size_t i = 0; i < PROFILE_KEYS; i++)
            if (p.values[i] && (!p.found || secret_len(p.values[i]) > size))
                abort();
        profile_free(&p);
    }
    free(text);
    return 0;
}
