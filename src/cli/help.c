#include "snapctl/cli/help.h"

#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/environment.h"
#include "snapctl/cli/exit_status.h"

/* Below so many columns the texts stand under the options, not beside them. */
enum { NARROW = 64, WIDE_INDENT = 26, NARROW_INDENT = 8, WIDEST_TEXT = 120 };

void help_wrap(struct buf *out, const char *text, size_t indent, size_t used, size_t columns)
{
    size_t at = used;
    bool fresh = true;
    while (*(text += strspn(text, " "))) {
        size_t len = strcspn(text, " ");
        if (!fresh && at + 1 + len > columns) {
            buf_printf(out, "\n%*s", (int)indent, "");
            at = indent;
            fresh = true;
        }
        buf_printf(out, "%s%.*s", fresh ? "" : " ", (int)len, text);
        at += len + !fresh;
        fresh = false;
        text += len;
    }
    buf_puts(out, "\n");
}

static size_t text_columns(size_t columns)
{
    return columns > WIDEST_TEXT ? WIDEST_TEXT : columns;
}

/* "what" at the left, its text beside or below it. */
static void print_entry(struct buf *out, const char *what, const char *text, size_t columns)
{
    size_t used = strlen(what) + 2;
    size_t indent = columns < NARROW ? NARROW_INDENT : WIDE_INDENT;
    buf_printf(out, "  %s", what);
    if (columns < NARROW || used + 2 > indent)
        buf_printf(out, "\n%*s", (int)indent, "");
    else
        buf_printf(out, "%*s", (int)(indent - used), "");
    help_wrap(out, text, indent, indent, text_columns(columns));
}

static void print_choices(struct buf *out, const char *const *choices)
{
    for (size_t i = 0; choices[i]; i++)
        buf_printf(out, "%s%s", i ? ", " : "", choices[i]);
}

static void print_option(struct buf *out, const struct option *option, unsigned commands, size_t columns)
{
    AUTO_BUF struct buf what = {0}, text = {0};
    if (option->letter)
        buf_printf(&what, "-%c, ", option->letter);
    buf_printf(&what, "--%s", option->name);
    if (option->value)
        buf_printf(&what, " %s", option->value);
    buf_puts(&text, options_help(option, commands));
    if (option->choices) {
        buf_puts(&text, " (");
        print_choices(&text, option->choices);
        buf_puts(&text, ")");
    }
    if (option->fallback)
        buf_printf(&text, " [default: %s]", option->fallback);
    if (option->variable)
        buf_printf(&text, " [env: %s]", option->variable);
    print_entry(out, buf_text(&what), buf_text(&text), columns);
}

static void print_group(struct buf *out, enum option_group group, unsigned commands, size_t columns)
{
    bool headed = false;
    for (size_t i = 0; i < options_count; i++) {
        const struct option *option = &options_table[i];
        if (option->group != group || !(option->commands & commands))
            continue;
        if (!headed)
            buf_printf(out, "\n%s:\n", options_group_title(group));
        headed = true;
        print_option(out, option, commands, columns);
    }
}

static void print_options(struct buf *out, unsigned commands, size_t columns)
{
    for (enum option_group group = 0; group < GROUP_COUNT; group++)
        print_group(out, group, commands, columns);
}

char *help_program(size_t columns)
{
    struct buf out = {0};
    buf_puts(&out, "Usage: snapctl COMMAND [OPTIONS]\n\n");
    help_wrap(&out,
              "Takes a one-time etcd snapshot on every etcd node of an RKE cluster, and proves each one "
              "restorable before it is called saved.",
              0, 0, text_columns(columns));
    buf_puts(&out, "\nCommands:\n");
    for (size_t i = 0; i < commands_count; i++)
        print_entry(&out, commands_table[i].name, commands_table[i].summary, columns);
    print_options(&out, FOR_NONE, columns);
    buf_puts(&out, "\n");
    help_wrap(
        &out,
        "snapctl COMMAND --help tells the options of a command. The manual is snapctl(1). Scripts written "
        "for RKE run with the program's name exchanged.",
        0, 0, text_columns(columns));
    return buf_take(&out);
}

static void print_statuses(struct buf *out, size_t columns)
{
    buf_puts(out, "\nExit status:\n");
    for (size_t i = 0; i < exit_status_count; i++) {
        AUTO_FREE char *status = str_format("%d", exit_status_table[i].status);
        buf_printf(out, "  %-5s", status);
        help_wrap(out, exit_status_table[i].meaning, 7, 7, text_columns(columns));
    }
}

static void print_environment(struct buf *out, size_t columns)
{
    buf_puts(out, "\nEnvironment:\n");
    for (size_t i = 0; i < environment_count; i++)
        print_entry(out, environment_table[i].name, environment_table[i].meaning, columns);
    print_entry(out, "AWS_*", "keys, profile, role and region for S3, as for AWS's tools: see snapctl(1)",
                columns);
}

char *help_command(const struct command *command, size_t columns)
{
    struct buf out = {0};
    buf_printf(&out, "Usage: snapctl %s [OPTIONS]%s%s\n", command->name, command->words ? " " : "",
               command->words ? command->words : "");
    if (command->synonym)
        buf_printf(&out, "       snapctl %s [OPTIONS]\n", command->synonym);
    buf_puts(&out, "\n");
    help_wrap(&out, command->text, 0, 0, text_columns(columns));
    print_options(&out, command->bit, columns);
    if (command->bit & FOR_NODES) {
        print_environment(&out, columns);
        print_statuses(&out, columns);
    }
    if (command->example)
        buf_printf(&out, "\nExample:\n  %s\n", command->example);
    return buf_take(&out);
}
