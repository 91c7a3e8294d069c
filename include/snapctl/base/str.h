/* Strings. All results are owned by the caller, who frees them with free(). */
#ifndef SNAPCTL_BASE_STR_H
#define SNAPCTL_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/mem.h"

/* A copy; NULL stays NULL. */
char *str_dup(const char *s) WARN_UNUSED;
char *str_dup_n(const char *s, size_t len) WARN_UNUSED;
char *str_format(const char *format, ...) PRINTF_LIKE(1, 2) WARN_UNUSED;
char *str_vformat(const char *format, va_list args) PRINTF_LIKE(1, 0) WARN_UNUSED;

bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* Equal, where NULL equals only NULL. */
bool str_equal(const char *a, const char *b);

/* Text from outside, fit for a terminal, a log and JSON: control characters (C0, DEL, C1, and the Unicode
 * controls that reorder text), and bytes that are not valid UTF-8, become \xNN or \u{N}. Newlines and tabs
 * are kept if keep_lines. What is visible already stays as it is, so applying it twice changes nothing. */
char *str_visible(const char *data, size_t len, bool keep_lines) WARN_UNUSED;

/* Length in bytes of the valid UTF-8 sequence at data (1 to 4; RFC 3629), 0 if there is none. */
size_t str_utf8_length(const char *data, size_t len);

/* Appends arg as one word for a POSIX shell, whatever bytes it has (but NUL): plain words stay bare, all
 * else is put in single quotes. The only place where anything is quoted for a remote shell. */
void str_quote_shell(struct buf *out, const char *arg);

/* "118.3 MB": decimal units, one digit behind the point. */
char *str_bytes(uint64_t bytes) WARN_UNUSED;

/* "4.2 s", "3 min 5 s". */
char *str_duration(int64_t ms) WARN_UNUSED;

/* A decimal number of [min, max] that is the whole string; false otherwise. */
bool str_to_int(const char *s, int64_t min, int64_t max, int64_t *out);

/* The next line of *text without its newline, and *text behind it; NULL at the end. */
char *str_next_line(const char **text) WARN_UNUSED;

/* Edits (insert, delete, replace, swap neighbours) from a to b, but never counted beyond limit + 1. */
size_t str_distance(const char *a, const char *b, size_t limit);

#endif
