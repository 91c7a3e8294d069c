#include "snapctl/cli/document.h"

#include <stdlib.h>
#include <time.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/console.h"

enum { SCHEMA = 1 };

/* NULL is the only failure here, and means that memory is out. */
void document_add(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) < 0)
        abort();
}

static json_t *clean_or_null(const char *text, struct log *log, bool keep_lines)
{
    if (!text || !*text)
        return json_null();
    AUTO_FREE char *clean = console_clean(log, text, keep_lines);
    return json_string(clean);
}

void document_append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) < 0)
        abort();
}

json_t *document_text(const char *text, struct log *log)
{
    return clean_or_null(text, log, false);
}

json_t *document_lines(const char *text, struct log *log)
{
    return clean_or_null(text, log, true);
}

json_t *document_number(uint64_t value)
{
    return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

json_t *document_error(const struct sc_err *err, struct log *log)
{
    if (err->kind == ERR_NONE)
        return json_null();
    json_t *object = json_object();
    document_add(object, "kind", json_string(err_kind_name(err->kind)));
    document_add(object, "text", document_text(err->text, log));
    document_add(object, "hint", document_lines(err->hint, log));
    document_add(object, "retryable", json_boolean(err_kind_retryable(err->kind)));
    return object;
}

json_t *document_time(int64_t seconds)
{
    char text[32];
    struct tm tm;
    time_t t = (time_t)seconds;
    if (!gmtime_r(&t, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
        return json_null();
    return json_string(text);
}

json_t *document_new(const char *status, int64_t started, int64_t duration_ms, const struct sc_err *err,
                     struct log *log)
{
    json_t *object = json_object();
    document_add(object, "schema", json_integer(SCHEMA));
    document_add(object, "status", json_string(status));
    document_add(object, "started", document_time(started));
    document_add(object, "duration_ms", json_integer(duration_ms));
    document_add(object, "error", document_error(err, log));
    return object;
}

char *document_print(json_t *document)
{
    char *text = json_dumps(document, JSON_INDENT(2));
    json_decref(document);
    if (!text)
        abort();
    char *line = str_format("%s\n", text);
    free(text);
    return line;
}
