#include "snapctl/cli/command_save.h"

#include "snapctl/cli/command_prune.h"
#include "snapctl/cli/node_command.h"

static struct save_options options_of(const struct node_command *command)
{
    const struct options *o = command->call->options;
    return (struct save_options){
        .run = command->options,
        .name = o->name,
        .state_file = o->state_file,
        .require_state = o->require_state,
        .timeout_s = o->timeout_s,
        .require = (enum save_require)o->require,
        .verify = (enum save_verify)o->verify,
        .force = o->force,
        .dry_run = o->dry_run,
        .legacy = o->legacy,
        .pki_bundle = o->pki_bundle,
        .store = command->s3.wanted ? &command->store : NULL,
        .retention = command_prune_rule(o),
        .claimed = command_prune_claims(o),
    };
}

static int take_snapshots(struct node_command *command)
{
    AUTO_ERR struct sc_err err = {0};
    const struct save_options options = options_of(command);
    struct save_result *result;
    if (save_run(command->cluster, &options, &command->ui, command->call->log, &result, &err) < 0)
        return node_command_refuse(command, &err);
    int status = node_command_tell(command, result);
    save_result_free(result);
    return status;
}

int command_save(const struct call *call)
{
    return node_command_of_save(call, take_snapshots);
}
