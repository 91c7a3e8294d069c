/* What a node answers to probe.sh: hostile. */
#include <stdint.h>
#include <stdlib.h>

#include "snapctl/base/str.h"
#include "snapctl/node/node.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct node_job job = {.name = "fuzz", .run = "0123456789abcdef", .input = NULL};
    AUTO_FREE char *text = str_dup_n((const char *)data, size);
    struct node node = {.job = &job, .address = "127.0.0.2", .etcd_address = "127.0.0.2"};
    struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    struct sc_err err = {0};
    if (node_parse_probe(&node, text, &err) == 0 && node_judge(&node, &ctx, &err) == 0) {
        AUTO_FREE char *commands = node_commands(&node, true);
        if (!*commands)
            abort();
    }
    err_clear(&err);
    node_free(&node);
    return 0;
}
