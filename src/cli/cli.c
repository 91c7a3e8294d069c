#include "snapctl/cli/cli.h"

#include <string.h>
#include <unistd.h>

#include "snapctl/cli/command_help.h"
#include "snapctl/cli/node_command.h"
#include "snapctl/cli/parse.h"

static enum log_level level_of(const struct options *options)
{
    if (options->quiet)
        return LOG_ERROR;
    return options->trace ? LOG_TRACE : options->debug ? LOG_DEBUG : LOG_INFO;
}

static int dispatch(const struct call *call, const struct parse_result *parsed)
{
    if (parsed->options.help)
        return command_help_of(call, parsed->command);
    if (parsed->options.version)
        return command_version(call);
    return parsed->command->run(call);
}

/* Of "scheme://user:password@host" only the password is secret. */
static void redact_login(struct log *log, const struct secret *url)
{
    const char *text = url ? secret_data(url) : "";
    const char *scheme = strstr(text, "://"), *at = strrchr(text, '@');
    const char *colon = strchr(scheme ? scheme + strlen("://") : text, ':');
    if (!at || !colon || colon > at)
        return;
    AUTO_SECRET struct secret *password = secret_new(colon + 1, (size_t)(at - colon - 1));
    log_redact(log, password);
}

int cli_main(int argc, char **argv)
{
    AUTO_ERR struct sc_err err = {0};
    struct parse_result parsed;
    bool json = parse_wants_json(argc, argv);
    int result = parse_command_line(argc, argv, &parsed, &err);
    struct console *console = console_open(STDOUT_FILENO, STDERR_FILENO);
    struct log *log = log_new(level_of(&parsed.options), console_log_writer, console);
    const struct call call = {
        .command = parsed.command,
        .console = console,
        .log = log,
        .options = &parsed.options,
        .given = parsed.given,
        .words = parsed.words,
        .n_words = parsed.n_words,
    };
    log_redact(log, parsed.options.secret_key);
    log_redact(log, parsed.options.session_token);
    redact_login(log, parsed.options.s3_proxy);
    if (result < 0 && json)
        parsed.options.output = OUTPUT_JSON;
    int status = result < 0 ? command_refuse(&call, &err) : dispatch(&call, &parsed);
    log_free(log);
    console_free(console);
    parse_clear(&parsed);
    return status;
}
