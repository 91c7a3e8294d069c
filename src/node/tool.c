#include "tool.h"

#include <stdlib.h>
#include <string.h>

#include "reason.h"
#include "snapctl/base/str.h"
#include "snapctl/node/health.h"

/* By node_job.legacy. */
static const struct {
    const char *command, *words, *era, *hint; /* era: of an image without it */
} eras[] = {
    {"etcd-backup",    "etcd-backup save", "before v0.2.0",
     "save --legacy takes the snapshot as RKE did before v0.2.0"              },
    {"rolling-backup", "rolling-backup",   "v0.2.0 or newer",
     "save without --legacy; --pki-bundle keeps the certificates all the same"},
};

const char *tool_command(const struct node_job *job)
{
    return eras[job->legacy].command;
}

const char *tool_words(const struct node_job *job)
{
    return eras[job->legacy].words;
}

/* The words are those of the tool's command-line library, urfave/cli. */
bool tool_is_of_another_era(const struct node *node, const char *printed, struct sc_err *err)
{
    const char *command = tool_command(node->job);
    AUTO_FREE char *complaint = str_format("No help topic for '%s'", command);
    if (!strstr(printed, complaint))
        return false;
    err_set(err, ERR_IMAGE, "the tools image %s has no sub-command %s: it is one of RKE %s",
            node->facts.image, command, eras[node->job->legacy].era);
    err_hint(err, "%s", eras[node->job->legacy].hint);
    return true;
}

int node_judge_tool(const struct node *node, const struct node_health *health, struct sc_err *err)
{
    if (tool_is_of_another_era(node, health->tool, err))
        return -1;
    if (health->tool_status == 0)
        return 0;
    err_set(err, ERR_DOCKER, "the tools image %s does not tell whether it has %s (status %d): %s",
            node->facts.image, tool_command(node->job), health->tool_status, health->tool);
    return err_hint(err, "see `docker run --rm --entrypoint /opt/rke-tools/rke-etcd-backup %s help %s` there",
                    node->facts.image, tool_command(node->job));
}
