#include "snapctl/cli/command_upload.h"

#include "snapctl/cli/node_command.h"
#include "snapctl/core/upload.h"

static int upload(struct node_command *command)
{
    AUTO_ERR struct sc_err err = {0};
    const struct options *o = command->call->options;
    const struct upload_options options = {
        .run = command->options,
        .name = command->call->words[0],
        .legacy = o->legacy,
        .pki_bundle = o->pki_bundle,
        .force = o->force,
        .store = &command->store,
    };
    struct save_result *result;
    if (upload_run(command->cluster, &options, &command->ui, command->call->log, &result, &err) < 0)
        return node_command_refuse(command, &err);
    int status = node_command_tell(command, result);
    save_result_free(result);
    return status;
}

int command_upload(const struct call *call)
{
    AUTO_ERR struct sc_err err = {0};
    if (call->n_words == 1)
        return node_command(call, true, upload);
    err_set(&err, ERR_USAGE, call->n_words ? "upload takes one name" : "upload needs the name of a snapshot");
    err_hint(&err, "snapctl upload NAME --bucket-name BUCKET");
    return command_refuse(call, &err);
}
