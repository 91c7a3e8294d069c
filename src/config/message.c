#include "message.h"

#include <stdarg.h>

#include "snapctl/base/str.h"

enum { QUOTE_MAX = 60 };

static char *place(const struct message *m, const struct cluster_mark *at, const char *path)
{
    const char *colon = *path ? ": " : "";
    return at && at->line ? str_format("%s:%zu:%zu%s%s", m->label, at->line, at->column, colon, path)
                          : str_format("%s%s%s", m->label, colon, path);
}

int message_error(const struct message *m, const struct cluster_mark *at, const char *path,
                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    AUTO_FREE char *what = str_vformat(format, args);
    va_end(args);
    AUTO_FREE char *where = place(m, at, path);
    return err_set(m->err, ERR_CONFIG, "%s: %s", where, what);
}

void message_warn(struct message *m, const struct cluster_mark *at, const char *path, const char *format, ...)
{
    if (!m->warn || m->warnings > MESSAGE_MAX_WARNINGS)
        return;
    if (m->warnings++ == MESSAGE_MAX_WARNINGS) {
        AUTO_FREE char *last = str_format("%s: further warnings are left out", m->label);
        m->warn(m->arg, last);
        return;
    }
    va_list args;
    va_start(args, format);
    AUTO_FREE char *what = str_vformat(format, args);
    va_end(args);
    AUTO_FREE char *where = place(m, at, path);
    AUTO_FREE char *text = str_format("%s: %s", where, what);
    m->warn(m->arg, text);
}

char *message_quote(const char *text, size_t len)
{
    size_t shown = 0;
    while (shown < len && shown < QUOTE_MAX) {
        size_t n = str_utf8_length(text + shown, len - shown);
        shown += n ? n : 1;
    }
    AUTO_FREE char *visible = str_visible(text, shown, false);
    return str_format("\"%s\"%s", visible, shown < len ? "…" : "");
}
