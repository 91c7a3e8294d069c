#include "snapctl/cli/document.h"

#include <inttypes.h>
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

json_t *document_etcd(const struct archive_facts *facts)
{
    json_t *object = json_object();
    document_add(object, "bytes", document_number(facts->etcd_bytes));
    document_add(object, "sha256", document_text(facts->etcd_sha256, NULL));
    return object;
}

static json_t *members(const struct database_facts *facts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < facts->n_members; i++) {
        const struct database_member *member = &facts->members[i];
        AUTO_FREE char *id = str_format("%" PRIx64, member->id);
        json_t *object = json_object(), *urls = json_array();
        for (size_t url = 0; url < member->n_peer_urls; url++)
            document_append(urls, document_text(member->peer_urls[url], NULL));
        document_add(object, "id", json_string(id));
        document_add(object, "name", document_text(member->name, NULL));
        document_add(object, "peer_urls", urls);
        document_append(list, object);
    }
    return list;
}

void document_add_database(json_t *object, const struct database_facts *facts)
{
    document_add(object, "hash", facts ? document_number(facts->hash) : json_null());
    document_add(object, "revision", facts ? json_integer(facts->revision) : json_null());
    document_add(object, "total_keys", facts ? document_number(facts->total_keys) : json_null());
    document_add(object, "total_bytes", facts ? document_number(facts->total_bytes) : json_null());
    document_add(object, "members", facts ? members(facts) : json_null());
}

void document_add_store(json_t *object, const struct store_result *store)
{
    document_add(object, "endpoint", document_text(store->endpoint, NULL));
    document_add(object, "bucket", document_text(store->bucket, NULL));
    document_add(object, "folder", document_text(store->folder, NULL));
    document_add(object, "region", document_text(store->region, NULL));
    document_add(object, "via", document_text(store->via, NULL));
    document_add(object, "credentials", document_text(store->credentials, NULL));
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
