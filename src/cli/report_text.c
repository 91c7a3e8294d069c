#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/console.h"
#include "snapctl/cli/report.h"
#include "snapctl/cli/report_prune.h"
#include "snapctl/cli/table.h"
#include "snapctl/node/node.h"

enum { RESULT = 1 };

static const char *const heads[] = {"NODE", "RESULT", "SIZE", "TIME", "NOTE"};

enum { COLUMNS = sizeof heads / sizeof *heads };

static const char *note_of(const struct save_node *node)
{
    enum {
        UNREAD,
        ARCHIVE_ALONE,
        ALL
    } how = !node->verified   ? UNREAD
            : !node->database ? ARCHIVE_ALONE
                              : ALL;
    static const char *const saved[][2] = {
        [UNREAD] = {"not verified, no state file",             "not verified"            },
        [ARCHIVE_ALONE] = {"database not looked into, no state file", "database not looked into"},
        [ALL] = {"no state file",                           ""                        },
    };
    if (node->status == SAVE_SAVED)
        return saved[how][node->facts.state_file || node->bundle];
    if (node->status == SAVE_FOUND && node->verified)
        return "verified";
    return node->run.err.kind != ERR_NONE && node->run.err.text ? node->run.err.text : "";
}

static const char *colour_of(enum save_status status)
{
    static const char *const codes[] = {
        [SAVE_FAILED] = TABLE_RED,     [SAVE_SAVED] = TABLE_GREEN,  [SAVE_UNKNOWN] = TABLE_YELLOW,
        [SAVE_CHECKED] = TABLE_GREEN,  [SAVE_FOUND] = TABLE_GREEN,  [SAVE_MISSING] = TABLE_YELLOW,
        [SAVE_SKIPPED] = TABLE_YELLOW, [SAVE_BUNDLED] = TABLE_GREEN};
    return codes[status];
}

static void add_row(struct table *table, const struct save_node *node, struct log *log)
{
    bool there = node->status == SAVE_SAVED || node->status == SAVE_FOUND;
    char *const cells[COLUMNS] = {
        console_clean(NULL, node->run.address, false),
        str_dup(save_status_name(node->status)),
        node->facts.bytes && there ? str_bytes(node->facts.bytes) : str_dup("-"),
        str_duration(node->run.duration_ms),
        console_clean(log, note_of(node), false),
    };
    table_add(table, cells, colour_of(node->status), RESULT);
}

static void print_table(struct buf *out, const struct save_result *result, struct log *log, bool colour)
{
    struct table *table = table_new(heads, COLUMNS);
    for (size_t i = 0; i < result->n_nodes; i++)
        add_row(table, &result->nodes[i], log);
    table_print(table, out, colour);
    table_free(table);
}

static size_t count(const struct save_result *result, enum save_status status)
{
    size_t n = 0;
    for (size_t i = 0; i < result->n_nodes; i++)
        n += result->nodes[i].status == status;
    return n;
}

/* RKE, cluster/etcd.go, lists the nodes' errors behind its line. */
static void print_failure(struct buf *out, const struct save_result *result, struct log *log)
{
    buf_puts(out, "[etcd] Failed to take snapshot on all etcd hosts: ");
    /* The first one has etcd. */
    for (size_t i = 0; i < result->n_nodes; i++) {
        if (result->nodes[i].bundle_only)
            continue;
        AUTO_FREE char *address = console_clean(NULL, result->nodes[i].run.address, false);
        AUTO_FREE char *note = console_clean(log, note_of(&result->nodes[i]), false);
        buf_printf(out, "%s%s: %s", i ? "; " : "", address, note);
    }
    buf_puts(out, "\n");
}

static size_t count_ready(const struct save_result *result)
{
    size_t n = 0;
    for (size_t i = 0; i < result->n_nodes; i++)
        n += result->nodes[i].status == SAVE_CHECKED && !result->nodes[i].bundle_only;
    return n;
}

static void print_dry_run(struct buf *out, const struct save_result *result)
{
    for (size_t i = 0; i < result->n_nodes; i++) {
        const struct save_node *node = &result->nodes[i];
        if (!node->commands)
            continue;
        AUTO_FREE char *address = console_clean(NULL, node->run.address, false);
        AUTO_FREE char *commands = console_clean(NULL, node->commands, true);
        buf_printf(out, "\n# On node %s:\n%s", address, commands);
    }
    buf_printf(out, "\nDry run: nothing was changed; %zu of %zu etcd hosts are ready for snapshot [%s]\n",
               count_ready(result), save_count_etcd(result), result->name);
}

static bool is_bundled(const struct save_node *node)
{
    return node->bundle && (node->status == SAVE_SAVED || node->status == SAVE_BUNDLED);
}

/* The nodes whose bundle has the same certificates as that of node i, which is the first of them. */
static void print_bundle(struct buf *out, const struct save_result *result, size_t i)
{
    const struct bundle_facts *facts = result->nodes[i].bundle;
    buf_puts(out, NODE_BUNDLE_FILE " on");
    for (size_t k = i; k < result->n_nodes; k++) {
        const struct save_node *node = &result->nodes[k];
        if (!is_bundled(node) || !bundle_facts_agree(facts, node->bundle))
            continue;
        AUTO_FREE char *address = console_clean(NULL, node->run.address, false);
        buf_printf(out, "%s %s", k > i ? "," : "", address);
    }
    for (size_t k = 0; k < facts->n_certificates; k++) {
        AUTO_FREE char *name = console_clean(NULL, facts->certificates[k], false);
        buf_printf(out, "%s %s", k ? "," : ":", name);
    }
    buf_puts(out, "\n");
}

/* Which certificates the bundles have: a line for all nodes where they agree. */
static void print_bundles(struct buf *out, const struct save_result *result)
{
    bool any = false;
    for (size_t i = 0; i < result->n_nodes; i++) {
        const struct save_node *node = &result->nodes[i];
        bool told = !is_bundled(node);
        for (size_t k = 0; k < i && !told; k++)
            told = is_bundled(&result->nodes[k]) && bundle_facts_agree(result->nodes[k].bundle, node->bundle);
        if (told)
            continue;
        if (!any)
            buf_puts(out, "\n");
        any = true;
        print_bundle(out, result, i);
    }
}

static void print_stored_bundle(struct buf *out, const struct store_result *store)
{
    if (!store->bundle_key)
        return;
    AUTO_FREE char *place = str_format("s3://%s/%s", store->bucket, store->bundle_key);
    AUTO_FREE char *clean = console_clean(NULL, place, false);
    AUTO_FREE char *size = str_bytes(store->bundle_bytes);
    buf_printf(out, "uploaded %s (%s)\n", clean, size);
}

/* What became of the upload, above the last line. */
static void print_store(struct buf *out, const struct store_result *store, struct log *log)
{
    if (!store || store->status == STORE_SKIPPED)
        return;
    AUTO_FREE char *place = str_format("s3://%s/%s", store->bucket, store->key);
    AUTO_FREE char *clean = console_clean(NULL, place, false);
    if (store->status == STORE_UPLOADED) {
        AUTO_FREE char *size = str_bytes(store->facts.bytes), *took = str_duration(store->duration_ms);
        buf_printf(out, "\nuploaded %s (%s from node %s in %s)\n", clean, size, store->source_node, took);
        print_stored_bundle(out, store);
        return;
    }
    AUTO_FREE char *why = console_clean(log, store->err.text ? store->err.text : "unknown error", false);
    const char *rest = str_starts(why, clean) ? why + strlen(clean) : why;
    buf_printf(out, "\nnot uploaded to %s: %s\n", clean, rest + strspn(rest, " "));
}

static bool only_upload_failed(const struct save_result *result)
{
    return result->store && result->store->status == STORE_FAILED &&
           count(result, SAVE_SAVED) + count(result, SAVE_BUNDLED) == result->n_nodes;
}

static const char upload_failed[] = "[etcd] Failed to upload etcd snapshot file to s3 on all etcd hosts\n";

static void print_end_of_save(struct buf *out, const struct save_result *result, struct log *log)
{
    size_t saved = count(result, SAVE_SAVED), nodes = save_count_etcd(result);
    if (result->outcome == SAVE_OK)
        buf_printf(out, "Finished saving/uploading snapshot [%s] on all etcd hosts\n", result->name);
    else if (result->outcome == SAVE_PARTIAL && only_upload_failed(result))
        buf_puts(out, upload_failed);
    else if (result->outcome == SAVE_ALL_FAILED)
        print_failure(out, result, log);
    else if (result->outcome == SAVE_INTERRUPTED)
        buf_printf(out, "Interrupted: snapshot [%s] is saved on %zu of %zu etcd hosts\n", result->name, saved,
                   nodes);
    else if (result->outcome == SAVE_PARTIAL)
        buf_printf(out, "Snapshot [%s] is saved on %zu of %zu etcd hosts%s\n", result->name, saved, nodes,
                   saved == nodes ? ", but not all bundles of certificates are made" : "");
}

static void print_end_of_upload(struct buf *out, const struct save_result *result)
{
    if (result->store->status == STORE_UPLOADED)
        buf_printf(out, "Snapshot [%s] is uploaded\n", result->name);
    else if (result->outcome == SAVE_INTERRUPTED)
        buf_printf(out, "Interrupted: snapshot [%s] is not uploaded\n", result->name);
    else
        buf_puts(out, upload_failed);
}

/* RKE's own words, where it would mean the same: scripts look for them. What it does not tell has words of
 * its own. */
static void print_last_line(struct buf *out, const struct save_result *result, struct log *log)
{
    if (result->upload_only)
        print_end_of_upload(out, result);
    else
        print_end_of_save(out, result, log);
}

char *report_text(const struct save_result *result, struct log *log, bool colour)
{
    struct buf out = {.max = (size_t)16 << 20};
    print_table(&out, result, log, colour);
    print_bundles(&out, result);
    print_store(&out, result->store, log);
    if (result->pruned)
        report_prune_lines(&out, result->pruned);
    if (result->dry_run && result->outcome != SAVE_INTERRUPTED && result->outcome != SAVE_REFUSED)
        print_dry_run(&out, result);
    else
        print_last_line(&out, result, log);
    return buf_take(&out);
}
