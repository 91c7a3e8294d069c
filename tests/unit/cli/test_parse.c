#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/parse.h"
#include "snapctl/core/save.h"

enum { MAX_ARGS = 16 };

/* A command line in memory that may be written to, as argv may. */
struct line {
    int argc;
    char *argv[MAX_ARGS + 1];
    struct parse_result result;
    struct sc_err err;
};

/* Words separated by blanks; '' is an empty word. */
static void split(struct line *line, const char *words)
{
    *line = (struct line){.argc = 1};
    line->argv[0] = str_dup("snapctl");
    while (*(words += strspn(words, " "))) {
        size_t len = strcspn(words, " ");
        assert_true(line->argc < MAX_ARGS);
        bool empty = len == 2 && memcmp(words, "''", 2) == 0;
        line->argv[line->argc++] = str_dup_n(words, empty ? 0 : len);
        words += len;
    }
}

static int parse(struct line *line, const char *words)
{
    split(line, words);
    return parse_command_line(line->argc, line->argv, &line->result, &line->err);
}

static void forget(struct line *line)
{
    for (int i = 0; i < line->argc; i++)
        free(line->argv[i]);
    parse_clear(&line->result);
    err_clear(&line->err);
}

static int set_up(void **state)
{
    (void)state;
    unsetenv("RKE_CONFIG");
    unsetenv("SNAPCTL_HOST_KEY_CHECKING");
    return 0;
}

/* Each is one and the same command. */
static void rke_spellings(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "save --name x --config c.yml --ssh-agent-auth --debug",
        "save -name x -config c.yml -ssh-agent-auth -d",
        "save --name=x --config=c.yml --ssh-agent-auth=true -debug",
        "save -name=x -config=c.yml -ssh-agent-auth=1 -d=true",
        "etcd snapshot-save --name x --config c.yml --ssh-agent-auth -d",
        "--debug etcd snapshot-save --name x --config c.yml --ssh-agent-auth",
        "-d etcd snapshot-save --name x --config c.yml --ssh-agent-auth=T",
        "etcd -d snapshot-save --name x --config c.yml --ssh-agent-auth",
        "--name x --config c.yml --debug --ssh-agent-auth save",
        "save --name a --config b --name x --config c.yml --ssh-agent-auth=false --ssh-agent-auth -d",
        "save --name x --config c.yml --ssh-agent-auth -d --",
        "save --name=x --config c.yml --ssh-agent-auth=TRUE -d --quiet=false --s3-endpoint=",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct line line;
        assert_int_equal(parse(&line, lines[i]), 0);
        assert_string_equal(line.result.command->name, "save");
        const struct options *o = &line.result.options;
        assert_string_equal(o->name, "x");
        assert_string_equal(o->config, "c.yml");
        assert_true(o->ssh_agent_auth && o->debug);
        assert_false(o->quiet || o->trace || o->force);
        assert_null(o->s3_endpoint);
        forget(&line);
    }
}

static void defaults(void **state)
{
    (void)state;
    struct line line;
    assert_int_equal(parse(&line, "save"), 0);
    const struct options *o = &line.result.options;
    assert_null(o->name);
    assert_string_equal(o->config, "cluster.yml");
    assert_int_equal(o->require, SAVE_REQUIRE_ALL);
    assert_int_equal(o->verify, SAVE_VERIFY_FULL);
    assert_int_equal(o->host_key_checking, HOST_KEY_ASK);
    assert_int_equal(o->output, OUTPUT_TEXT);
    assert_int_equal(o->s3, SWITCH_NOT_GIVEN);
    assert_int_equal(o->timeout_s, 0);
    assert_int_equal(o->parallel, 0);
    forget(&line);
}

static void values(void **state)
{
    (void)state;
    struct line line;
    assert_int_equal(parse(&line, "save --require quorum --verify=quick --host-key-checking accept-new "
                                  "--output json --timeout 5m --parallel 3 --s3=false --config -"),
                     0);
    const struct options *o = &line.result.options;
    assert_int_equal(o->require, SAVE_REQUIRE_QUORUM);
    assert_int_equal(o->verify, SAVE_VERIFY_QUICK);
    assert_int_equal(o->host_key_checking, HOST_KEY_ACCEPT_NEW);
    assert_int_equal(o->output, OUTPUT_JSON);
    assert_int_equal(o->timeout_s, 300);
    assert_int_equal(o->parallel, 3);
    assert_int_equal(o->s3, SWITCH_OFF);
    assert_string_equal(o->config, "-");
    forget(&line);
}

static void times(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        int seconds;
    } rows[] = {
        {"save --timeout 300",  300  },
        {"save --timeout 300s", 300  },
        {"save --timeout 5m",   300  },
        {"save --timeout 1h",   3600 },
        {"save --timeout 24h",  86400},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct line line;
        assert_int_equal(parse(&line, rows[i].words), 0);
        assert_int_equal(line.result.options.timeout_s, rows[i].seconds);
        forget(&line);
    }
}

static void ages(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        int seconds; /* 0: refused */
    } rows[] = {
        {"prune --older-than 1h",    3600     },
        {"prune --older-than 12h",   43200    },
        {"prune --older-than 30d",   2592000  },
        {"save --older-than 2w",     1209600  },
        {"prune --older-than 3650d", 315360000},
        {"prune --older-than 3651d", 0        },
        {"prune --older-than 522w",  0        },
        {"prune --older-than 0d",    0        },
        {"prune --older-than -1d",   0        },
        {"prune --older-than 30",    0        },
        {"prune --older-than d",     0        },
        {"prune --older-than ''",    0        },
        {"prune --older-than 1.5d",  0        },
        {"prune --older-than 30m",   0        },
        {"prune --older-than 30dd",  0        },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct line line;
        assert_int_equal(parse(&line, rows[i].words), rows[i].seconds ? 0 : -1);
        assert_int_equal(line.result.options.older_than_s, rows[i].seconds);
        if (!rows[i].seconds) {
            assert_non_null(strstr(line.err.text, "is not an age from 1h to 10 years"));
            assert_non_null(strstr(line.err.hint, "12h, 30d, 2w"));
        }
        forget(&line);
    }
}

static void rules_and_names(void **state)
{
    (void)state;
    struct line line;
    assert_int_equal(
        parse(&line, "prune --keep 3 --keep-daily 7 --keep-weekly 4 --prefix n- --yes --dry-run"), 0);
    const struct options *o = &line.result.options;
    assert_int_equal(o->keep * 100 + o->keep_daily * 10 + o->keep_weekly, 374);
    assert_string_equal(o->prefix, "n-");
    assert_true(o->yes && o->dry_run);
    forget(&line);
    assert_int_equal(parse(&line, "delete a b --yes"), 0);
    assert_int_equal(line.result.n_words, 2);
    forget(&line);
    assert_int_equal(parse(&line, "delete a --keep 1"), -1);
    forget(&line);
    assert_int_equal(parse(&line, "save --yes"), -1);
    forget(&line);
}

/* Names of S3 and of the snapshot may be empty, as scripts write --name "$NAME". */
static void empty_values(void **state)
{
    (void)state;
    struct line line;
    assert_int_equal(parse(&line, "save --name '' --bucket-name= --folder '' --secret-key ''"), 0);
    assert_null(line.result.options.name);
    assert_null(line.result.options.bucket_name);
    assert_null(line.result.options.secret_key);
    forget(&line);
    assert_int_equal(parse(&line, "save --config="), -1);
    assert_string_equal(line.err.text, "--config: the value is empty");
    forget(&line);
}

static void environment(void **state)
{
    (void)state;
    struct line line;
    setenv("RKE_CONFIG", "env.yml", 1);
    setenv("SNAPCTL_HOST_KEY_CHECKING", "strict", 1);
    assert_int_equal(parse(&line, "save"), 0);
    assert_string_equal(line.result.options.config, "env.yml");
    assert_int_equal(line.result.options.host_key_checking, HOST_KEY_STRICT);
    forget(&line);
    assert_int_equal(parse(&line, "save --config c.yml --host-key-checking off"), 0);
    assert_string_equal(line.result.options.config, "c.yml");
    assert_int_equal(line.result.options.host_key_checking, HOST_KEY_OFF);
    forget(&line);
    setenv("SNAPCTL_HOST_KEY_CHECKING", "maybe", 1);
    assert_int_equal(parse(&line, "save"), -1);
    assert_string_equal(line.err.text,
                        "SNAPCTL_HOST_KEY_CHECKING: \"maybe\" is not one of ask, accept-new, strict or off");
    forget(&line);
    setenv("RKE_CONFIG", "", 1);
    setenv("SNAPCTL_HOST_KEY_CHECKING", "", 1);
    assert_int_equal(parse(&line, "save"), 0);
    assert_string_equal(line.result.options.config, "cluster.yml");
    forget(&line);
}

static void mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *words, *text, *hint;
    } rows[] = {
        {"",                               "no command was given",                                                     "snapctl save takes a snapshot; snapctl --help lists the commands"},
        {"sav",                            "unknown command \"sav\"",                                                  "did you mean save?"                                              },
        {"etcd",                           "unknown command \"etcd\"",                                                 "RKE's etcd snapshot-save is understood"                          },
        {"etcd snapshot-sav",              "unknown command \"etcd snapshot-sav\"",
         "of RKE's commands snapctl has etcd snapshot-save, or save; restore with rke itself"                                                                                            },
        {"etcd snapshot-restore --name x", "unknown command \"etcd snapshot-restore\"",
         "of RKE's commands snapctl has etcd snapshot-save, or save; restore with rke itself"                                                                                            },
        {"snapshot-save",                  "unknown command \"snapshot-save\"",
         "of RKE's commands snapctl has etcd snapshot-save, or save; restore with rke itself"                                                                                            },
        {"snapshot-restore",               "unknown command \"snapshot-restore\"",
         "of RKE's commands snapctl has etcd snapshot-save, or save; restore with rke itself"                                                                                            },
        {"restore",                        "unknown command \"restore\"",
         "of RKE's commands snapctl has etcd snapshot-save, or save; restore with rke itself"                                                                                            },
        {"frobnicate",                     "unknown command \"frobnicate\"",                                           "snapctl --help lists the commands"                               },
        {"save --forse",                   "unknown option --forse",                                                   "did you mean --force?"                                           },
        {"save -forse=true",               "unknown option -forse",                                                    "did you mean --force?"                                           },
        {"save --bucket x",                "unknown option --bucket",                                                  "did you mean --bucket-name?"                                     },
        {"save --nonsense",                "unknown option --nonsense",                                                "snapctl save --help lists the options"                           },
        {"save --acces-key x",             "unknown option --acces-key",                                               "did you mean --access-key?"                                      },
        {"save --secret-kye=hunter2",      "unknown option --secret-kye",                                              "did you mean --secret-key?"                                      },
        {"save -dq",                       "unknown option -dq",
         "one-letter options cannot be put together: give each its own dash"                                                                                                             },
        {"save ---name x",                 "unknown option ---name",                                                   "did you mean --name?"                                            },
        {"save --=x",                      "unknown option --",                                                        "snapctl save --help lists the options"                           },
        {"save x",                         "unexpected argument \"x\": save takes only options",
         "the name of a snapshot is given with --name, the configuration with --config"                                                                                                  },
        {"save -- --name x",               "unexpected argument \"--name\": save takes only options",
         "the name of a snapshot is given with --name, the configuration with --config"                                                                                                  },
        {"save --force true",              "unexpected argument \"true\": save takes only options",
         "the name of a snapshot is given with --name, the configuration with --config"                                                                                                  },
        {"prune x",                        "unexpected argument \"x\": prune takes only options",                      "snapctl prune --help lists them"                                 },
        {"save --secret-key my secret",    "there is a word too many behind --secret-key's value",
         "if the value has spaces, put it in quotes"                                                                                                                                     },
        {"save --name --force",            "--name needs a value, but another option follows: --force",
         "if that is the value, write --name=VALUE"                                                                                                                                      },
        {"save --parallel",                "--parallel needs a value",
         "--parallel N: at most N snapshots at the same time; without it all at once"                                                                                                    },
        {"save --parallel 0",              "--parallel: \"0\" is not a number from 1 to 1000",                         NULL                                                              },
        {"save --parallel many",           "--parallel: \"many\" is not a number from 1 to 1000",                      NULL                                                              },
        {"save --timeout 5d",              "--timeout: \"5d\" is not a time from 1 s to 24 h: write 300, 300s or 5m",
         NULL                                                                                                                                                                            },
        {"save --timeout 0",               "--timeout: \"0\" is not a time from 1 s to 24 h: write 300, 300s or 5m",   NULL                                                              },
        {"save --timeout s",               "--timeout: \"s\" is not a time from 1 s to 24 h: write 300, 300s or 5m",   NULL                                                              },
        {"save --timeout 25h",             "--timeout: \"25h\" is not a time from 1 s to 24 h: write 300, 300s or 5m",
         NULL                                                                                                                                                                            },
        {"save --timeout ''",              "--timeout: \"\" is not a time from 1 s to 24 h: write 300, 300s or 5m",    NULL                                                              },
        {"save --require most",            "--require: \"most\" is not one of all, quorum or any",                     NULL                                                              },
        {"save --verify ''",               "--verify: \"\" is not one of full or quick",                               NULL                                                              },
        {"save --output yaml",             "--output: \"yaml\" is not one of text or json",                            NULL                                                              },
        {"save --force=yes",               "--force: \"yes\" is neither true nor false",                               NULL                                                              },
        {"save --s3=",                     "--s3: \"\" is neither true nor false",                                     NULL                                                              },
        {"save -v",                        "--version stands alone, not behind the command save",                      "to be told more, give --debug"                                   },
        {"version --name x",               "version has no option --name",                                             "snapctl version --help lists its options"                        },
        {"--force version",                "version has no option --force",                                            "snapctl version --help lists its options"                        },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct line line;
        assert_int_equal(parse(&line, rows[i].words), -1);
        assert_int_equal(line.err.kind, ERR_USAGE);
        assert_string_equal(line.err.text, rows[i].text);
        if (rows[i].hint)
            assert_string_equal(line.err.hint, rows[i].hint);
        forget(&line);
    }
}

static void help_and_version(void **state)
{
    (void)state;
    struct line line;
    assert_int_equal(parse(&line, "save --help --nonsense"), 0);
    assert_true(line.result.options.help);
    assert_string_equal(line.result.command->name, "save");
    forget(&line);
    assert_int_equal(parse(&line, "-h"), 0);
    assert_true(line.result.options.help);
    assert_null(line.result.command);
    forget(&line);
    assert_int_equal(parse(&line, "-v"), 0);
    assert_true(line.result.options.version);
    forget(&line);
    assert_int_equal(parse(&line, "help etcd snapshot-save"), 0);
    assert_string_equal(line.result.command->name, "help");
    assert_int_equal(line.result.n_words, 2);
    forget(&line);
}

/* No byte of the value stays in argv, wherever it stands and whatever is wrong. */
static void secrets_are_wiped(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "save --secret-key hunter2",         "save --secret-key=hunter2",
        "save -secret-key=hunter2 --force",  "save --bogus --secret-key hunter2",
        "save --bogus -secret-key=hunter2",  "save --secret-key hunter2 --secret-key=hunter2",
        "--secret-key hunter2 save --bogus", "save --help --secret-key hunter2",
        "save surplus --secret-key=hunter2",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct line line;
        int result = parse(&line, lines[i]);
        for (int k = 0; k < line.argc; k++)
            assert_null(strstr(line.argv[k], "hunter2"));
        if (result == 0 && !line.result.options.help)
            assert_string_equal(secret_data(line.result.options.secret_key), "hunter2");
        if (result < 0)
            assert_null(strstr(line.err.text, "hunter2"));
        forget(&line);
    }
}

static void json_anywhere(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        bool json;
    } rows[] = {
        {"--output json",                    true },
        {"--bogus -output=json",             true },
        {"save x --output=json --bogus",     true },
        {"save --output=text -output json",  true },
        {"--output text",                    false},
        {"output json",                      false},
        {"save --output",                    false},
        {"save --output=json --output=text", false},
        {"save --outputs=json",              false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct line line;
        split(&line, rows[i].words);
        assert_int_equal(parse_wants_json(line.argc, line.argv), rows[i].json);
        forget(&line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(rke_spellings, set_up),
        cmocka_unit_test_setup(defaults, set_up),
        cmocka_unit_test_setup(values, set_up),
        cmocka_unit_test_setup(times, set_up),
        cmocka_unit_test_setup(ages, set_up),
        cmocka_unit_test_setup(rules_and_names, set_up),
        cmocka_unit_test_setup(empty_values, set_up),
        cmocka_unit_test_setup(environment, set_up),
        cmocka_unit_test_setup(mistakes, set_up),
        cmocka_unit_test_setup(help_and_version, set_up),
        cmocka_unit_test_setup(secrets_are_wiped, set_up),
        cmocka_unit_test_setup(json_anywhere, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
