#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/cli/environment.h"
#include "snapctl/cli/exit_status.h"
#include "snapctl/cli/help.h"
#include "snapctl/cli/options.h"

static void wraps(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t indent, used, columns;
        const char *wanted;
    } rows[] = {
        {"one two three",       0, 0, 80, "one two three\n"        },
        {"one two three",       0, 0, 13, "one two three\n"        },
        {"one two three",       0, 0, 12, "one two\nthree\n"       },
        {"one two three",       2, 5, 12, "one two\n  three\n"     },
        {"one two three",       2, 6, 12, "one\n  two three\n"     },
        {"incomprehensible it", 1, 0, 6,  "incomprehensible\n it\n"},
        {" many   blanks ",     0, 0, 80, "many blanks\n"          },
        {"",                    4, 4, 80, "\n"                     },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out = {0};
        help_wrap(&out, rows[i].text, rows[i].indent, rows[i].used, rows[i].columns);
        assert_string_equal(buf_text(&out), rows[i].wanted);
        buf_free(&out);
    }
}

/* Only what cannot be broken may be longer: a synopsis or an example. */
static void assert_fits(const char *text, size_t columns)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        const char *blank = memrchr(text, ' ', len);
        if (len > columns && blank && strspn(text, " ") < (size_t)(blank - text) &&
            !memmem(text, len, "snapctl", strlen("snapctl")))
            fail_msg("%zu columns: %.*s", columns, (int)len, text);
        text += len + (text[len] == '\n');
    }
}

static void fits_the_terminal(void **state)
{
    (void)state;
    static const size_t widths[] = {40, 63, 64, 80, 200};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        char *text = help_program(widths[i]);
        assert_fits(text, widths[i]);
        free(text);
        for (size_t k = 0; k < commands_count; k++) {
            text = help_command(&commands_table[k], widths[i]);
            assert_fits(text, widths[i]);
            free(text);
        }
    }
}

static void layouts(void **state)
{
    (void)state;
    static const struct {
        size_t columns;
        const char *part;
    } rows[] = {
        {40,  "\n  --force\n        replace a snapshot of the same\n        name, on the nodes and in the\n"
             "        bucket; the old one is kept\n"                       },
        {80,  "\n  --force                 replace a snapshot of the same name, on the nodes and\n"
             "                          in the bucket; the old one is kept until the new one\n"
             "                          is good\n"                         },
        {200,
         "\n  --force                 replace a snapshot of the same name, on the nodes and in the bucket; the old one is kept "
         "until\n                          the new one is good\n"                      },
        {80,  "\n  -q, --quiet             only errors on standard error\n"            },
        {80,  "\n  --ignore-docker-version\n                          do not compare"  },
        {80,  "\n  4    done, but the result could not be written to standard output\n"},
        {80,  "\n       snapctl etcd snapshot-save [OPTIONS]\n"                        },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = help_command(commands_find("save"), rows[i].columns);
        if (!strstr(text, rows[i].part))
            fail_msg("%zu columns: no \"%s\" in\n%s", rows[i].columns, rows[i].part, text);
        free(text);
    }
}

/* An option that several commands know tells each what it means there. */
static void tells_each_command_its_own(void **state)
{
    (void)state;
    static const struct {
        const char *command, *part;
    } rows[] = {
        {"save",   "\n  --s3                    upload the snapshot to S3;"     },
        {"list",   "\n  --s3                    in S3 alone"                    },
        {"fetch",  "\n  --force                 replace a file of the same"     },
        {"prune",  "\n  --dry-run               show what would be removed, and"},
        {"verify", "Usage: snapctl verify [OPTIONS] NAME | FILE | --all\n"      },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = help_command(commands_find(rows[i].command), 80);
        if (!strstr(text, rows[i].part))
            fail_msg("no \"%s\" in\n%s", rows[i].part, text);
        free(text);
    }
}

static void everything_is_told(void **state)
{
    (void)state;
    char *text = help_command(commands_find("save"), 80);
    for (size_t i = 0; i < options_count; i++) {
        char name[64];
        snprintf(name, sizeof name, "--%s", options_table[i].name);
        if (options_table[i].commands & FOR_SAVE)
            assert_non_null(strstr(text, name));
    }
    for (size_t i = 0; i < exit_status_count; i++) {
        char status[32];
        snprintf(status, sizeof status, "\n  %d ", exit_status_table[i].status);
        assert_non_null(strstr(text, status));
    }
    for (size_t i = 0; i < environment_count; i++)
        assert_non_null(strstr(text, environment_table[i].name));
    assert_non_null(strstr(text, "\n  AWS_*"));
    free(text);
    text = help_program(80);
    for (size_t i = 0; i < commands_count; i++)
        assert_non_null(strstr(text, commands_table[i].summary));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wraps),
        cmocka_unit_test(fits_the_terminal),
        cmocka_unit_test(layouts),
        cmocka_unit_test(tells_each_command_its_own),
        cmocka_unit_test(everything_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
