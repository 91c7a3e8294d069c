#include "snapctl/cli/report_verify.h"

#include <inttypes.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/console.h"
#include "snapctl/cli/document.h"
#include "snapctl/cli/table.h"

enum { TEXT_MAX = 64 << 20, RESULT = 2 };

static const char *const heads[] = {"PLACE",    "SNAPSHOT", "RESULT", "SIZE",
                                    "REVISION", "KEYS",     "HASH",   "NOTE"};

/* A file's own name must be the snapshot's for RKE to find it. */
static char *renamed_note(const struct verify_copy *copy)
{
    if (copy->place != VERIFY_FILE || copy->plain)
        return NULL;
    const char *slash = strrchr(copy->where, '/'), *file = slash ? slash + 1 : copy->where;
    AUTO_FREE char *wanted = str_format("%s.zip", copy->snapshot);
    if (strcmp(file, wanted) == 0)
        return NULL;
    AUTO_FREE char *visible = console_clean(NULL, wanted, false);
    return str_format("RKE restores it as %s only", visible);
}

static char *note_of(const struct verify_copy *copy, struct log *log)
{
    if (copy->status == VERIFY_MISSING)
        return NULL;
    if (copy->status != VERIFY_GOOD)
        return console_clean(log, copy->err.text ? copy->err.text : "", false);
    AUTO_FREE char *renamed = renamed_note(copy);
    const struct {
        bool holds;
        const char *text;
    } notes[] = {
        {copy->database && copy->database->damaged_meta != DATABASE_META_GOOD,
         "one of two meta pages is damaged"                                                                                },
        {!copy->archive.etcd_sha256[0],                                        "no SHA-256: restore with --skip-hash-check"},
        {copy->plain,                                                          "a plain snapshot"                          },
        {!copy->plain && !copy->archive.state_file,                            "no state file"                             },
        {renamed != NULL,                                                      renamed                                     },
    };
    struct buf out = {0};
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        if (notes[i].holds)
            buf_printf(&out, "%s%s", out.len ? ", " : "", notes[i].text);
    return buf_take(&out);
}

static char *place_of(const struct verify_copy *copy)
{
    if (copy->place == VERIFY_STORE)
        return str_dup("S3");
    return console_clean(NULL, copy->where, false);
}

static void add_row(struct table *table, const struct verify_copy *copy, struct log *log)
{
    static const char *const colours[] = {[VERIFY_GOOD] = TABLE_GREEN,
                                          [VERIFY_DAMAGED] = TABLE_RED,
                                          [VERIFY_MISSING] = TABLE_YELLOW,
                                          [VERIFY_FAILED] = TABLE_RED};
    const struct database_facts *d = copy->database;
    char *const cells[] = {
        place_of(copy),
        copy->snapshot ? console_clean(NULL, copy->snapshot, false) : str_dup("-"),
        str_dup(verify_status_name(copy->status)),
        copy->bytes ? str_bytes(copy->bytes) : str_dup("-"),
        d ? str_format("%" PRId64, d->revision) : str_dup("-"),
        d ? str_format("%" PRIu64, d->total_keys) : str_dup("-"),
        d ? str_format("%08" PRIx32, d->hash) : str_dup("-"),
        note_of(copy, log),
    };
    table_add(table, cells, colours[copy->status], RESULT);
}

void report_verify_table(const struct verify_result *r, struct log *log, bool colour, struct buf *out)
{
    struct table *table = table_new(heads, sizeof heads / sizeof *heads);
    for (size_t i = 0; i < r->n_copies; i++)
        add_row(table, &r->copies[i], log);
    if (r->n_copies)
        table_print(table, out, colour);
    table_free(table);
}

char *report_verify_text(const struct verify_result *r, struct log *log, bool colour)
{
    struct buf out = {.max = TEXT_MAX};
    size_t good = 0, there = 0;
    for (size_t i = 0; i < r->n_copies; i++) {
        good += r->copies[i].status == VERIFY_GOOD;
        there += r->copies[i].status != VERIFY_MISSING;
    }
    report_verify_table(r, log, colour, &out);
    buf_printf(&out, "%s%s%zu of %zu cop%s good\n", r->n_copies ? "\n" : "",
               r->outcome == VERIFY_INTERRUPTED ? "Interrupted: " : "", good, there,
               there == 1 ? "y is" : "ies are");
    return buf_take(&out);
}

/* ---- JSON ---- */

static json_t *etcd_object(const struct verify_copy *copy)
{
    json_t *object = document_etcd(&copy->archive);
    document_add_database(object, copy->database);
    return object;
}

static json_t *copy_object(const struct verify_copy *copy, struct log *log)
{
    static const char *const keys[] = {
        [VERIFY_NODE] = "address", [VERIFY_STORE] = "key", [VERIFY_FILE] = "path"};
    bool good = copy->status == VERIFY_GOOD, zip = good && !copy->plain;
    json_t *object = json_object();
    document_add(object, "place", json_string(verify_place_name(copy->place)));
    document_add(object, keys[copy->place], document_text(copy->where, NULL));
    document_add(object, "snapshot", document_text(copy->snapshot, NULL));
    document_add(object, "status", json_string(verify_status_name(copy->status)));
    document_add(object, "format", copy->bytes ? json_string(copy->plain ? "plain" : "zip") : json_null());
    document_add(object, "bytes", copy->bytes ? document_number(copy->bytes) : json_null());
    document_add(object, "sha256", zip ? document_text(copy->archive.sha256, NULL) : json_null());
    document_add(object, "etcd", good ? etcd_object(copy) : json_null());
    document_add(object, "state_file", good ? json_boolean(copy->archive.state_file) : json_null());
    document_add(object, "duration_ms", json_integer(copy->duration_ms));
    document_add(object, "error", document_error(&copy->err, log));
    return object;
}

json_t *report_verify_document(const struct verify_result *r, struct log *log)
{
    static const char *const outcomes[] = {[VERIFY_OK] = "ok",
                                           [VERIFY_PARTIAL] = "partial",
                                           [VERIFY_NONE] = "failed",
                                           [VERIFY_REFUSED] = "refused",
                                           [VERIFY_INTERRUPTED] = "interrupted"};
    json_t *document = document_new(outcomes[r->outcome], r->started, r->duration_ms, &r->err, log);
    json_t *copies = json_array();
    for (size_t i = 0; i < r->n_copies; i++)
        document_append(copies, copy_object(&r->copies[i], log));
    document_add(document, "snapshot", document_text(r->snapshot, NULL));
    document_add(document, "copies", copies);
    return document;
}

char *report_verify_json(const struct verify_result *r, struct log *log)
{
    return document_print(report_verify_document(r, log));
}
