#include "snapctl/cli/commands.h"

#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/command_check.h"
#include "snapctl/cli/command_fetch.h"
#include "snapctl/cli/command_help.h"
#include "snapctl/cli/command_list.h"
#include "snapctl/cli/command_prune.h"
#include "snapctl/cli/command_save.h"
#include "snapctl/cli/command_upload.h"
#include "snapctl/cli/command_verify.h"
#include "snapctl/cli/report_unbegun.h"

const struct command commands_table[] = {
    {
     .name = "save",
     .synonym = "etcd snapshot-save",
     .summary = "take a snapshot on every etcd node",
     .text =
            "Takes a one-time etcd snapshot on every etcd node of the cluster, leaves it as "
            "/opt/rke/etcd-snapshots/NAME.zip on each, and proves it restorable before it is called saved. With S3, "
            "the first that is ready is uploaded while it is proven, and visible in the bucket only if it is good.",
     .bit = FOR_SAVE,
     .document = DOCUMENT_OF_SAVE,
     .run = command_save,
     },
    {
     .name = "upload",
     .words = "NAME",
     .summary = "upload a snapshot that the nodes have to S3",
     .text =
            "Uploads the snapshot NAME, which the etcd nodes have, to S3: from the first node that is ready, verified "
            "while it flows, and visible in the bucket only if it is good.",                                                                                                                    .bit = FOR_UPLOAD,
     .document = DOCUMENT_OF_SAVE,
     .run = command_upload,
     },
    {
     .name = "list",
     .summary = "show the snapshots on the etcd nodes and in S3",
     .text =
            "Shows the snapshots that are on the etcd nodes, and in S3 if the configuration or --bucket-name names a "
            "bucket: the newest first, with where each is. What is shown was not verified.",                         .bit = FOR_LIST,
     .document = DOCUMENT_OF_LIST,
     .run = command_list,
     },
    {
     .name = "verify",
     .words = "NAME | FILE | --all",
     .summary = "prove that snapshots can be restored",
     .text =
            "Reads every copy of the snapshot NAME, on each etcd node that has it and in S3 if the configuration or "
            "--bucket-name names a bucket, or with --all of every snapshot, and proves it: the archive, etcd's SHA-256, "
            "and every page of the database. A word with a slash, or that is a file here, is an archive or a plain "
            "snapshot of its own, and needs no configuration.",                                                                                                 .bit = FOR_VERIFY,
     .document = DOCUMENT_OF_VERIFY,
     .run = command_verify,
     },
    {
     .name = "fetch",
     .words = "NAME",
     .summary = "bring a snapshot here, proven on the way",
     .text =
            "Brings the snapshot NAME here, from an etcd node that has it, else from S3 if the configuration or "
            "--bucket-name names a bucket. It is proven while it flows, as verify does it, and the file is complete and "
            "good, or not there: a copy that turns out to be damaged, or cannot be reached, is followed by the next. A "
            "connection that breaks is made again, and goes on where it was.",                                                                                           .bit = FOR_FETCH,
     .document = DOCUMENT_OF_FETCH,
     .run = command_fetch,
     },
    {
     .name = "check",
     .summary = "try all that save needs, and change nothing",
     .text =
            "Tries all that save needs on every etcd node, and in S3 if the configuration or --bucket-name names a bucket, "
            "and changes nothing: a line for each finding, with what would help.",                                                                 .bit = FOR_CHECK,
     .document = DOCUMENT_OF_CHECK,
     .run = command_check,
     },
    {
     .name = "prune",
     .summary = "remove old snapshots by a rule",
     .text =
            "Removes one-time snapshots that no rule keeps from the etcd nodes, and from S3 if the configuration or "
            "--bucket-name names a bucket. Each node, and S3, is a place of its own, and the newest that can be proven "
            "good in a place is never removed. What is to be removed is shown and asked for on the terminal.",                                                                         .example = "snapctl prune --keep-daily 7 --keep-weekly 4 --dry-run",
     .bit = FOR_PRUNE,
     .document = DOCUMENT_OF_PRUNE,
     .run = command_prune,
     },
    {
     .name = "delete",
     .words = "NAME...",
     .summary = "remove snapshots by name",
     .text =
            "Removes the snapshots of these names from the etcd nodes, and from S3 if the configuration or "
            "--bucket-name names a bucket, after they were shown and asked for on the terminal. A name that is in no "
            "place stops it before anything is removed.",                                       .bit = FOR_DELETE,
     .document = DOCUMENT_OF_PRUNE,
     .run = command_delete,
     },
    {
     .name = "help",
     .words = "[COMMAND]",
     .summary = "show help, also of a command",
     .text = "Shows what snapctl can do, or the options of a command.",
     .bit = FOR_HELP,
     .run = command_help,
     },
    {
     .name = "version",
     .summary = "show the versions of snapctl and its libraries",
     .text = "Shows the versions of snapctl and its libraries.",
     .bit = FOR_VERSION,
     .run = command_version,
     },
};

const size_t commands_count = sizeof commands_table / sizeof *commands_table;

const struct command *commands_find(const char *words)
{
    for (size_t i = 0; i < commands_count; i++)
        if (strcmp(commands_table[i].name, words) == 0 || str_equal(commands_table[i].synonym, words))
            return &commands_table[i];
    return NULL;
}

bool commands_begins_synonym(const char *words)
{
    size_t len = strlen(words);
    for (size_t i = 0; i < commands_count; i++) {
        const char *synonym = commands_table[i].synonym;
        if (synonym && str_starts(synonym, words) && synonym[len] == ' ')
            return true;
    }
    return false;
}

const struct command *commands_nearest(const char *words)
{
    const struct command *nearest = NULL;
    size_t best = strlen(words) / 3 + 1;
    for (size_t i = 0; i < commands_count; i++) {
        const char *const names[] = {commands_table[i].name, commands_table[i].synonym};
        for (size_t k = 0; k < 2 && names[k]; k++) {
            size_t distance = str_distance(words, names[k], best);
            if (distance >= best)
                continue;
            best = distance;
            nearest = &commands_table[i];
        }
    }
    return nearest;
}
