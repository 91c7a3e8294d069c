#include "snapctl/cli/command_check.h"

#include "snapctl/cli/node_command.h"
#include "snapctl/cli/report_check.h"

static int tell(struct node_command *command, const struct check_result *result)
{
    struct console *console = command->call->console;
    struct log *log = command->call->log;
    bool colour = console_out_is_terminal(console) && console_has_colour(console);
    AUTO_FREE char *text = node_command_wants_json(command) ? report_check_json(result, log)
                                                            : report_check_text(result, log, colour);
    if (result->err.kind != ERR_NONE)
        console_error(console, log, NULL, &result->err);
    return node_command_print(command, text, result->exit_status);
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
        .store = command->s3.wanted && !o->local ? &command->store : NULL,
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
    const struct options *o = call->options;
    return node_command(call, o->s3 == SWITCH_ON || (o->bucket_name && !o->local), check);
}
