#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/console.h"
#include "snapctl/cli/report.h"

enum { SCHEMA = 1 };

/* jansson takes what it adds over; NULL is its only failure here, and means that memory is out. */
static void add(json_t *object, const char *key, json_t *value)
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

/* log NULL: what is known to hold no secret is not searched for one, which might be a word of it by chance.
 */
static json_t *text_or_null(const char *text, struct log *log)
{
    return clean_or_null(text, log, false);
}

static json_t *lines_or_null(const char *text, struct log *log)
{
    return clean_or_null(text, log, true);
}

static json_t *number(uint64_t value)
{
    return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *error_object(const struct sc_err *err, struct log *log)
{
    if (err->kind == ERR_NONE)
        return json_null();
    json_t *object = json_object();
    add(object, "kind", json_string(err_kind_name(err->kind)));
    add(object, "text", text_or_null(err->text, log));
    add(object, "hint", lines_or_null(err->hint, log));
    add(object, "retryable", json_boolean(err_kind_retryable(err->kind)));
    return object;
}

static json_t *etcd_object(const struct archive_facts *facts)
{
    json_t *object = json_object();
    add(object, "bytes", number(facts->etcd_bytes));
    add(object, "sha256", text_or_null(facts->etcd_sha256, NULL));
    return object;
}

static json_t *node_object(const struct save_node *node, bool dry_run, struct log *log)
{
    bool found = node->status == SAVE_FOUND;
    bool saved = node->status == SAVE_SAVED || (found && node->verified);
    bool may_be_there = saved || found || node->status == SAVE_UNKNOWN;
    json_t *object = json_object();
    add(object, "address", text_or_null(node->run.address, NULL));
    add(object, "status", json_string(save_status_name(node->status)));
    add(object, "path", may_be_there ? text_or_null(node->path, NULL) : json_null());
    add(object, "bytes", saved || found ? number(node->facts.bytes) : json_null());
    add(object, "sha256", saved ? text_or_null(node->facts.sha256, NULL) : json_null());
    add(object, "verified", json_boolean(saved && node->verified));
    add(object, "etcd", saved ? etcd_object(&node->facts) : json_null());
    add(object, "state_file", saved ? json_boolean(node->facts.state_file) : json_null());
    add(object, "duration_ms", json_integer(node->run.duration_ms));
    add(object, "phase", json_string(run_phase_name(node->run.phase)));
    add(object, "error", error_object(&node->run.err, log));
    if (dry_run)
        add(object, "commands", lines_or_null(node->commands, log));
    return object;
}

static json_t *store_object(const struct store_result *store, struct log *log)
{
    if (!store)
        return json_null();
    bool uploaded = store->status == STORE_UPLOADED;
    json_t *object = json_object();
    add(object, "status", json_string(store_status_name(store->status)));
    add(object, "endpoint", text_or_null(store->endpoint, NULL));
    add(object, "bucket", text_or_null(store->bucket, NULL));
    add(object, "key", text_or_null(store->key, NULL));
    add(object, "region", text_or_null(store->region, NULL));
    add(object, "bytes", uploaded ? number(store->facts.bytes) : json_null());
    add(object, "parts", uploaded ? json_integer((json_int_t)store->parts) : json_null());
    add(object, "etag", text_or_null(store->etag, NULL));
    add(object, "version_id", text_or_null(store->version_id, NULL));
    add(object, "sha256", uploaded ? text_or_null(store->facts.sha256, NULL) : json_null());
    add(object, "source_node", text_or_null(store->source_node, NULL));
    add(object, "via", text_or_null(store->via, NULL));
    add(object, "credentials", text_or_null(store->credentials, NULL));
    add(object, "verified", json_boolean(uploaded));
    add(object, "read_back", json_boolean(uploaded && store->read_back));
    add(object, "etcd", uploaded ? etcd_object(&store->facts) : json_null());
    add(object, "duration_ms", json_integer(store->duration_ms));
    add(object, "error", error_object(&store->err, log));
    return object;
}

static json_t *time_text(int64_t seconds)
{
    char text[32];
    struct tm tm;
    time_t t = (time_t)seconds;
    if (!gmtime_r(&t, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
        return json_null();
    return json_string(text);
}

static char *dump(json_t *document)
{
    char *text = json_dumps(document, JSON_INDENT(2));
    json_decref(document);
    if (!text)
        abort();
    char *line = str_format("%s\n", text);
    free(text);
    return line;
}

static json_t *document(const char *name, const char *status, int64_t started, int64_t duration_ms,
                        const struct sc_err *err, struct log *log)
{
    json_t *object = json_object();
    add(object, "schema", json_integer(SCHEMA));
    add(object, "snapshot", text_or_null(name, NULL));
    add(object, "status", json_string(status));
    add(object, "started", time_text(started));
    add(object, "duration_ms", json_integer(duration_ms));
    add(object, "error", error_object(err, log));
    return object;
}

char *report_json(const struct save_result *result, struct log *log)
{
    static const char *const outcomes[] = {
        [SAVE_OK] = "ok",           [SAVE_PARTIAL] = "partial",         [SAVE_ALL_FAILED] = "failed",
        [SAVE_REFUSED] = "refused", [SAVE_INTERRUPTED] = "interrupted",
    };
    json_t *object = document(result->name, outcomes[result->outcome], result->started, result->duration_ms,
                              &result->err, log);
    if (result->dry_run)
        add(object, "dry_run", json_true());
    json_t *nodes = json_array();
    for (size_t i = 0; i < result->n_nodes; i++)
        if (json_array_append_new(nodes, node_object(&result->nodes[i], result->dry_run, log)) < 0)
            abort();
    add(object, "nodes", nodes);
    add(object, "s3", store_object(result->store, log));
    return dump(object);
}

char *report_json_refusal(const char *name, const char *status, const struct sc_err *err, struct log *log)
{
    json_t *object = document(name, status, (int64_t)time(NULL), 0, err, log);
    add(object, "nodes", json_array());
    add(object, "s3", json_null());
    return dump(object);
}
