#include "snapctl/cli/report_unbegun.h"

#include <time.h>

#include "snapctl/cli/document.h"

static const struct {
    unsigned field;
    const char *name;
    bool list;
} empty[] = {
    {DOCUMENT_SNAPSHOTS, "snapshots", true },
    {DOCUMENT_NODES,     "nodes",     true },
    {DOCUMENT_S3,        "s3",        false},
    {DOCUMENT_PRUNED,    "pruned",    false},
    {DOCUMENT_COPIES,    "copies",    true },
    {DOCUMENT_FILES,     "files",     true },
    {DOCUMENT_FINDINGS,  "findings",  true },
};

char *report_unbegun_json(const struct unbegun *u, struct log *log)
{
    json_t *document = document_new(u->status, (int64_t)time(NULL), 0, u->err, log);
    if (u->fields & DOCUMENT_SNAPSHOT)
        document_add(document, "snapshot", document_text(u->snapshot, NULL));
    if (u->fields & DOCUMENT_DRY_RUN)
        document_add(document, "dry_run", json_boolean(u->dry_run));
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
        if (u->fields & empty[i].field)
            document_add(document, empty[i].name, empty[i].list ? json_array() : json_null());
    return document_print(document);
}
