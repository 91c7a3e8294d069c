#include "snapctl/cli/upload_later.h"

#include <string.h>

#include "snapctl/base/str.h"

/* What stands in the place of a secret; NULL: nothing. */
static const char *stand_in(const struct option *option)
{
    static const struct {
        size_t target;
        const char *text;
    } rows[] = {
        {offsetof(struct options, secret_key), " --secret-key-file FILE"},
        {offsetof(struct options, s3_proxy),   " --s3-proxy URL"        },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].target == option->target)
            return rows[i].text;
    return NULL;
}

/* The keys of a session are over by then. */
static bool is_of_session(const struct options *options, const struct option *option)
{
    static const size_t targets[] = {offsetof(struct options, access_key),
                                     offsetof(struct options, secret_key),
                                     offsetof(struct options, secret_key_file)};
    bool found = false;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        found |= targets[i] == option->target;
    return found && options->session_token;
}

static void append_option(struct buf *out, const struct options *options, const struct option *option)
{
    bool standard_input =
        option->target == offsetof(struct options, config) && strcmp(options->config, "-") == 0;
    if (is_of_session(options, option) || standard_input || option->type == OPTION_SWITCH ||
        option->group == GROUP_OUTPUT)
        return;
    const char *text = option->type == OPTION_SECRET ? stand_in(option) : NULL;
    if (text)
        buf_puts(out, text);
    else
        options_spell(out, options, option);
}

char *upload_later(const struct call *call, const char *name)
{
    struct buf out = {0};
    buf_puts(&out, "snapctl upload ");
    str_quote_shell(&out, name);
    for (size_t i = 0; i < options_count; i++)
        if (call->given[i] && options_table[i].commands & FOR_UPLOAD)
            append_option(&out, call->options, &options_table[i]);
    return buf_take(&out);
}
