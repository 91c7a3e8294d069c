#include "snapctl/cli/report_list.h"

#include <stdlib.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/console.h"
#include "snapctl/cli/document.h"
#include "snapctl/cli/table.h"

enum { TEXT_MAX = 64 << 20 };

static const char *const heads[] = {"NAME", "TIME (UTC)", "SIZE", "NODES", "S3", "STATE FILE", "MADE BY"};

/* "all 3", or the addresses. */
static char *nodes_text(const struct list_result *r, const struct inventory_snapshot *snapshot)
{
    struct buf out = {0};
    size_t n = 0;
    for (size_t i = 0; i < r->n_nodes; i++)
        if (inventory_copy_at(snapshot, i))
            buf_printf(&out, "%s%s", n++ ? "," : "", r->nodes[i].run.address);
    AUTO_FREE char *addresses = buf_take(&out);
    if (n == 0)
        return str_dup(r->with_nodes ? "-" : "");
    return n == r->n_nodes ? str_format("all %zu", n) : console_clean(NULL, addresses, false);
}

static char *store_text(const struct list_result *r, const struct inventory_snapshot *snapshot)
{
    if (!r->store)
        return NULL;
    return str_dup(r->store_status != LIST_LISTED            ? "?"
                   : inventory_copy_at(snapshot, r->n_nodes) ? "yes"
                                                             : "-");
}

static void add_row(struct table *table, const struct list_result *r,
                    const struct inventory_snapshot *snapshot)
{
    static const char *const answers[] = {"?", "no", "yes"};
    static const char *const makers[] = {"one-time save", "RKE's recurring snapshots"};
    char *const cells[] = {
        str_dup(snapshot->name),         table_time(snapshot->modified),
        str_bytes(snapshot->bytes),      nodes_text(r, snapshot),
        store_text(r, snapshot),         str_dup(answers[snapshot->state_file]),
        str_dup(makers[snapshot->kind]),
    };
    table_add(table, cells, NULL, 0);
}

/* That nothing could be asked must not read as if nothing were there. */
static void tell_end(const struct list_result *r, struct buf *out)
{
    size_t n = r->inventory.n;
    if (r->outcome == LIST_ALL_FAILED)
        buf_printf(out, "no place could be listed\n");
    else
        buf_printf(out, "%s%s%zu snapshot%s%s\n", n ? "\n" : "",
                   r->outcome == LIST_INTERRUPTED ? "Interrupted: " : "", n, n == 1 ? "" : "s",
                   r->outcome == LIST_OK ? "" : "; not all places could be listed");
}

char *report_list_text(const struct list_result *r)
{
    struct buf out = {.max = TEXT_MAX};
    const struct inventory *inventory = &r->inventory;
    struct table *table = table_new(heads, sizeof heads / sizeof *heads);
    for (size_t i = 0; i < inventory->n; i++)
        add_row(table, r, &inventory->snapshots[i]);
    if (inventory->n)
        table_print(table, &out, false);
    table_free(table);
    tell_end(r, &out);
    return buf_take(&out);
}

/* ---- JSON ---- */

static json_t *answer(enum inventory_answer answer)
{
    return answer == INVENTORY_UNKNOWN ? json_null() : json_boolean(answer == INVENTORY_YES);
}

static void describe_copy(json_t *object, const struct inventory_copy *copy)
{
    document_add(object, "bytes", document_number(copy->bytes));
    document_add(object, "time", document_time(copy->modified));
    document_add(object, "format", json_string(copy->plain ? "plain" : "zip"));
}

static json_t *copies_on_nodes(const struct list_result *r, const struct inventory_snapshot *snapshot)
{
    json_t *copies = json_array();
    for (size_t i = 0; i < r->n_nodes; i++) {
        const struct inventory_copy *copy = inventory_copy_at(snapshot, i);
        if (!copy)
            continue;
        json_t *object = json_object();
        document_add(object, "address", document_text(r->nodes[i].run.address, NULL));
        describe_copy(object, copy);
        document_append(copies, object);
    }
    return copies;
}

static json_t *copy_in_store(const struct list_result *r, const struct inventory_snapshot *snapshot)
{
    const struct inventory_copy *copy = inventory_copy_at(snapshot, r->n_nodes);
    if (!copy)
        return json_null();
    const char *folder = r->store->folder ? r->store->folder : "";
    AUTO_FREE char *key = str_format("%s%s%s", folder, snapshot->name, copy->plain ? "" : ".zip");
    json_t *object = json_object();
    document_add(object, "key", document_text(key, NULL));
    describe_copy(object, copy);
    return object;
}

static json_t *snapshot_object(const struct list_result *r, const struct inventory_snapshot *snapshot)
{
    json_t *object = json_object();
    document_add(object, "name", document_text(snapshot->name, NULL));
    document_add(object, "time", document_time(snapshot->modified));
    document_add(object, "bytes", document_number(snapshot->bytes));
    document_add(object, "kind", json_string(inventory_kind_name(snapshot->kind)));
    document_add(object, "state_file", answer(snapshot->state_file));
    document_add(object, "nodes", copies_on_nodes(r, snapshot));
    document_add(object, "s3", copy_in_store(r, snapshot));
    return object;
}

static json_t *node_object(const struct list_node *node, struct log *log)
{
    json_t *object = json_object();
    document_add(object, "address", document_text(node->run.address, NULL));
    document_add(object, "status", json_string(list_status_name(node->status)));
    document_add(object, "duration_ms", json_integer(node->run.duration_ms));
    document_add(object, "error", document_error(&node->run.err, log));
    return object;
}

static json_t *store_object(const struct list_result *r, struct log *log)
{
    const struct store_result *store = r->store;
    if (!store)
        return json_null();
    json_t *object = json_object();
    document_add(object, "status", json_string(list_status_name(r->store_status)));
    document_add_store(object, store);
    document_add(object, "error", document_error(&store->err, log));
    return object;
}

char *report_list_json(const struct list_result *r, struct log *log)
{
    static const char *const outcomes[] = {[LIST_OK] = "ok",
                                           [LIST_PARTIAL] = "partial",
                                           [LIST_ALL_FAILED] = "failed",
                                           [LIST_INTERRUPTED] = "interrupted"};
    json_t *document = document_new(outcomes[r->outcome], r->started, r->duration_ms, &r->err, log);
    json_t *snapshots = json_array(), *nodes = json_array();
    for (size_t i = 0; i < r->inventory.n; i++)
        document_append(snapshots, snapshot_object(r, &r->inventory.snapshots[i]));
    for (size_t i = 0; i < r->n_nodes; i++)
        document_append(nodes, node_object(&r->nodes[i], log));
    document_add(document, "snapshots", snapshots);
    document_add(document, "nodes", nodes);
    document_add(document, "s3", store_object(r, log));
    return document_print(document);
}
