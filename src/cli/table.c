#include "snapctl/cli/table.h"

#include <stdlib.h>
#include <time.h>

#include "snapctl/base/mem.h"
#include "snapctl/base/str.h"

enum { GAP = 2 };

struct row {
    char *cells[TABLE_COLUMNS_MAX];
    const char *colour;
    size_t coloured;
};

struct table {
    const char *const *heads;
    size_t n_columns;
    struct row *rows;
    size_t n_rows;
};

struct table *table_new(const char *const *heads, size_t n)
{
    struct table *t = mem_calloc(1, sizeof *t);
    t->heads = heads;
    t->n_columns = n;
    return t;
}

void table_free(struct table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->n_rows; i++)
        for (size_t c = 0; c < t->n_columns; c++)
            free(t->rows[i].cells[c]);
    free(t->rows);
    free(t);
}

void table_add(struct table *t, char *const *cells, const char *colour, size_t coloured)
{
    t->rows = mem_realloc(t->rows, t->n_rows + 1, sizeof *t->rows);
    struct row *row = &t->rows[t->n_rows++];
    *row = (struct row){.colour = colour, .coloured = coloured};
    for (size_t c = 0; c < t->n_columns; c++)
        row->cells[c] = cells[c] ? cells[c] : str_dup("");
}

/* Of a terminal: continuation bytes of UTF-8 take none. */
static size_t columns_of(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* 0: nothing stands in the column. */
static size_t width_of(const struct table *t, size_t column)
{
    size_t widest = 0;
    for (size_t i = 0; i < t->n_rows; i++) {
        size_t width = columns_of(t->rows[i].cells[column]);
        if (width > widest)
            widest = width;
    }
    size_t head = columns_of(t->heads[column]);
    return widest && head > widest ? head : widest;
}

/* No blanks at the end of the line. */
static void print_row(const struct table *t, struct buf *out, const char *const *cells, const size_t *widths,
                      const char *colour, size_t coloured)
{
    size_t pad = 0;
    for (size_t c = 0; c < t->n_columns; c++) {
        if (!widths[c])
            continue;
        size_t used = columns_of(cells[c]);
        bool mark = colour && c == coloured;
        if (used)
            buf_printf(out, "%*s%s%s%s", (int)pad, "", mark ? colour : "", cells[c], mark ? "\033[0m" : "");
        pad = (used ? 0 : pad) + widths[c] - used + GAP;
    }
    buf_puts(out, "\n");
}

void table_print(const struct table *t, struct buf *out, bool colour)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    for (size_t c = 0; c < t->n_columns; c++)
        widths[c] = width_of(t, c);
    print_row(t, out, t->heads, widths, NULL, 0);
    for (size_t i = 0; i < t->n_rows; i++) {
        const struct row *row = &t->rows[i];
        const char *cells[TABLE_COLUMNS_MAX];
        for (size_t c = 0; c < t->n_columns; c++)
            cells[c] = row->cells[c];
        print_row(t, out, cells, widths, colour ? row->colour : NULL, row->coloured);
    }
}

char *table_time(int64_t seconds)
{
    char text[32];
    struct tm tm;
    time_t t = (time_t)seconds;
    if (!gmtime_r(&t, &tm) || !strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm))
        return str_dup("?");
    return str_dup(text);
}
