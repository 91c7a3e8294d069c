/* The document of a run that did not begin, or was left at once: that of its command, empty. */
#ifndef SNAPCTL_CLI_REPORT_UNBEGUN_H
#define SNAPCTL_CLI_REPORT_UNBEGUN_H

#include <stdbool.h>

#include "snapctl/base/err.h"
#include "snapctl/base/log.h"

/* What a command's document has beside the head. */
enum {
    DOCUMENT_SNAPSHOT = 1 << 0,
    DOCUMENT_DRY_RUN = 1 << 1,
    DOCUMENT_SNAPSHOTS = 1 << 2,
    DOCUMENT_NODES = 1 << 3,
    DOCUMENT_S3 = 1 << 4,
    DOCUMENT_PRUNED = 1 << 5,
    DOCUMENT_COPIES = 1 << 6,
    DOCUMENT_FILES = 1 << 7,
    DOCUMENT_FINDINGS = 1 << 8,
    /* As report_json has it. */
    DOCUMENT_OF_SAVE = DOCUMENT_SNAPSHOT | DOCUMENT_DRY_RUN | DOCUMENT_NODES | DOCUMENT_S3 | DOCUMENT_PRUNED,
    DOCUMENT_OF_LIST = DOCUMENT_SNAPSHOTS | DOCUMENT_NODES | DOCUMENT_S3,
    DOCUMENT_OF_VERIFY = DOCUMENT_SNAPSHOT | DOCUMENT_COPIES,
    DOCUMENT_OF_FETCH = DOCUMENT_OF_VERIFY | DOCUMENT_FILES,
    DOCUMENT_OF_CHECK = DOCUMENT_FINDINGS,
    DOCUMENT_OF_PRUNE = DOCUMENT_DRY_RUN | DOCUMENT_NODES | DOCUMENT_S3,
};

struct unbegun {
    unsigned fields;      /* DOCUMENT_…; 0: no command is known */
    const char *status;   /* "refused", "interrupted" */
    const char *snapshot; /* as the command line has it; NULL: none, or several */
    bool dry_run;
    const struct sc_err *err;
};

/* The head, and the fields: lists are empty, objects null. The caller frees it. */
char *report_unbegun_json(const struct unbegun *unbegun, struct log *log) WARN_UNUSED;

#endif
