#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "snapctl/cli/places.h"

static void test_table(void **state)
{
    static const struct {
        struct options options;
        bool nodes;
        enum option_switch store;
    } rows[] = {
        {{0},                                              true,  SWITCH_NOT_GIVEN},
        {{.bucket_name = "b"},                             true,  SWITCH_ON       },
        {{.local = true},                                  true,  SWITCH_OFF      },
        {{.local = true, .bucket_name = "b"},              true,  SWITCH_OFF      },
        {{.s3 = SWITCH_ON},                                false, SWITCH_ON       },
        {{.s3 = SWITCH_ON, .local = true},                 true,  SWITCH_ON       },
        {{.s3 = SWITCH_OFF},                               true,  SWITCH_OFF      },
        {{.s3 = SWITCH_OFF, .bucket_name = "b"},           true,  SWITCH_OFF      },
        {{.s3 = SWITCH_OFF, .local = true},                true,  SWITCH_OFF      },
        {{.from = "s3"},                                   false, SWITCH_ON       },
        {{.from = "s3", .s3 = SWITCH_ON, .local = true},   false, SWITCH_ON       },
        {{.from = "node", .bucket_name = "b"},             true,  SWITCH_OFF      },
        {{.from = "10.0.0.1", .local = true},              true,  SWITCH_OFF      },
        {{.from = "10.0.0.1", .s3 = SWITCH_OFF},           true,  SWITCH_OFF      },
        {{.from = "node", .s3 = SWITCH_ON, .local = true}, true,  SWITCH_OFF      },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(places_nodes(&rows[i].options), rows[i].nodes);
        assert_int_equal(places_store(&rows[i].options), rows[i].store);
        assert_int_equal(places_check(&rows[i].options, NULL), 0);
    }
}

static void test_contradictions(void **state)
{
    static const struct {
        struct options options;
        const char *text;
    } rows[] = {
        {{.from = "s3", .local = true},                        "--from s3 and --local "   },
        {{.from = "s3", .s3 = SWITCH_OFF},                     "--from s3 and --s3=false "},
        {{.from = "s3", .s3 = SWITCH_OFF, .bucket_name = "b"}, "--from s3 and --s3=false "},
        {{.from = "node", .s3 = SWITCH_ON},                    "--from node and --s3 "    },
        {{.from = "10.0.0.1", .s3 = SWITCH_ON},                "--from 10.0.0.1 and --s3 "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_ERR struct sc_err err = {0};
        assert_int_equal(places_check(&rows[i].options, &err), -1);
        assert_int_equal(err.kind, ERR_USAGE);
        assert_ptr_equal(strstr(err.text, rows[i].text), err.text);
        assert_non_null(err.hint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_contradictions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
