#include "snapctl/cli/command_prune.h"

#include "snapctl/cli/node_command.h"
#include "snapctl/cli/report_prune.h"

struct retention_rule command_prune_rule(const struct options *o)
{
    return (struct retention_rule){
        .keep = o->keep,
        .keep_daily = o->keep_daily,
        .keep_weekly = o->keep_weekly,
        .older_than_s = o->older_than_s,
        .prefix = o->prefix,
    };
}

bool command_prune_claims(const struct options *o)
{
    return o->folder || o->prefix;
}

/* In the main thread. */
static bool agree(void *arg, const struct prune_result *plan)
{
    struct node_command *command = arg;
    const struct call *call = command->call;
    AUTO_FREE char *text = report_prune_plan(plan, call->log);
    console_hold(call->console);
    bool yes = prompt_agreement(command->prompt, text, "Remove them");
    console_release(call->console);
    return yes;
}

static int refuse_unasked(struct node_command *command)
{
    AUTO_ERR struct sc_err err = {0};
    err_set(&err, ERR_USAGE, "there is no terminal to ask on whether snapshots may be removed");
    err_hint(&err, "--yes removes them without asking, --dry-run shows what would be removed");
    return node_command_refuse(command, &err);
}

/* What progress left for the end: see progress_event. */
static void tell_rest(const struct call *call, const struct prune_result *result)
{
    for (size_t i = 0; i <= result->n_nodes && result->outcome != PRUNE_REFUSED; i++) {
        const struct run_node *run = &result->places[i].run;
        if (run->err.kind == ERR_REFUSED)
            console_error(call->console, call->log, run->address, &run->err);
    }
}

static int tell(struct node_command *command, const struct prune_result *result)
{
    const struct call *call = command->call;
    tell_rest(call, result);
    AUTO_FREE char *text = command_wants_json(call) ? report_prune_json(result, call->log)
                           : result->outcome == PRUNE_REFUSED
                               ? NULL
                               : report_prune_text(result, call->log, command_has_colour(call));
    return node_command_print(command, &result->err, text, result->exit_status);
}

static int prune(struct node_command *command)
{
    AUTO_ERR struct sc_err err = {0};
    const struct call *call = command->call;
    const struct options *o = call->options;
    if (!o->yes && !o->dry_run && !command->prompt)
        return refuse_unasked(command);
    const struct prune_options options = {
        .run = command->options,
        .rule = command_prune_rule(o),
        .names = call->words,
        .n_names = call->n_words,
        .nodes = node_command_asks_nodes(command),
        .store = node_command_store(command),
        .claimed = command_prune_claims(o),
        .dry_run = o->dry_run,
        .agree = o->yes ? NULL : agree,
        .arg = command,
    };
    struct prune_result *result;
    if (prune_run(command->cluster, &options, &command->ui, call->log, &result, &err) < 0)
        return node_command_refuse(command, &err);
    int status = tell(command, result);
    prune_result_free(result);
    return status;
}

int command_prune(const struct call *call)
{
    AUTO_ERR struct sc_err err = {0};
    const struct retention_rule rule = command_prune_rule(call->options);
    if (retention_is_given(&rule))
        return node_command_of_places(call, prune);
    err_set(&err, ERR_USAGE, "prune needs a rule that says what is to be kept");
    err_hint(&err, "snapctl prune --keep 10, --keep-daily 7 --keep-weekly 4, or --older-than 30d");
    return command_refuse(call, &err);
}

int command_delete(const struct call *call)
{
    AUTO_ERR struct sc_err err = {0};
    if (call->n_words)
        return node_command_of_places(call, prune);
    err_set(&err, ERR_USAGE, "delete needs the name of a snapshot, or several");
    err_hint(&err, "snapctl delete NAME; snapctl list shows the names");
    return command_refuse(call, &err);
}
