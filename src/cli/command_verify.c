#include "snapctl/cli/command_verify.h"

#include <string.h>
#include <unistd.h>

#include "snapctl/cli/node_command.h"
#include "snapctl/cli/report_verify.h"

static char *report(const struct call *call, const struct verify_result *result)
{
    if (command_wants_json(call))
        return report_verify_json(result, call->log);
    return result->outcome == VERIFY_REFUSED
               ? NULL
               : report_verify_text(result, call->log, command_has_colour(call));
}

static void tell_bad(const struct call *call, const struct verify_copy *copy)
{
    AUTO_ERR struct sc_err err = {0};
    if (copy->err.kind == ERR_NONE)
        return;
    err_set(&err, copy->err.kind, "%s: %s", copy->where, copy->err.text);
    if (copy->err.hint)
        err_hint(&err, "%s", copy->err.hint);
    console_error(call->console, call->log, NULL, &err);
}

static int verify_here(const struct call *call, const char *path)
{
    AUTO_ERR struct sc_err err = {0};
    const struct ctx ctx = {.log = call->log, .deadline_ms = CTX_NO_DEADLINE};
    struct verify_result *result;
    if (verify_file(&ctx, path, &result, &err) < 0)
        return command_refuse(call, &err);
    tell_bad(call, &result->copies[0]);
    AUTO_FREE char *text = report(call, result);
    int status = command_print(call, text, result->exit_status);
    verify_result_free(result);
    return status;
}

static int verify(struct node_command *command)
{
    AUTO_ERR struct sc_err err = {0};
    const struct call *call = command->call;
    const struct verify_options options = {
        .run = command->options,
        .name = call->options->all ? NULL : call->words[0],
        .nodes = node_command_asks_nodes(command),
        .store = node_command_store(command),
    };
    struct verify_result *result;
    if (verify_run(command->cluster, &options, &command->ui, call->log, &result, &err) < 0)
        return node_command_refuse(command, &err);
    AUTO_FREE char *text = report(call, result);
    int status = node_command_print(command, &result->err, text, result->exit_status);
    verify_result_free(result);
    return status;
}

static bool is_file(const char *word)
{
    return strchr(word, '/') || access(word, F_OK) == 0;
}

int command_verify(const struct call *call)
{
    AUTO_ERR struct sc_err err = {0};
    const struct options *o = call->options;
    if (call->n_words + o->all != 1) {
        err_set(&err, ERR_USAGE, "verify takes one name, or one file, or --all");
        err_hint(&err, "snapctl verify NAME --config cluster.yml");
        return command_refuse(call, &err);
    }
    if (!o->all && is_file(call->words[0]))
        return verify_here(call, call->words[0]);
    return node_command_of_places(call, verify);
}
