/* A table in plain text, for results on standard output. A column in which nothing stands is left out. */
#ifndef SNAPCTL_CLI_TABLE_H
#define SNAPCTL_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/mem.h"

enum { TABLE_COLUMNS_MAX = 8 };

struct table;

/* With n columns, TABLE_COLUMNS_MAX at most; heads outlive it. */
struct table *table_new(const char *const *heads, size_t n) WARN_UNUSED;
void table_free(struct table *table); /* NULL is allowed */

/* Adds a row: n texts that are fit to be shown, which the table takes over; NULL counts as "". colour: the
 * code for the cell of column `coloured` on a terminal, a literal; NULL: none. */
void table_add(struct table *table, char *const *cells, const char *colour, size_t coloured);

/* Appends the heads and all rows, each column as wide as its widest cell. */
void table_print(const struct table *table, struct buf *out, bool colour);

/* For a cell: seconds since 1970 as "2026-11-25 01:00:04", UTC. */
char *table_time(int64_t seconds) WARN_UNUSED;

/* The codes of all tables. */
#define TABLE_GREEN "\033[32m"
#define TABLE_YELLOW "\033[33m"
#define TABLE_RED "\033[31m"

#endif
