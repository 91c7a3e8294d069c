/* Memory that cannot fail, and scope-bound cleanup.
 *
 * A failed allocation ends the process, as SIGKILL would: what is then left on nodes is cleaned up by the
 * next run. So no caller checks for NULL. */
#ifndef SNAPCTL_BASE_MEM_H
#define SNAPCTL_BASE_MEM_H

#include <stddef.h>

#define WARN_UNUSED __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))

/* Runs fn(&variable) when the variable leaves its scope. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define AUTO_FREE CLEANUP(mem_free_cleanup)
#define AUTO_CLOSE CLEANUP(mem_close_cleanup)

/* A zeroed array of n elements of the given size; the product is checked for overflow. Free with free(). */
void *mem_calloc(size_t n, size_t size) WARN_UNUSED;

/* An array resized to n elements of the given size; elements beyond the old ones are not initialised. */
void *mem_realloc(void *old, size_t n, size_t size) WARN_UNUSED;

/* The value of a pointer variable that then holds NULL: hands ownership on from an AUTO_FREE variable. */
void *mem_take(void *pointer_to_pointer) WARN_UNUSED;

/* For AUTO_FREE (pointer_to_pointer is the address of any object pointer) and AUTO_CLOSE (fd < 0 is none). */
void mem_free_cleanup(void *pointer_to_pointer);
void mem_close_cleanup(const int *fd);

#endif
