/* What a node answers to remove.sh: hostile. */
#include <stdint.h>
#include <stdlib.h>

#include "snapctl/base/str.h"
#include "snapctl/node/remove.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = str_dup_n((const char *)data, size);
    struct node_removal files[] = {{.file = "one.zip"}, {.file = "two"}, {.file = "two"}};
    node_parse_removals(files, 3, text);
    if (files[1].how != files[2].how)
        abort();
    return 0;
}
