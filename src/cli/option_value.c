#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/options.h"

enum { NUMBER_MAX = 1000, HOUR_S = 3600, SECONDS_MAX = 24 * HOUR_S, YEARS_MAX = 10 };

/* Sets one field; the error's text is about the value alone. */
typedef int value_setter(void *field, const struct option *option, const char *text, struct sc_err *err);

/* The words of Go's strconv.ParseBool, which RKE's flags understand. */
static int parse_bool(const char *text, bool *out, struct sc_err *err)
{
    static const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True"};
    static const char *const no[] = {"0", "f", "F", "FALSE", "false", "False"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        *out = strcmp(text, yes[i]) == 0;
        if (*out || strcmp(text, no[i]) == 0)
            return 0;
    }
    return err_set(err, ERR_USAGE, "\"%s\" is neither true nor false", text);
}

static int set_flag(void *field, const struct option *option, const char *text, struct sc_err *err)
{
    (void)option;
    return parse_bool(text, field, err);
}

static int set_switch(void *field, const struct option *option, const char *text, struct sc_err *err)
{
    (void)option;
    bool on;
    if (parse_bool(text, &on, err) < 0)
        return -1;
    *(enum option_switch *)field = on ? SWITCH_ON : SWITCH_OFF;
    return 0;
}

static int set_text(void *field, const struct option *option, const char *text, struct sc_err *err)
{
    if (!*text && !option->may_be_empty)
        return err_set(err, ERR_USAGE, "the value is empty");
    *(const char **)field = *text ? text : NULL;
    return 0;
}

static int set_secret(void *field, const struct option *option, const char *text, struct sc_err *err)
{
    (void)option;
    (void)err;
    struct secret **secret = field;
    secret_free(*secret);
    *secret = *text ? secret_new(text, strlen(text)) : NULL;
    return 0;
}

static int set_number(void *field, const struct option *option, const char *text, struct sc_err *err)
{
    (void)option;
    int64_t number;
    if (!str_to_int(text, 1, NUMBER_MAX, &number))
        return err_set(err, ERR_USAGE, "\"%s\" is not a number from 1 to %d", text, NUMBER_MAX);
    *(int *)field = (int)number;
    return 0;
}

static int set_seconds(void *field, const struct option *option, const char *text, struct sc_err *err)
{
    (void)option;
    static const struct {
        char letter;
        int seconds;
    } units[] = {
        {'s', 1   },
        {'m', 60  },
        {'h', 3600}
    };
    size_t len = strlen(text);
    int unit = 1;
    for (size_t i = 0; i < sizeof units / sizeof *units && len; i++)
        if (text[strlen(text) - 1] == units[i].letter) {
            unit = units[i].seconds;
            len--;
            break;
        }
    AUTO_FREE char *digits = str_dup_n(text, len);
    int64_t number;
    if (!str_to_int(digits, 1, SECONDS_MAX / unit, &number))
        return err_set(err, ERR_USAGE, "\"%s\" is not a time from 1 s to 24 h: write 300, 300s or 5m", text);
    *(int *)field = (int)number * unit;
    return 0;
}

/* Without a unit nobody knows whether hours or days are meant. */
static int set_age(void *field, const struct option *option, const char *text, struct sc_err *err)
{
    (void)option;
    static const struct {
        char letter;
        int hours;
    } units[] = {
        {'h', 1     },
        {'d', 24    },
        {'w', 7 * 24}
    };
    size_t len = strlen(text);
    AUTO_FREE char *digits = str_dup_n(text, len ? len - 1 : 0);
    for (size_t i = 0; i < sizeof units / sizeof *units && len; i++) {
        int64_t number, most = YEARS_MAX * 365 * 24 / units[i].hours;
        if (text[len - 1] != units[i].letter || !str_to_int(digits, 1, most, &number))
            continue;
        *(int *)field = (int)number * units[i].hours * HOUR_S;
        return 0;
    }
    err_set(err, ERR_USAGE, "\"%s\" is not an age from 1h to %d years", text, YEARS_MAX);
    return err_hint(err, "write a number and h for hours, d for days or w for weeks: 12h, 30d, 2w");
}

static int set_choice(void *field, const struct option *option, const char *text, struct sc_err *err)
{
    AUTO_BUF struct buf words = {0};
    for (int i = 0; option->choices[i]; i++) {
        if (strcmp(text, option->choices[i]) == 0) {
            *(int *)field = i;
            return 0;
        }
        buf_printf(&words, "%s%s", i == 0 ? "" : option->choices[i + 1] ? ", " : " or ", option->choices[i]);
    }
    return err_set(err, ERR_USAGE, "\"%s\" is not one of %s", text, buf_text(&words));
}

static int add_word(void *field, const struct option *option, const char *text, struct sc_err *err)
{
    (void)option;
    struct option_words *words = field;
    if (words->n == OPTION_WORDS_MAX)
        return err_set(err, ERR_USAGE, "it can be given %d times at most", OPTION_WORDS_MAX);
    words->words[words->n++] = text;
    return 0;
}

static value_setter *const setters[] = {
    [OPTION_FLAG] = set_flag,       [OPTION_SWITCH] = set_switch, [OPTION_TEXT] = set_text,
    [OPTION_PATH] = set_text,       [OPTION_SECRET] = set_secret, [OPTION_NUMBER] = set_number,
    [OPTION_SECONDS] = set_seconds, [OPTION_AGE] = set_age,       [OPTION_CHOICE] = set_choice,
    [OPTION_WORDS] = add_word,
};

int options_set(struct options *options, const struct option *option, const char *where, const char *text,
                struct sc_err *err)
{
    void *field = (char *)options + option->target;
    if (setters[option->type](field, option, text, err) == 0)
        return 0;
    return err_wrap(err, "%s", where);
}

static void spell(struct buf *out, const struct option *option, const char *value)
{
    buf_printf(out, " --%s ", option->name);
    str_quote_shell(out, value);
}

static void spell_number(struct buf *out, const struct option *option, int value, const char *unit)
{
    AUTO_FREE char *text = str_format("%d%s", value, unit);
    spell(out, option, text);
}

void options_spell(struct buf *out, const struct options *options, const struct option *option)
{
    const void *field = (const char *)options + option->target;
    const struct option_words *words = field;
    switch (option->type) {
    case OPTION_FLAG:
        buf_printf(out, *(const bool *)field ? " --%s" : " --%s=false", option->name);
        break;
    case OPTION_TEXT:
    case OPTION_PATH:
        if (*(const char *const *)field)
            spell(out, option, *(const char *const *)field);
        break;
    case OPTION_NUMBER:
    case OPTION_SECONDS:
        spell_number(out, option, *(const int *)field, "");
        break;
    case OPTION_AGE:
        spell_number(out, option, *(const int *)field / HOUR_S, "h");
        break;
    case OPTION_CHOICE:
        spell(out, option, option->choices[*(const int *)field]);
        break;
    case OPTION_WORDS:
        for (size_t i = 0; i < words->n; i++)
            spell(out, option, words->words[i]);
        break;
    case OPTION_SWITCH:
    case OPTION_SECRET:
        break;
    }
}
