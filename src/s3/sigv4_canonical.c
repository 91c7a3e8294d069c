#include "sigv4_canonical.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"

static const char blanks[] = " \t\r\n";

struct header {
    char *name; /* in lower case */
    const char *value;
    size_t at; /* its place among those given: values of one name keep their order */
};

static int compare_headers(const void *a, const void *b)
{
    const struct header *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static char *lower_case(const char *name)
{
    char *lower = str_dup(name);
    for (char *p = lower; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return lower;
}

static void append_value(struct buf *block, const char *value)
{
    value += strspn(value, blanks);
    while (*value) {
        size_t word = strcspn(value, blanks);
        buf_append(block, value, word);
        value += word;
        value += strspn(value, blanks);
        if (*value)
            buf_puts(block, " ");
    }
}

void sigv4_canonical_headers(struct buf *block, struct buf *names, const struct sigv4_field *headers,
                             size_t n)
{
    AUTO_FREE struct header *sorted = mem_calloc(n + 1, sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        sorted[i] = (struct header){lower_case(headers[i].name), headers[i].value, i};
    qsort(sorted, n, sizeof *sorted, compare_headers);
    for (size_t i = 0; i < n; i++) {
        bool first_of_name = i == 0 || strcmp(sorted[i - 1].name, sorted[i].name) != 0;
        if (first_of_name) {
            buf_printf(block, "%s%s:", i ? "\n" : "", sorted[i].name);
            buf_printf(names, "%s%s", i ? ";" : "", sorted[i].name);
        } else {
            buf_puts(block, ",");
        }
        append_value(block, sorted[i].value);
    }
    if (n)
        buf_puts(block, "\n");
    for (size_t i = 0; i < n; i++)
        free(sorted[i].name);
}
