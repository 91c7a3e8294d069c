#include "reason.h"

#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"

/* Splits text into lines: the next one, visible, or NULL at the end. */
static char *next_line(const char **text)
{
    if (!**text)
        return NULL;
    size_t len = strcspn(*text, "\n");
    char *line = str_visible(*text, len, false);
    *text += len + ((*text)[len] == '\n');
    return line;
}

static bool is_advice(const char *line)
{
    return strspn(line, " ") == strlen(line) || str_starts(line, "See '") || str_starts(line, "Run '");
}

char *reason_of(const struct buf *text)
{
    AUTO_FREE char *last = NULL;
    const char *rest = buf_text(text);
    for (char *line; (line = next_line(&rest));) {
        if (is_advice(line)) {
            free(line);
            continue;
        }
        free(last);
        last = line;
    }
    return last ? mem_take(&last) : str_dup("it printed no reason");
}

char *reason_of_log(const char *log)
{
    AUTO_FREE char *complaint = NULL;
    AUTO_FREE char *last = NULL;
    for (char *line; (line = next_line(&log));) {
        bool complains = strstr(line, "level=error") || strstr(line, "level=fatal") || strstr(line, "Error:");
        char **slot = complains ? &complaint : &last;
        free(*slot);
        *slot = line;
    }
    return complaint ? mem_take(&complaint) : last ? mem_take(&last) : str_dup("its log is empty");
}

char *reason_log_end(const char *log, size_t lines)
{
    struct buf out = {0};
    const char *start = log + strlen(log);
    for (size_t seen = 0; start > log; start--)
        if (start[-1] == '\n' && start[0] && ++seen == lines)
            break;
    for (char *line; (line = next_line(&start)); free(line))
        buf_printf(&out, "%s  %s", out.len ? "\n" : "", line);
    return buf_take(&out);
}
