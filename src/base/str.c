#include "snapctl/base/str.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *str_dup(const char *s)
{
    return s ? str_dup_n(s, strlen(s)) : NULL;
}

char *str_dup_n(const char *s, size_t len)
{
    char *copy = mem_calloc(len + 1, 1);
    if (len)
        memcpy(copy, s, len);
    return copy;
}

char *str_vformat(const char *format, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0)
        return mem_calloc(1, 1);
    return text;
}

char *str_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = str_vformat(format, args);
    va_end(args);
    return text;
}

bool str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
    size_t len = strlen(s), tail = strlen(suffix);
    return len >= tail && memcmp(s + len - tail, suffix, tail) == 0;
}

bool str_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static uint32_t utf8_decode(const unsigned char *p, size_t n)
{
    static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = p[0] & first_bits[n];
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3fU);
    return c;
}

size_t str_utf8_length(const char *data, size_t len)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)data;
    if (!len)
        return 0;
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf8 ? 4 : 0;
    if (n == 0 || n > len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    uint32_t c = utf8_decode(p, n);
    bool surrogate = c >= 0xd800 && c <= 0xdfff;
    return c < smallest[n] || c > 0x10ffff || surrogate ? 0 : n;
}

/* Control characters, and those that change the direction or the lines of the text around them. */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

char *str_visible(const char *data, size_t len, bool keep_lines)
{
    struct buf out = {.max = SIZE_MAX / 2};
    for (size_t at = 0; at < len;) {
        size_t n = str_utf8_length(data + at, len - at);
        const unsigned char *p = (const unsigned char *)data + at;
        uint32_t c = n ? utf8_decode(p, n) : 0;
        bool kept_line = keep_lines && n == 1 && (c == '\n' || c == '\t');
        if (n && (kept_line || !is_control(c)))
            buf_append(&out, data + at, n);
        else if (n > 1)
            buf_printf(&out, "\\u{%" PRIx32 "}", c);
        else if (n == 1 && (c == '\n' || c == '\r' || c == '\t'))
            buf_puts(&out, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
        else
            buf_printf(&out, "\\x%02x", p[0]);
        at += n ? n : 1;
    }
    return buf_take(&out);
}

void str_quote_shell(struct buf *out, const char *arg)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,";
    if (*arg && strspn(arg, plain) == strlen(arg)) {
        buf_puts(out, arg);
        return;
    }
    buf_puts(out, "'");
    for (const char *p = arg; *p; p++)
        *p == '\'' ? buf_puts(out, "'\\''") : buf_append(out, p, 1);
    buf_puts(out, "'");
}

char *str_bytes(uint64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1000;
        unit++;
    }
    return str_format(unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

char *str_duration(int64_t ms)
{
    if (ms < 60000)
        return str_format("%.1f s", (double)ms / 1000);
    return str_format("%" PRId64 " min %" PRId64 " s", ms / 60000, ms / 1000 % 60);
}

bool str_to_int(const char *s, int64_t min, int64_t max, int64_t *out)
{
    bool digits = *s == '-' ? s[1] >= '0' && s[1] <= '9' : *s >= '0' && *s <= '9';
    if (!digits)
        return false;
    char *end;
    errno = 0;
    long long value = strtoll(s, &end, 10);
    if (errno || *end || value < min || value > max)
        return false;
    *out = value;
    return true;
}

char *str_next_line(const char **text)
{
    size_t len = strcspn(*text, "\n");
    if (!**text)
        return NULL;
    char *line = str_dup_n(*text, len);
    *text += len + ((*text)[len] == '\n');
    return line;
}

/* Optimal string alignment distance, three rows at a time. */
size_t str_distance(const char *a, const char *b, size_t limit)
{
    size_t la = strlen(a), lb = strlen(b);
    size_t gap = la > lb ? la - lb : lb - la;
    if (gap > limit)
        return limit + 1;
    AUTO_FREE size_t *rows = mem_calloc(3 * (lb + 1), sizeof *rows);
    size_t *before = rows, *prev = rows + lb + 1, *cur = rows + 2 * (lb + 1);
    for (size_t j = 0; j <= lb; j++)
        prev[j] = j;
    for (size_t i = 1; i <= la; i++) {
        cur[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = prev[j - 1] + (a[i - 1] != b[j - 1]);
            if (prev[j] + 1 < best)
                best = prev[j] + 1;
            if (cur[j - 1] + 1 < best)
                best = cur[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            cur[j] = best;
        }
        size_t *oldest = before;
        before = prev;
        prev = cur;
        cur = oldest;
    }
    return prev[lb] > limit ? limit + 1 : prev[lb];
}
