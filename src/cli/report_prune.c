#include "snapctl/cli/report_prune.h"

#include <stdlib.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/console.h"
#include "snapctl/cli/document.h"
#include "snapctl/cli/table.h"

enum { TEXT_MAX = 64 << 20, RESULT = 4 };

static const char *const heads[] = {"PLACE", "SNAPSHOT", "TIME (UTC)", "SIZE", "RESULT", "NOTE"};

enum { COLUMNS = sizeof heads / sizeof *heads };

static char *place_name(const struct prune_place *place)
{
    return place->run.address ? console_clean(NULL, place->run.address, false) : str_dup("S3");
}

static const char *why(const struct prune_item *item)
{
    static const char *const texts[] = {
        [RETENTION_UNWANTED] = "",
        [RETENTION_NAMED] = "",
        [RETENTION_LAST] = "one of the newest",
        [RETENTION_DAILY] = "the newest of its day",
        [RETENTION_WEEKLY] = "the newest of its week",
        [RETENTION_YOUNG] = "not old enough",
        [RETENTION_GOOD] = "the newest that is good",
        [RETENTION_UNPROVEN] = "none here is known to be good",
        [RETENTION_LOCKED] = "locked",
        [RETENTION_ROLLING] = "RKE's recurring snapshots",
        [RETENTION_UNDATED] = "its time is not known",
        [RETENTION_UNKNOWN] = "not known to be a snapshot",
        [RETENTION_FOREIGN] = "",
        [RETENTION_OTHER] = "",
    };
    return texts[item->reason];
}

static void add_note(struct buf *out, const char *text, const char *detail)
{
    if (*text)
        buf_printf(out, "%s%s%s%s", out->len ? ", " : "", text, *detail ? " " : "", detail);
}

static bool both_forms(const struct prune_item *item)
{
    return item->objects[PRUNE_ARCHIVE].key && item->objects[PRUNE_PLAIN].key;
}

static char *note_of(const struct prune_item *item, struct log *log)
{
    AUTO_BUF struct buf out = {0};
    const struct prune_object *object = prune_main_object(item);
    add_note(&out, why(item), item->lock && item->reason == RETENTION_LOCKED ? item->lock : "");
    if (item->proof == PRUNE_GOOD)
        add_note(&out, "verified", "");
    if (item->proof == PRUNE_DAMAGED)
        add_note(&out, "damaged", "");
    if (both_forms(item))
        add_note(&out, "an archive and a plain snapshot", "");
    if (item->objects[PRUNE_BUNDLE].key && item->status != PRUNE_FAILED)
        add_note(&out, "with its bundle of certificates", "");
    if (object->marker)
        add_note(&out, "hidden by a delete marker, kept as version",
                 object->version_id ? object->version_id : "?");
    if (item->status == PRUNE_FAILED)
        add_note(&out, item->err.text ? item->err.text : "unknown error", "");
    return console_clean(log, buf_text(&out), false);
}

static void add_row(struct table *table, const struct prune_place *place, const struct prune_item *item,
                    struct log *log)
{
    static const char *const results[] = {[PRUNE_KEPT] = "kept",
                                          [PRUNE_PLANNED] = "to be removed",
                                          [PRUNE_REMOVED] = "removed",
                                          [PRUNE_FAILED] = "failed"};
    static const char *const colours[] = {[PRUNE_KEPT] = NULL,
                                          [PRUNE_PLANNED] = TABLE_YELLOW,
                                          [PRUNE_REMOVED] = TABLE_GREEN,
                                          [PRUNE_FAILED] = TABLE_RED};
    char *const cells[COLUMNS] = {
        place_name(place),      console_clean(NULL, item->name, false), table_time(item->modified),
        str_bytes(item->bytes), str_dup(results[item->status]),         note_of(item, log),
    };
    table_add(table, cells, colours[item->status], RESULT);
}

static size_t print_table(struct buf *out, const struct prune_result *r, bool planned_only, struct log *log,
                          bool colour)
{
    size_t n = 0;
    struct table *table = table_new(heads, COLUMNS);
    for (size_t i = 0; i <= r->n_nodes; i++)
        for (size_t k = 0; k < r->places[i].n_items; k++)
            if (!planned_only || r->places[i].items[k].status == PRUNE_PLANNED) {
                add_row(table, &r->places[i], &r->places[i].items[k], log);
                n++;
            }
    if (n)
        table_print(table, out, colour);
    table_free(table);
    return n;
}

/* Those that will not be asked to remove anything. Of places that are not asked at all, the error may still
 * be written to. */
static void print_failed_places(struct buf *out, const struct prune_result *r, struct log *log)
{
    for (size_t i = 0; i <= r->n_nodes; i++) {
        const struct sc_err *err = &r->places[i].run.err;
        if (r->places[i].status != PRUNE_PLACE_FAILED)
            continue;
        AUTO_FREE char *place = place_name(&r->places[i]), *text = console_clean(log, err->text, false);
        buf_printf(out, "%s: %s\n", place, text);
    }
}

char *report_prune_plan(const struct prune_result *r, struct log *log)
{
    struct buf out = {.max = TEXT_MAX};
    size_t n = print_table(&out, r, true, log, false), kept = prune_count(r, PRUNE_KEPT);
    print_failed_places(&out, r, log);
    buf_printf(&out, "\n%zu %s to be removed, %zu stay%s.\n", n, n == 1 ? "copy is" : "copies are", kept,
               kept == 1 ? "s" : "");
    return buf_take(&out);
}

char *report_prune_text(const struct prune_result *r, struct log *log, bool colour)
{
    struct buf out = {.max = TEXT_MAX};
    bool any = print_table(&out, r, false, log, colour) > 0;
    size_t planned = prune_count(r, PRUNE_PLANNED), removed = prune_count(r, PRUNE_REMOVED),
           failed = prune_count(r, PRUNE_FAILED), kept = prune_count(r, PRUNE_KEPT);
    size_t all = planned + removed + failed + kept;
    if (any)
        buf_puts(&out, "\n");
    if (r->dry_run)
        buf_printf(&out, "Dry run: %zu of %zu cop%s would be removed\n", planned, all,
                   all == 1 ? "y" : "ies");
    else
        buf_printf(&out, "%s%zu of %zu cop%s removed\n",
                   r->outcome == PRUNE_INTERRUPTED ? "Interrupted: " : "", removed, all,
                   all == 1 ? "y is" : "ies are");
    return buf_take(&out);
}

void report_prune_lines(struct buf *out, const struct prune_result *r)
{
    enum prune_status told = r->dry_run ? PRUNE_PLANNED : PRUNE_REMOVED;
    for (size_t i = 0; i <= r->n_nodes; i++) {
        AUTO_BUF struct buf names = {.max = TEXT_MAX};
        AUTO_FREE char *place = place_name(&r->places[i]);
        for (size_t k = 0; k < r->places[i].n_items; k++)
            if (r->places[i].items[k].status == told)
                buf_printf(&names, "%s%s", names.len ? ", " : "", r->places[i].items[k].name);
        AUTO_FREE char *clean = console_clean(NULL, buf_text(&names), false);
        if (names.len)
            buf_printf(out, "%s %s: %s\n", r->dry_run ? "would prune" : "pruned", place, clean);
    }
}

/* ---- JSON ---- */

static void describe_object(json_t *json, const struct prune_object *object)
{
    document_add(json, "key", document_text(object->key, NULL));
    document_add(json, "version_id", document_text(object->version_id, NULL));
    document_add(json, "delete_marker", json_boolean(object->marker));
}

static json_t *object_beside(const struct prune_object *object, bool told)
{
    if (!told || !object->key)
        return json_null();
    json_t *json = json_object();
    describe_object(json, object);
    return json;
}

static json_t *item_object(const struct prune_item *item, struct log *log)
{
    json_t *object = json_object();
    document_add(object, "name", document_text(item->name, NULL));
    document_add(object, "time", document_time(item->modified));
    document_add(object, "bytes", document_number(item->bytes));
    document_add(object, "status", json_string(prune_status_name(item->status)));
    document_add(object, "reason", json_string(retention_reason_name(item->reason)));
    document_add(object, "verified",
                 item->proof == PRUNE_UNREAD ? json_null() : json_boolean(item->proof == PRUNE_GOOD));
    if (prune_main_object(item)->key) {
        bool plain = !item->objects[PRUNE_ARCHIVE].key;
        describe_object(object, prune_main_object(item));
        document_add(object, "format", json_string(plain ? "plain" : "zip"));
        document_add(object, "locked", document_text(item->lock, NULL));
        document_add(object, "plain", object_beside(&item->objects[PRUNE_PLAIN], both_forms(item)));
        document_add(object, "pki_bundle", object_beside(&item->objects[PRUNE_BUNDLE], true));
    }
    document_add(object, "error", document_error(&item->err, log));
    return object;
}

static void add_place(json_t *object, const struct prune_place *place, struct log *log)
{
    json_t *items = json_array();
    for (size_t i = 0; i < place->n_items; i++)
        document_append(items, item_object(&place->items[i], log));
    document_add(object, "status", json_string(prune_place_status_name(place->status)));
    document_add(object, "snapshots", items);
    document_add(object, "duration_ms", json_integer(place->run.duration_ms));
    document_add(object, "error", document_error(&place->run.err, log));
}

static json_t *node_object(const struct prune_place *place, struct log *log)
{
    json_t *object = json_object();
    document_add(object, "address", document_text(place->run.address, NULL));
    add_place(object, place, log);
    return object;
}

static json_t *store_object(const struct prune_result *r, struct log *log)
{
    const struct store_result *store = r->store;
    if (!store)
        return json_null();
    const struct prune_place *place = &r->places[r->n_nodes];
    json_t *object = json_object();
    document_add_store(object, store);
    document_add(object, "foreign", document_number(place->n_foreign));
    add_place(object, place, log);
    return object;
}

static const char *outcome_name(const struct prune_result *r)
{
    static const char *const outcomes[] = {[PRUNE_OK] = "ok",
                                           [PRUNE_PARTIAL] = "partial",
                                           [PRUNE_NONE] = "failed",
                                           [PRUNE_REFUSED] = "refused",
                                           [PRUNE_INTERRUPTED] = "interrupted"};
    return outcomes[r->outcome];
}

static void add_places(json_t *object, const struct prune_result *r, struct log *log)
{
    json_t *nodes = json_array();
    for (size_t i = 0; i < r->n_nodes; i++)
        document_append(nodes, node_object(&r->places[i], log));
    document_add(object, "nodes", nodes);
    document_add(object, "s3", store_object(r, log));
}

json_t *report_prune_object(const struct prune_result *r, struct log *log)
{
    json_t *object = json_object();
    document_add(object, "status", json_string(outcome_name(r)));
    add_places(object, r, log);
    return object;
}

char *report_prune_json(const struct prune_result *r, struct log *log)
{
    json_t *document = document_new(outcome_name(r), r->started, r->duration_ms, &r->err, log);
    document_add(document, "dry_run", json_boolean(r->dry_run));
    add_places(document, r, log);
    return document_print(document);
}
