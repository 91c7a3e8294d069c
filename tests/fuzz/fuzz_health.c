/* What a node answers to health.sh and fix.sh: hostile. */
#include <stdint.h>
#include <stdlib.h>

#include "snapctl/base/str.h"
#include "snapctl/node/health.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct node_health health = {0};
    AUTO_FREE char *text = str_dup_n((const char *)data, size);
    node_parse_health(&health, text);
    if (health.n_leftovers > NODE_LEFTOVERS_MAX || health.n_alarms > NODE_ALARMS_MAX)
        abort();
    node_health_free(&health);
    return 0;
}
