#include "snapctl/cli/upload_later.h"

#include "snapctl/base/str.h"

static void append_option(struct buf *out, const struct options *options, const struct option *option)
{
    if (option->target == offsetof(struct options, secret_key)) {
        buf_puts(out, " --secret-key-file FILE");
        return;
    }
    /* A session is over by then; and what is told here is told once. */
    if (option->type == OPTION_SECRET || option->type == OPTION_SWITCH || option->group == GROUP_OUTPUT)
        return;
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
