#include "snapctl/cli/command_help.h"

#include "snapctl/base/str.h"
#include "snapctl/cli/exit_status.h"
#include "snapctl/cli/help.h"
#include "snapctl/cli/version.h"

static int print(const struct call *call, const char *text)
{
    AUTO_ERR struct sc_err err = {0};
    if (console_out(call->console, text, &err) == 0)
        return EXIT_STATUS_OK;
    console_error(call->console, call->log, NULL, &err);
    return EXIT_STATUS_OUTPUT;
}

int command_help_of(const struct call *call, const struct command *command)
{
    size_t columns = console_help_columns(call->console);
    AUTO_FREE char *text = command ? help_command(command, columns) : help_program(columns);
    return print(call, text);
}

int command_help(const struct call *call)
{
    AUTO_BUF struct buf words = {0};
    for (size_t i = 0; i < call->n_words; i++)
        buf_printf(&words, "%s%s", i ? " " : "", call->words[i]);
    const struct command *command = commands_find(buf_text(&words));
    if (command || call->n_words == 0)
        return command_help_of(call, command);
    AUTO_ERR struct sc_err err = {0};
    err_set(&err, ERR_USAGE, "there is no command \"%s\"", words.data);
    err_hint(&err, "snapctl help lists the commands");
    console_error(call->console, call->log, NULL, &err);
    return EXIT_STATUS_REFUSED;
}

int command_version(const struct call *call)
{
    AUTO_FREE char *text = version_text();
    return print(call, text);
}
