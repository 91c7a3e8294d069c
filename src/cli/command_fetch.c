#include "snapctl/cli/command_fetch.h"

#include <string.h>
#include <unistd.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/node_command.h"
#include "snapctl/cli/report_fetch.h"

/* --from ADDRESS. */
static const char *address_of(const struct options *o)
{
    bool word = str_equal(o->from, "node") || str_equal(o->from, "s3");
    return word ? NULL : o->from;
}

static char *report(const struct call *call, const struct fetch_result *result)
{
    if (command_wants_json(call))
        return report_fetch_json(result, call->log);
    return result->tried.outcome == VERIFY_REFUSED
               ? NULL
               : report_fetch_text(result, call->log, command_has_colour(call));
}

static int fetch(struct node_command *command)
{
    AUTO_ERR struct sc_err err = {0};
    const struct call *call = command->call;
    const struct options *o = call->options;
    const struct fetch_options options = {
        .run = command->options,
        .name = call->words[0],
        .nodes = node_command_asks_nodes(command),
        .address = address_of(o),
        .store = node_command_store(command),
        .to = o->to,
        .extract = o->extract,
        .replace = o->force,
    };
    struct fetch_result *result;
    if (fetch_run(command->cluster, &options, &command->ui, call->log, &result, &err) < 0)
        return node_command_refuse(command, &err);
    AUTO_FREE char *text = report(call, result);
    int status = node_command_print(command, &result->tried.err, text, result->tried.exit_status);
    fetch_result_free(result);
    return status;
}

static int check_standard_output(const struct options *o, struct sc_err *err)
{
    if (o->extract) {
        err_set(err, ERR_USAGE, "--extract leaves two files, which standard output cannot be");
        return err_hint(err, "name a file or a folder with -o");
    }
    if (isatty(STDOUT_FILENO)) {
        err_set(err, ERR_USAGE, "standard output is a terminal, and a snapshot is nothing to be shown");
        return err_hint(err, "send it to a file or a pipe, or name a file with -o");
    }
    return 0;
}

static int check(const struct call *call, struct sc_err *err)
{
    if (call->n_words == 1)
        return str_equal(call->options->to, "-") ? check_standard_output(call->options, err) : 0;
    err_set(err, ERR_USAGE, "fetch takes one name");
    return err_hint(err, "snapctl fetch NAME --config cluster.yml");
}

int command_fetch(const struct call *call)
{
    AUTO_ERR struct sc_err err = {0};
    if (str_equal(call->options->to, "-"))
        console_give_up_out(call->console);
    if (check(call, &err) < 0)
        return command_refuse(call, &err);
    return node_command_of_places(call, fetch);
}
