/* The command line, read as RKE's (urfave/cli on Go's flag package) is: -x, --x, --x VALUE, --x=VALUE,
 * --flag=false; one-letter flags are not bundled; "--" ends the options; of a repeated option the last one
 * counts. Unlike there, options are taken before and behind the command alike. */
#ifndef SNAPCTL_CLI_PARSE_H
#define SNAPCTL_CLI_PARSE_H

#include "snapctl/cli/commands.h"
#include "snapctl/cli/options.h"

struct parse_result {
    const struct command *command; /* NULL: none was given */
    struct options options;
    bool *given;        /* for each row of options_table: it stood on the command line */
    const char **words; /* behind the command; they belong to argv */
    size_t n_words;
};

/* Fills out even where it fails, as far as it came: the caller clears it in any case. Values of secret
 * options are wiped from argv, all of them, on failure too. Without --help and --version, ERR_USAGE when
 * there is no command. Parsing ends at --help. */
int parse_command_line(int argc, char **argv, struct parse_result *out, struct sc_err *err) WARN_UNUSED;
void parse_clear(struct parse_result *result);

/* --output json stands somewhere on the command line: then even an error in it is told as JSON. */
bool parse_wants_json(int argc, char *const *argv);

#endif
