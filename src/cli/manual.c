#include "snapctl/cli/manual.h"

#include <string.h>

#include "snapctl/cli/commands.h"
#include "snapctl/cli/environment.h"
#include "snapctl/cli/exit_status.h"
#include "snapctl/cli/options.h"

enum { LINE_BYTES = 78 };

/* A word as mdoc wants it; at the beginning of a line a full stop would make it a macro. */
static void print_word(struct buf *out, const char *word, size_t len, bool first)
{
    if (first && (*word == '.' || *word == '\''))
        buf_puts(out, "\\&");
    for (size_t i = 0; i < len; i++) {
        if (word[i] == '\\')
            buf_puts(out, "\\e");
        else if (word[i] == '-')
            buf_puts(out, "\\-");
        else
            buf_append(out, &word[i], 1);
    }
}

/* Text in lines of its own, a sentence beginning a new one. */
static void print_text(struct buf *out, const char *text)
{
    size_t column = 0;
    while (*(text += strspn(text, " "))) {
        size_t len = strcspn(text, " ");
        bool ended = out->len && out->data[out->len - 1] == '.';
        bool fits = !ended && column + 1 + len <= LINE_BYTES;
        if (column)
            buf_puts(out, fits ? " " : "\n");
        size_t before = out->len;
        print_word(out, text, len, !column || !fits);
        column = (column && fits ? column + 1 : 0) + (out->len - before);
        text += len;
    }
}

static void print_sentence(struct buf *out, const char *text)
{
    print_text(out, text);
    buf_puts(out, ".\n");
}

/* "save, upload: text." */
static void print_help_of(struct buf *out, const struct option_help *help)
{
    const char *before = ".Cm ";
    for (size_t i = 0; i < commands_count; i++)
        if (commands_table[i].bit & help->commands) {
            buf_printf(out, "%s%s", before, commands_table[i].name);
            before = " , ";
        }
    buf_puts(out, " :\n");
    print_sentence(out, help->text);
}

static void print_option(struct buf *out, const struct option *option)
{
    buf_puts(out, ".It ");
    if (option->letter)
        buf_printf(out, "Fl %c , ", option->letter);
    buf_printf(out, "Fl Fl %s", option->name);
    if (option->value)
        buf_printf(out, " Ar %s", option->value);
    buf_puts(out, "\n");
    if (option->help)
        print_sentence(out, option->help);
    for (size_t i = 0; !option->help && option->helps[i].text; i++)
        print_help_of(out, &option->helps[i]);
    for (size_t i = 0; option->choices && option->choices[i]; i++)
        buf_printf(out, "%s.Cm %s%s\n", i ? "" : "One of\n", option->choices[i],
                   option->choices[i + 1] ? " ," : " .");
    if (option->fallback)
        buf_printf(out, "The default is\n.Cm %s .\n", option->fallback);
    if (option->variable)
        buf_printf(out, "The environment variable\n.Ev %s\nis asked before the default.\n", option->variable);
}

void manual_options(struct buf *out)
{
    for (enum option_group group = 0; group < GROUP_COUNT; group++) {
        buf_printf(out, ".Ss %s\n.Bl -tag -width Ds\n", options_group_title(group));
        for (size_t i = 0; i < options_count; i++)
            if (options_table[i].group == group)
                print_option(out, &options_table[i]);
        buf_puts(out, ".El\n");
    }
}

void manual_commands(struct buf *out)
{
    buf_puts(out, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < commands_count; i++) {
        const struct command *command = &commands_table[i];
        buf_printf(out, ".It Cm %s", command->name);
        if (command->words)
            buf_printf(out, " %s", command->words);
        buf_puts(out, "\n");
        print_text(out, command->text);
        buf_puts(out, "\n");
        if (command->synonym)
            buf_printf(out, "RKE's words for it,\n.Cm %s ,\nare understood as well.\n", command->synonym);
    }
    buf_puts(out, ".El\n");
}

static void print_variables(struct buf *out, const struct environment_variable *variables, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, ".It Ev %s\n", variables[i].name);
        print_sentence(out, variables[i].meaning);
    }
}

void manual_environment(struct buf *out)
{
    buf_puts(out, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < options_count; i++)
        if (options_table[i].variable)
            buf_printf(out, ".It Ev %s\nThe default of\n.Fl Fl %s .\n", options_table[i].variable,
                       options_table[i].name);
    print_variables(out, environment_table, environment_count);
    print_variables(out, environment_aws, environment_aws_count);
    buf_puts(out, ".El\n");
}

void manual_exit_status(struct buf *out)
{
    buf_puts(out, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < exit_status_count; i++) {
        buf_printf(out, ".It %d\n", exit_status_table[i].status);
        print_sentence(out, exit_status_table[i].meaning);
    }
    buf_puts(out, ".El\n");
}
