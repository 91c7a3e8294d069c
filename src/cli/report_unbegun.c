#include "snapctl/cli/report_unbegun.h"

#include <time.h>

#include "snapctl/cli/document.h"

static const struct {
    const char *name;
    unsigned field;
    bool list;
} empty[] = {
    {"snapshots", DOCUMENT_SNAPSHOTS, true },
    {"nodes",     DOCUMENT_NODES,     true },
    {"s3",        DOCUMENT_S3,        false},
    {"pruned",    DOCUMENT_PRUNED,    false},
    {"copies",    DOCUMENT_COPIES,    true },
    {"files",     DOCUMENT_FILES,     true },
    {"findings",  DOCUMENT_FINDINGS,  true },
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
