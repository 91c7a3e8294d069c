/* What answers at the address of a metadata service need not be one. */
#include <stdint.h>
#include <stdlib.h>

#include "../../src/s3/provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_CREDENTIALS struct credentials c = {0};
    AUTO_ERR struct sc_err err = {0};
    if (provider_parse_json((const char *)data, size, &c, &err) == 0) {
        if (!c.access_key || !c.secret_key)
            abort();
    } else if (c.access_key || !err.text) {
        abort();
    }
    return 0;
}
