#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "snapctl/cli/commands.h"
#include "snapctl/cli/options.h"

static void assert_plain(const char *text)
{
    size_t len = strlen(text);
    assert_true(len > 0 && text[len - 1] != '.' && !strchr(text, '\n'));
}

/* Each command that knows it has one text. */
static void assert_helps(const struct option *o)
{
    unsigned told = 0;
    for (const struct option_help *help = o->helps; help->text; help++) {
        assert_int_equal(told & help->commands, 0);
        told |= help->commands;
        assert_plain(help->text);
        assert_string_equal(options_help(o, help->commands), help->text);
    }
    assert_int_equal(told, o->commands);
}

/* What the parser, help and the completion take for granted of each row. */
static void rows_are_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < options_count; i++) {
        const struct option *o = &options_table[i];
        assert_ptr_equal(options_find(o->name, strlen(o->name)), o);
        if (o->letter)
            assert_ptr_equal(options_find(&o->letter, 1), o);
        assert_int_equal(options_takes_value(o), o->value != NULL);
        assert_int_equal(o->type == OPTION_CHOICE, o->choices != NULL);
        assert_true(o->commands & FOR_ALL);
        assert_int_equal(o->help == NULL, o->helps != NULL);
        if (o->helps)
            assert_helps(o);
        else
            assert_plain(o->help);
        struct options options = {0};
        struct sc_err err = {0};
        if (o->fallback)
            assert_int_equal(options_set(&options, o, o->name, o->fallback, &err), 0);
        options_clear(&options);
    }
}

static void commands_have_bits_of_their_own(void **state)
{
    (void)state;
    unsigned seen = FOR_NONE;
    for (size_t i = 0; i < commands_count; i++) {
        assert_int_equal(seen & commands_table[i].bit, 0);
        seen |= commands_table[i].bit;
        assert_ptr_equal(commands_find(commands_table[i].name), &commands_table[i]);
        assert_non_null(commands_table[i].run);
    }
    assert_int_equal(seen, FOR_ALL);
}

/* As it is read again. */
static void ages_are_spelled_in_hours(void **state)
{
    (void)state;
    const struct option *option = options_find("older-than", strlen("older-than"));
    struct options options = {.older_than_s = 2592000};
    AUTO_BUF struct buf out = {0};
    options_spell(&out, &options, option);
    assert_string_equal(buf_text(&out), " --older-than 720h");
    assert_int_equal(options_set(&options, option, "", "720h", NULL), 0);
    assert_int_equal(options.older_than_s, 2592000);
}

static void nearest(void **state)
{
    (void)state;
    static const struct {
        const char *wrong, *meant;
    } rows[] = {
        {"nmae",            "name"            },
        {"froce",           "force"           },
        {"known-host",      "known-hosts"     },
        {"requirestate",    "require-state"   },
        {"s3_endpoint",     "s3-endpoint"     },
        {"bucket",          "bucket-name"     },
        {"s3-bucket",       "bucket-name"     },
        {"s3-bucket-name",  "bucket-name"     },
        {"s3-bucket-looku", "s3-bucket-lookup"},
        {"s3-access-key",   "access-key"      },
        {"s3-secret-key",   "secret-key"      },
        {"s3-folder",       "folder"          },
        {"s3-region",       "region"          },
        {"s3-timeou",       "s3-timeout"      },
        {"x",               NULL              },
        {"",                NULL              },
        {"etcd-snapshot",   NULL              },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct option *option = options_nearest(rows[i].wrong, FOR_SAVE);
        if (rows[i].meant)
            assert_string_equal(option->name, rows[i].meant);
        else
            assert_null(option);
    }
    assert_null(options_nearest("force", FOR_VERSION));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sound),
        cmocka_unit_test(commands_have_bits_of_their_own),
        cmocka_unit_test(ages_are_spelled_in_hours),
        cmocka_unit_test(nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
