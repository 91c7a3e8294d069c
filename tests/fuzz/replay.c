/* Runs a fuzz target over the files of a folder: the corpus as a test, without libFuzzer. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return 1;
    }
    struct buf content = {.max = (size_t)64 << 20};
    char chunk[65536];
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_append(&content, chunk, n);
    fclose(f);
    LLVMFuzzerTestOneInput((const uint8_t *)buf_text(&content), content.len);
    buf_free(&content);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    DIR *folder = opendir(argv[1]);
    if (!folder) {
        perror(argv[1]);
        return 1;
    }
    int files = 0, bad = 0;
    const struct dirent *entry;
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        AUTO_FREE char *path = str_format("%s/%s", argv[1], entry->d_name);
        bad += replay(path);
        files++;
    }
    closedir(folder);
    printf("%d files\n", files);
    return bad || files == 0;
}
