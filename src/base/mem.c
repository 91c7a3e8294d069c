#include "snapctl/base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void die(void)
{
    static const char text[] = "snapctl: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    _exit(1);
}

void *mem_calloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);
    if (!p)
        die();
    return p;
}

void *mem_realloc(void *old, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size)
        die();
    void *p = realloc(old, n && size ? n * size : 1);
    if (!p)
        die();
    return p;
}

void *mem_take(void *pointer_to_pointer)
{
    void *p;
    memcpy(&p, pointer_to_pointer, sizeof p);
    memset(pointer_to_pointer, 0, sizeof p);
    return p;
}

void mem_free_cleanup(void *pointer_to_pointer)
{
    free(mem_take(pointer_to_pointer));
}

void mem_close_cleanup(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
