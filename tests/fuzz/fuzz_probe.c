/* What a node answers to probe.sh: hostile. */
#include <stdint.h>
#include <stdlib.h>

#include "snapctl/base/str.h"
#include "snapctl/node/node.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct node_job saving = {.name = "fuzz", .run = "0123456789abcdef"};
static const struct node_job reading = {.name = "fuzz", .run = "0123456789abcdef", .reads = true};

static void answer(const struct node_job *job, const char *text)
{
    struct node node = {.job = job, .address = "127.0.0.2", .etcd_address = "127.0.0.2"};
    struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    struct sc_err err = {0};
    int (*judge)(const struct node *, const struct ctx *, struct sc_err *) =
        job->reads ? node_judge_reader : node_judge;
    if (node_parse_probe(&node, text, &err) == 0 && judge(&node, &ctx, &err) == 0) {
        AUTO_FREE char *commands = node_commands(&node, true);
        if (!*commands)
            abort();
    }
    err_clear(&err);
    node_free(&node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = str_dup_n((const char *)data, size);
    answer(&saving, text);
    answer(&reading, text);
    return 0;
}
