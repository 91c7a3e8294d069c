/* Any bytes as the answer of an SSH agent: first as a list of keys, then as a signature. */
#include <stdint.h>
#include <stdlib.h>

#include "../../src/net/agent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct agent_identities list;
    AUTO_BUF struct buf algorithm = {0}, signature = {0};
    AUTO_ERR struct sc_err err = {0};
    if (agent_parse_list(data, size, &list, &err) == 0)
        agent_identities_free(&list);
    else if (list.n || list.list)
        abort();
    if (agent_parse_signature(data, size, &algorithm, &signature, &err) == 0 &&
        algorithm.len + signature.len + 13 > size)
        abort();
    return 0;
}
