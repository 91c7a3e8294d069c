#include "snapctl/cli/command_list.h"

#include "snapctl/cli/node_command.h"
#include "snapctl/cli/report_list.h"

static int tell(struct node_command *command, const struct list_result *result)
{
    struct log *log = command->call->log;
    AUTO_FREE char *text =
        node_command_wants_json(command) ? report_list_json(result, log) : report_list_text(result);
    if (result->err.kind != ERR_NONE)
        console_error(command->call->console, log, NULL, &result->err);
    return node_command_print(command, text, result->exit_status);
}

static int list(struct node_command *command)
{
    AUTO_ERR struct sc_err err = {0};
    bool in_store =
        command->s3.wanted && (!command->call->options->local || command->call->options->s3 == SWITCH_ON);
    const struct list_options options = {
        .run = command->options,
        .nodes = command->call->options->local || command->call->options->s3 != SWITCH_ON,
        .store = in_store ? &command->store : NULL,
    };
    struct list_result *result;
    if (list_run(command->cluster, &options, &command->ui, command->call->log, &result, &err) < 0)
        return node_command_refuse(command, &err);
    int status = tell(command, result);
    list_result_free(result);
    return status;
}

int command_list(const struct call *call)
{
    const struct options *o = call->options;
    return node_command(call, o->s3 == SWITCH_ON || (o->bucket_name && !o->local), list);
}
