#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/parse.h"
#include "snapctl/cli/upload_later.h"

static void assert_later(const char *line, const char *wanted)
{
    char *argv[32] = {NULL}, *copy = str_dup(line), *rest = NULL;
    int argc = 0;
    struct parse_result parsed;
    AUTO_ERR struct sc_err err = {0};
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    if (parse_command_line(argc, argv, &parsed, &err) < 0)
        fail_msg("%s", err.text);
    const struct call call = {.options = &parsed.options, .given = parsed.given};
    AUTO_FREE char *later = upload_later(&call, "na+me");
    assert_string_equal(later, wanted);
    parse_clear(&parsed);
    free(copy);
}

static void tells_what_was_given(void **state)
{
    (void)state;
    assert_later("snapctl save", "snapctl upload na+me");
    assert_later("snapctl save --name x --timeout 5 --verify quick --s3 --bucket-name b --folder=a'b",
                 "snapctl upload na+me --bucket-name b --folder 'a'\\''b'");
    assert_later(
        "snapctl -d save --s3 --s3-via node --s3-tag a=b --s3-tag c=d --s3-timeout 5m --force --output json",
        "snapctl upload na+me --force --s3-via node --s3-timeout 300 --s3-tag a=b --s3-tag c=d");
    assert_later("snapctl save --s3-plain-http=false --ssh-agent-auth",
                 "snapctl upload na+me --ssh-agent-auth --s3-plain-http=false");
}

static void secrets_are_left_out(void **state)
{
    (void)state;
    assert_later("snapctl save --access-key AK --secret-key hunter2 --session-token token",
                 "snapctl upload na+me");
    assert_later("snapctl save --access-key AK --secret-key hunter2",
                 "snapctl upload na+me --access-key AK --secret-key-file FILE");
    assert_later("snapctl save --config -", "snapctl upload na+me");
    assert_later("snapctl save --secret-key-file /f --s3-proxy http://user:hunter2@p:1",
                 "snapctl upload na+me --secret-key-file /f --s3-proxy URL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_was_given),
        cmocka_unit_test(secrets_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
