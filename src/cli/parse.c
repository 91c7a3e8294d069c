#include "snapctl/cli/parse.h"

#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/environment.h"

/* One pass over the arguments. */
struct parser {
    int argc;
    char **argv;
    int at;
    struct parse_result *out;
    const char *pending; /* first word of a synonym, whose second may follow */
    bool only_words;     /* "--" was seen */
    bool after_secret;   /* the last argument was a secret's value: what follows may belong to it */
};

/* An argument that looks like an option, taken apart. */
struct spelling {
    const char *name; /* behind the dashes */
    size_t len;       /* of the name */
    char *value;      /* behind "=", or NULL */
};

static bool is_option(const char *arg)
{
    return arg[0] == '-' && arg[1] != '\0';
}

/* For is_option. */
static struct spelling take_apart(char *arg)
{
    struct spelling s = {.name = arg + (arg[1] == '-' ? 2 : 1)};
    s.len = strcspn(s.name, "=");
    if (s.name[s.len] == '=')
        s.value = arg + (s.name - arg) + s.len + 1;
    return s;
}

/* One with two dashes: a single one may well begin a value. */
static bool is_known_option(char *arg)
{
    if (!str_starts(arg, "--"))
        return false;
    struct spelling s = take_apart(arg);
    return options_find(s.name, s.len) != NULL;
}

static void wipe(char *text)
{
    secret_wipe(text, strlen(text));
}

/* All of them, also those that the parser did not come to because something before them was wrong. */
static void wipe_secrets(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!is_option(argv[i]))
            continue;
        struct spelling s = take_apart(argv[i]);
        const struct option *option = options_find(s.name, s.len);
        if (!option || option->type != OPTION_SECRET)
            continue;
        if (s.value)
            wipe(s.value);
        else if (i + 1 < argc)
            wipe(argv[i + 1]);
    }
}

static unsigned known_commands(const struct parser *p)
{
    return p->out->command ? p->out->command->bit : ~0U;
}

static bool only_letters_of_options(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!options_find(name + i, 1))
            return false;
    return len > 1;
}

static int refuse_unknown(const struct parser *p, const struct spelling *s, struct sc_err *err)
{
    AUTO_FREE char *name = str_dup_n(s->name, s->len);
    const struct option *nearest = options_nearest(name, known_commands(p));
    /* Without what stands behind "=": that may be a secret. */
    const char *arg = p->argv[p->at];
    err_set(err, ERR_USAGE, "unknown option %.*s", (int)strcspn(arg, "="), arg);
    if (nearest)
        return err_hint(err, "did you mean --%s?", nearest->name);
    if (only_letters_of_options(s->name, s->len))
        return err_hint(err, "one-letter options cannot be put together: give each its own dash");
    const struct command *command = p->out->command;
    return err_hint(err, "snapctl %s%s lists the options", command ? command->name : "",
                    command ? " --help" : "--help");
}

/* -v is "verbose" elsewhere: whoever means that must not get a version and status 0 instead of a snapshot. */
static int check_place(const struct parser *p, const struct option *option, struct sc_err *err)
{
    if (!p->out->command || option->commands & p->out->command->bit)
        return 0;
    if (option->target != offsetof(struct options, version))
        return 0;
    err_set(err, ERR_USAGE, "--version stands alone, not behind the command %s", p->out->command->name);
    return err_hint(err, "to be told more, give --debug");
}

/* The next argument, taken. An option there is a forgotten value, not a value. NULL: there is none. */
static char *take_value(struct parser *p, const struct option *option, struct sc_err *err)
{
    if (p->at + 1 >= p->argc) {
        err_set(err, ERR_USAGE, "--%s needs a value", option->name);
        err_hint(err, "--%s %s: %s", option->name, option->value, options_help(option, known_commands(p)));
        return NULL;
    }
    char *next = p->argv[p->at + 1];
    if (is_known_option(next)) {
        err_set(err, ERR_USAGE, "--%s needs a value, but another option follows: %.*s", option->name,
                (int)strcspn(next, "="), next);
        err_hint(err, "if that is the value, write --%s=VALUE", option->name);
        return NULL;
    }
    p->at++;
    return next;
}

static int take_option(struct parser *p, struct sc_err *err)
{
    struct spelling s = take_apart(p->argv[p->at]);
    const struct option *option = options_find(s.name, s.len);
    if (!option)
        return refuse_unknown(p, &s, err);
    if (check_place(p, option, err) < 0)
        return -1;
    char yes[] = "true", *value = s.value;
    if (!value)
        value = options_takes_value(option) ? take_value(p, option, err) : yes;
    if (!value)
        return -1;
    AUTO_FREE char *where = str_format("--%s", option->name);
    int result = options_set(&p->out->options, option, where, value, err);
    p->after_secret = option->type == OPTION_SECRET;
    p->out->given[option - options_table] = true;
    return result;
}

static int refuse_command(const char *words, struct sc_err *err)
{
    err_set(err, ERR_USAGE, "unknown command \"%s\"", words);
    const struct command *nearest = commands_nearest(words);
    if (str_starts(words, "etcd ") || str_starts(words, "snapshot-") || strcmp(words, "restore") == 0)
        return err_hint(err,
                        "of RKE's commands snapctl has etcd snapshot-save, or save; restore with rke itself");
    if (nearest)
        return err_hint(err, "did you mean %s?", nearest->name);
    return err_hint(err, "snapctl --help lists the commands");
}

static int take_command(struct parser *p, const char *word, struct sc_err *err)
{
    AUTO_FREE char *words = p->pending ? str_format("%s %s", p->pending, word) : str_dup(word);
    p->out->command = commands_find(words);
    if (p->out->command)
        return 0;
    if (!commands_begins_synonym(words))
        return refuse_command(words, err);
    p->pending = word;
    return 0;
}

static int refuse_word(const struct parser *p, const char *word, struct sc_err *err)
{
    if (p->after_secret) {
        err_set(err, ERR_USAGE, "there is a word too many behind --secret-key's value");
        return err_hint(err, "if the value has spaces, put it in quotes");
    }
    const struct command *command = p->out->command;
    err_set(err, ERR_USAGE, "unexpected argument \"%s\": %s takes only options", word, command->name);
    if (!(options_find("name", strlen("name"))->commands & command->bit))
        return err_hint(err, "snapctl %s --help lists them", command->name);
    return err_hint(err, "the name of a snapshot is given with --name, the configuration with --config");
}

static int take_word(struct parser *p, struct sc_err *err)
{
    const char *word = p->argv[p->at];
    if (!p->out->command)
        return take_command(p, word, err);
    if (!p->out->command->words)
        return refuse_word(p, word, err);
    p->out->words[p->out->n_words++] = word;
    return 0;
}

static int take_arguments(struct parser *p, struct sc_err *err)
{
    for (p->at = 1; p->at < p->argc && !p->out->options.help; p->at++) {
        const char *arg = p->argv[p->at];
        int result = 0;
        if (!p->only_words && strcmp(arg, "--") == 0)
            p->only_words = true;
        else if (!p->only_words && is_option(arg))
            result = take_option(p, err);
        else
            result = take_word(p, err);
        if (result < 0)
            return -1;
    }
    return 0;
}

static int check_used(const struct parser *p, struct sc_err *err)
{
    const struct command *command = p->out->command;
    for (size_t i = 0; i < options_count && command; i++)
        if (p->out->given[i] && !(options_table[i].commands & (command->bit | FOR_NONE))) {
            err_set(err, ERR_USAGE, "%s has no option --%s", command->name, options_table[i].name);
            if (command->words && strcmp(options_table[i].name, "name") == 0)
                return err_hint(err, "the name stands alone: snapctl %s %s", command->name, command->words);
            return err_hint(err, "snapctl %s --help lists its options", command->name);
        }
    return 0;
}

static int check_command(const struct parser *p, struct sc_err *err)
{
    if (p->out->command || p->out->options.help || p->out->options.version)
        return 0;
    if (p->pending) {
        err_set(err, ERR_USAGE, "unknown command \"%s\"", p->pending);
        return err_hint(err, "RKE's etcd snapshot-save is understood");
    }
    err_set(err, ERR_USAGE, "no command was given");
    return err_hint(err, "snapctl save takes a snapshot; snapctl --help lists the commands");
}

static int take_defaults(const struct parser *p, struct sc_err *err)
{
    for (size_t i = 0; i < options_count; i++) {
        const struct option *option = &options_table[i];
        const char *variable = option->variable ? environment_get(option->variable) : NULL;
        const char *value = variable ? variable : option->fallback;
        if (p->out->given[i] || !value)
            continue;
        const char *where = variable ? option->variable : option->name;
        if (options_set(&p->out->options, option, where, value, err) < 0)
            return -1;
    }
    return 0;
}

int parse_command_line(int argc, char **argv, struct parse_result *out, struct sc_err *err)
{
    *out = (struct parse_result){.words = mem_calloc((size_t)argc + 1, sizeof *out->words),
                                 .given = mem_calloc(options_count, sizeof *out->given)};
    struct parser p = {.argc = argc, .argv = argv, .out = out};
    int result = take_arguments(&p, err);
    wipe_secrets(argc, argv);
    if (result < 0 || out->options.help)
        return result;
    if (check_command(&p, err) < 0 || check_used(&p, err) < 0)
        return -1;
    return take_defaults(&p, err);
}

void parse_clear(struct parse_result *result)
{
    options_clear(&result->options);
    free(result->words);
    free(result->given);
    *result = (struct parse_result){0};
}

bool parse_wants_json(int argc, char *const *argv)
{
    bool json = false;
    for (int i = 1; i < argc; i++) {
        if (!is_option(argv[i]))
            continue;
        struct spelling s = take_apart(argv[i]);
        if (s.len != strlen("output") || memcmp(s.name, "output", s.len) != 0)
            continue;
        const char *value = s.value ? s.value : i + 1 < argc ? argv[i + 1] : "";
        json = strcmp(value, "json") == 0;
    }
    return json;
}
