#include "snapctl/cli/command_list.h"

#include "snapctl/cli/node_command.h"
#include "snapctl/cli/report_list.h"

static int tell(struct node_command *command, const struct list_result *result)
{
    AUTO_FREE char *text = command_wants_json(command->call) ? report_list_json(result, command->call->log)
                                                             : report_list_text(result);
    return node_command_print(command, &result->err, text, result->exit_status);
}

static int list(struct node_command *command)
{
    AUTO_ERR struct sc_err err = {0};
    const struct list_options options = {
        .run = command->options,
        .nodes = node_command_asks_nodes(command),
        .store = node_command_store(command),
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
    return node_command_of_places(call, list);
}
