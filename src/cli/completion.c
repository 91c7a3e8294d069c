#include <string.h>

#include "snapctl/cli/commands.h"
#include "snapctl/cli/manual.h"
#include "snapctl/cli/options.h"

void completion_commands(struct buf *out)
{
    buf_puts(out, "words='");
    for (size_t i = 0; i < commands_count; i++)
        buf_printf(out, "%s%s", i ? " " : "", commands_table[i].name);
    buf_puts(out, "'\n");
}

static void print_options(struct buf *out, const char *name, unsigned commands)
{
    buf_printf(out, "%s) words='", name);
    const char *blank = "";
    for (size_t i = 0; i < options_count; i++) {
        if (!(options_table[i].commands & commands))
            continue;
        buf_printf(out, "%s--%s", blank, options_table[i].name);
        blank = " ";
    }
    buf_puts(out, "' ;;\n");
}

/* The last word of a synonym is enough to know the command by. */
static const char *last_word(const char *words)
{
    const char *blank = strrchr(words, ' ');
    return blank ? blank + 1 : words;
}

void completion_options(struct buf *out)
{
    for (size_t i = 0; i < commands_count; i++) {
        const struct command *command = &commands_table[i];
        print_options(out, command->name, command->bit);
        if (command->synonym)
            print_options(out, last_word(command->synonym), command->bit);
    }
    print_options(out, "''", FOR_NONE);
}

static void print_value(struct buf *out, const struct option *option)
{
    buf_puts(out, option->name);
    if (option->letter)
        buf_printf(out, " | %c", option->letter);
    buf_puts(out, ") ");
    if (option->type == OPTION_PATH) {
        buf_puts(out, "files=yes ;;\n");
        return;
    }
    buf_puts(out, "words='");
    for (size_t i = 0; option->choices && option->choices[i]; i++)
        buf_printf(out, "%s%s", i ? " " : "", option->choices[i]);
    buf_puts(out, "' ;;\n");
}

void completion_values(struct buf *out)
{
    for (size_t i = 0; i < options_count; i++)
        if (options_takes_value(&options_table[i]))
            print_value(out, &options_table[i]);
}
