#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../src/core/fetch_output.h"
#include "snapctl/base/str.h"

static const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
static char folder[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/snapctl-fetch.XXXXXX");
    return mkdtemp(folder) && chdir(folder) == 0 ? mkdir("sub", 0700) : -1;
}

static int tear_down(void **state)
{
    AUTO_FREE char *command = str_format("rm -rf '%s'", folder);
    (void)state;
    return chdir("/") == 0 ? system(command) : -1;
}

static void write_to(struct sink *sink, const char *text)
{
    assert_int_equal(sink->write(sink, &ctx, text, strlen(text), NULL), 0);
}

/* What a copy brings. */
static void fill(const struct inspect_to *to)
{
    if (to->archive)
        write_to(to->archive, "zip");
    if (to->database)
        write_to(new_file_sink(to->database), "database");
    if (to->state)
        write_to(to->state, "state");
}

/* "KIND PATH BYTES", one behind the other. */
static void expect_files(const struct fetch_result *r, const char *expected)
{
    AUTO_BUF struct buf out = {0};
    for (size_t i = 0; i < r->n_files; i++)
        buf_printf(&out, "%s %s %d ", fetch_kind_name(r->files[i].kind), r->files[i].path,
                   (int)r->files[i].bytes);
    assert_string_equal(buf_text(&out), expected);
    for (size_t i = 0; i < r->n_files; i++)
        assert_int_equal(access(r->files[i].path, F_OK), 0);
}

static void bring(const struct fetch_options *options, bool plain, bool state, const char *expected)
{
    struct fetch_output *output;
    struct fetch_result *result = mem_calloc(1, sizeof *result);
    struct inspect_to to;
    assert_int_equal(fetch_output_new(options, "n", &output, NULL), 0);
    assert_int_equal(fetch_output_begin(output, plain, &to, NULL), 0);
    fill(&to);
    fetch_output_drop(output); /* a bad copy */
    assert_int_equal(fetch_output_begin(output, plain, &to, NULL), 0);
    fill(&to);
    assert_int_equal(fetch_output_keep(output, &ctx, state, result, NULL), 0);
    assert_false(fetch_output_spent(output));
    fetch_output_free(output);
    expect_files(result, expected);
    for (size_t i = 0; i < result->n_files; i++)
        assert_int_equal(unlink(result->files[i].path), 0);
    fetch_result_free(result);
    assert_int_equal(rmdir("sub"), 0); /* nothing else is there */
    assert_int_equal(mkdir("sub", 0700), 0);
}

static void test_names(void **state)
{
    static const struct {
        struct fetch_options options;
        bool plain, state;
        const char *files;
    } rows[] = {
        {{.to = NULL},                   false, true,  "zip n.zip 3 "                        },
        {{.to = "."},                    false, false, "zip ./n.zip 3 "                      },
        {{.to = "sub"},                  false, true,  "zip sub/n.zip 3 "                    },
        {{.to = "sub/"},                 false, true,  "zip sub/n.zip 3 "                    },
        {{.to = "sub/x"},                false, true,  "zip sub/x 3 "                        },
        {{.extract = true},              false, true,  "etcd n 8 state n.rkestate 5 "        },
        {{.extract = true},              false, false, "etcd n 8 "                           },
        {{.extract = true, .to = "sub"}, false, true,  "etcd sub/n 8 state sub/n.rkestate 5 "},
        {{.extract = true, .to = "x"},   false, true,  "etcd x 8 state x.rkestate 5 "        },
        {{.to = NULL},                   true,  false, "etcd n 8 "                           },
        {{.to = "x.zip"},                true,  false, "etcd x.zip 8 "                       },
        {{.extract = true},              true,  false, "etcd n 8 "                           },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        bring(&rows[i].options, rows[i].plain, rows[i].state, rows[i].files);
}

static void refuse(const struct fetch_options *options, enum err_kind kind, const char *hint)
{
    struct fetch_output *output;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(fetch_output_new(options, "n", &output, &err), -1);
    assert_int_equal(err.kind, kind);
    assert_non_null(err.hint);
    assert_non_null(strstr(err.hint, hint));
}

static void test_finds_out_before_anything_is_done(void **state)
{
    (void)state;
    refuse(&(struct fetch_options){.to = "nowhere/x"}, ERR_USAGE, "mkdir -p -m 700 nowhere/ ");
    refuse(&(struct fetch_options){.to = "no where/"}, ERR_USAGE, "mkdir -p -m 700 'no where/' ");
    fclose(fopen("n.zip", "w"));
    refuse(&(struct fetch_options){0}, ERR_REFUSED, "--force");
    fclose(fopen("n.rkestate", "w"));
    refuse(&(struct fetch_options){.extract = true}, ERR_REFUSED, "--force");
    bring(&(struct fetch_options){.replace = true}, false, true, "zip n.zip 3 ");
}

static void test_is_not_kept_once_the_run_was_cancelled(void **state)
{
    (void)state;
    struct ctx cancelled = {.deadline_ms = CTX_NO_DEADLINE, .cancel = cancel_new()};
    struct fetch_output *output;
    struct fetch_result result = {0};
    struct inspect_to to;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(fetch_output_new(&(struct fetch_options){0}, "n", &output, NULL), 0);
    assert_int_equal(fetch_output_begin(output, false, &to, NULL), 0);
    fill(&to);
    cancel_fire(cancelled.cancel);
    assert_int_equal(fetch_output_keep(output, &cancelled, true, &result, &err), -1);
    assert_int_equal(err.kind, ERR_CANCELLED);
    assert_int_equal(result.n_files, 0);
    fetch_output_free(output);
    assert_int_equal(access("n.zip", F_OK), -1);
    cancel_free(cancelled.cancel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_finds_out_before_anything_is_done, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_is_not_kept_once_the_run_was_cancelled, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
