#include <inttypes.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/document.h"
#include "snapctl/cli/report.h"
#include "snapctl/cli/report_prune.h"
#include "snapctl/node/node.h"

static json_t *bundle_object(const struct bundle_facts *facts)
{
    json_t *object = json_object(), *certificates = json_array();
    for (size_t i = 0; i < facts->n_certificates; i++)
        document_append(certificates, document_text(facts->certificates[i], NULL));
    document_add(object, "path", json_string(NODE_SNAPSHOT_FOLDER "/" NODE_BUNDLE_FILE));
    document_add(object, "bytes", document_number(facts->bytes));
    document_add(object, "sha256", document_text(facts->sha256, NULL));
    document_add(object, "certificates", certificates);
    return object;
}

static json_t *node_object(const struct save_node *node, bool dry_run, struct log *log)
{
    bool found = node->status == SAVE_FOUND;
    bool saved = node->status == SAVE_SAVED || (found && node->verified);
    bool may_be_there = saved || found || (node->status == SAVE_UNKNOWN && !node->bundle_only);
    json_t *object = json_object();
    bool bundled = node->bundle && (saved || node->status == SAVE_BUNDLED);
    document_add(object, "address", document_text(node->run.address, NULL));
    document_add(object, "role", json_string(node->bundle_only ? "controlplane" : "etcd"));
    document_add(object, "status", json_string(save_status_name(node->status)));
    document_add(object, "path", may_be_there ? document_text(node->path, NULL) : json_null());
    document_add(object, "bytes", saved || found ? document_number(node->facts.bytes) : json_null());
    document_add(object, "sha256", saved ? document_text(node->facts.sha256, NULL) : json_null());
    document_add(object, "verified", json_boolean(saved && node->verified));
    json_t *etcd = saved ? document_etcd(&node->facts) : json_null();
    if (saved) {
        AUTO_FREE char *cluster = node->cluster_id ? str_format("%" PRIx64, node->cluster_id) : NULL;
        document_add_database(etcd, node->database);
        document_add(etcd, "cluster_id", document_text(cluster, NULL));
    }
    document_add(object, "etcd", etcd);
    document_add(object, "state_file", saved ? json_boolean(node->facts.state_file) : json_null());
    document_add(object, "pki_bundle", bundled ? bundle_object(node->bundle) : json_null());
    document_add(object, "duration_ms", json_integer(node->run.duration_ms));
    document_add(object, "phase", json_string(run_phase_name(node->run.phase)));
    document_add(object, "error", document_error(&node->run.err, log));
    if (dry_run)
        document_add(object, "commands", document_lines(node->commands, log));
    return object;
}

static json_t *stored_bundle(const struct store_result *store)
{
    if (!store->bundle_key)
        return json_null();
    json_t *object = json_object();
    document_add(object, "key", document_text(store->bundle_key, NULL));
    document_add(object, "bytes", document_number(store->bundle_bytes));
    document_add(object, "etag", document_text(store->bundle_etag, NULL));
    return object;
}

static json_t *store_object(const struct store_result *store, struct log *log)
{
    if (!store)
        return json_null();
    bool uploaded = store->status == STORE_UPLOADED;
    json_t *object = json_object();
    document_add(object, "status", json_string(store_status_name(store->status)));
    document_add(object, "endpoint", document_text(store->endpoint, NULL));
    document_add(object, "bucket", document_text(store->bucket, NULL));
    document_add(object, "key", document_text(store->key, NULL));
    document_add(object, "region", document_text(store->region, NULL));
    document_add(object, "bytes", uploaded ? document_number(store->facts.bytes) : json_null());
    document_add(object, "parts", uploaded ? json_integer((json_int_t)store->parts) : json_null());
    document_add(object, "etag", document_text(store->etag, NULL));
    document_add(object, "version_id", document_text(store->version_id, NULL));
    document_add(object, "sha256", uploaded ? document_text(store->facts.sha256, NULL) : json_null());
    document_add(object, "pki_bundle", stored_bundle(store));
    document_add(object, "source_node", document_text(store->source_node, NULL));
    document_add(object, "via", document_text(store->via, NULL));
    document_add(object, "credentials", document_text(store->credentials, NULL));
    document_add(object, "verified", json_boolean(uploaded));
    document_add(object, "read_back", json_boolean(uploaded && store->read_back));
    document_add(object, "etcd", uploaded ? document_etcd(&store->facts) : json_null());
    document_add(object, "duration_ms", json_integer(store->duration_ms));
    document_add(object, "error", document_error(&store->err, log));
    return object;
}

char *report_json(const struct save_result *result, struct log *log)
{
    static const char *const outcomes[] = {
        [SAVE_OK] = "ok",           [SAVE_PARTIAL] = "partial",         [SAVE_ALL_FAILED] = "failed",
        [SAVE_REFUSED] = "refused", [SAVE_INTERRUPTED] = "interrupted",
    };
    json_t *object =
        document_new(outcomes[result->outcome], result->started, result->duration_ms, &result->err, log);
    json_t *nodes = json_array();
    document_add(object, "snapshot", document_text(result->name, NULL));
    document_add(object, "dry_run", json_boolean(result->dry_run));
    for (size_t i = 0; i < result->n_nodes; i++)
        document_append(nodes, node_object(&result->nodes[i], result->dry_run, log));
    document_add(object, "nodes", nodes);
    document_add(object, "s3", store_object(result->store, log));
    document_add(object, "pruned", result->pruned ? report_prune_object(result->pruned, log) : json_null());
    return document_print(object);
}
