/* What a node answers to list.sh: hostile. */
#include <stdint.h>
#include <stdlib.h>

#include "snapctl/core/inventory.h"
#include "snapctl/node/files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct node_files files;
    struct buf text = {0};
    struct inventory inventory = {.n_places = 1};
    buf_append(&text, data, size);
    node_parse_files(&files, &text);
    for (size_t i = 0; i < files.n; i++) {
        const struct node_file *file = &files.files[i];
        struct inventory_copy copy = {.place = i % 2, .bytes = file->bytes, .modified = file->modified};
        copy.plain = file->head && inventory_is_database(file->head, file->head_len);
        if (file->end_len > file->bytes)
            abort();
        inventory_add(&inventory, file->name, &copy);
    }
    inventory_sort(&inventory);
    for (size_t i = 0; i < inventory.n; i++)
        if (inventory.snapshots[i].n_copies == 0)
            abort();
    inventory_free(&inventory);
    node_files_free(&files);
    return 0;
}
