#include "snapctl/cli/command_check.h"

#include "snapctl/cli/node_command.h"
#include "snapctl/cli/report_check.h"

static int tell(struct node_command *command, const struct check_result *result)
{
    const struct call *call = command->call;
    AUTO_FREE char *text = command_wants_json(call)
                               ? report_check_json(result, call->log)
                               : report_check_text(result, call->log, command_has_colour(call));
    return node_command_print(command, &result->err, text, result->exit_status);
}

static int check(struct node_command *command)
{
    AUTO_ERR struct sc_err err = {0};
    const struct options *o = command->call->options;
    const struct check_options options = {
        .run = command->options,
        .state_file = o->state_file,
        .require_state = o->require_state,
        .fix = o->fix,
        .legacy = o->legacy,
        .pki_bundle = o->pki_bundle,
        .nodes = node_command_asks_nodes(command),
        .store = node_command_store(command),
    };
    struct check_result *result;
    if (check_run(command->cluster, &options, &command->ui, command->call->log, &result, &err) < 0)
        return node_command_refuse(command, &err);
    int status = tell(command, result);
    check_result_free(result);
    return status;
}

int command_check(const struct call *call)
{
    return node_command_of_places(call, check);
}
