#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/ctx.h"
#include "snapctl/base/log.h"
#include "snapctl/base/str.h"

/* What the writer was given, one line each: "level who: line". */
static void write_line(void *arg, enum log_level level, const char *who, const char *line)
{
    buf_printf(arg, "%d %s: %s\n", level, who ? who : "-", line);
}

static void redact(struct log *log, const char *value)
{
    AUTO_SECRET struct secret *secret = secret_new(value, strlen(value));
    log_redact(log, secret);
}

static void test_writes_what_its_level_allows(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = {0};
    struct log *log = log_new(LOG_INFO, write_line, &out);
    log_write(log, LOG_ERROR, NULL, "port %d", 22);
    log_write(log, LOG_INFO, "127.0.0.2", "two\nlines\x1b[2J");
    log_write(log, LOG_DEBUG, NULL, "not seen");
    log_write(NULL, LOG_ERROR, NULL, "to nobody");
    assert_string_equal(buf_text(&out), "0 -: port 22\n2 127.0.0.2: two\\nlines\\x1b[2J\n");
    assert_true(log_enabled(log, LOG_WARN));
    assert_false(log_enabled(log, LOG_DEBUG) || log_enabled(NULL, LOG_ERROR));
    log_free(log);
}

static void test_a_ctx_logs_for_its_node(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = {0};
    struct log *log = log_new(LOG_TRACE, write_line, &out);
    struct ctx ctx = {.log = log, .deadline_ms = CTX_NO_DEADLINE, .who = "127.0.0.3"};
    ctx_log(&ctx, LOG_TRACE, "%s", "100%s");
    ctx.log = NULL;
    ctx_log(&ctx, LOG_ERROR, "to nobody");
    assert_string_equal(buf_text(&out), "4 127.0.0.3: 100%s\n");
    log_free(log);
}

static void expect_redacted(struct log *log, const char *text, const char *expected)
{
    AUTO_FREE char *found = log_redacted(log, text);
    assert_string_equal(found, expected);
}

static void test_secrets_are_replaced_wherever_they_are(void **state)
{
    (void)state;
    struct log *log = log_new(LOG_INFO, write_line, NULL);
    redact(log, "hunter22");
    expect_redacted(log, "hunter22", "***");
    expect_redacted(log, "a hunter22 b hunter22", "a *** b ***");
    expect_redacted(log, "hunter2", "hunter2");
    expect_redacted(NULL, "hunter22", "hunter22");
    log_redact(log, NULL);
    redact(log, "");
    redact(log, "abc"); /* too short: would be everywhere */
    expect_redacted(log, "abc", "abc");
    redact(log, "abcd");
    expect_redacted(log, "abcd", "***");
    log_free(log);
}

static void test_a_secret_within_another_leaves_no_rest(void **state)
{
    (void)state;
    struct log *log = log_new(LOG_INFO, write_line, NULL);
    redact(log, "pass");
    redact(log, "password-of-bob");
    redact(log, "bob-and-alice");
    redact(log, "xyxy");
    expect_redacted(log, "<password-of-bob>", "<***>");
    expect_redacted(log, "<password-of-bob-and-alice>", "<***>");
    expect_redacted(log, "xyxyxy", "***");
    log_free(log);
}

static void test_each_line_of_a_key_is_a_secret(void **state)
{
    static const char key[] = "-----BEGIN KEY-----\r\nMIIEpAIBAAKCAQEA\nshort\nc2VjcmV0\n-----END KEY-----\n";
    (void)state;
    AUTO_BUF struct buf out = {0};
    struct log *log = log_new(LOG_DEBUG, write_line, &out);
    redact(log, key);
    expect_redacted(log, key, "***");
    expect_redacted(log, "line 2 is MIIEpAIBAAKCAQEA, bad", "line 2 is ***, bad");
    expect_redacted(log, "c2VjcmV0", "***");
    expect_redacted(log, "-----BEGIN KEY----- without its end", "*** without its end");
    expect_redacted(log, "short", "short");
    log_write(log, LOG_INFO, NULL, "key: %s", key);
    /* Made visible by someone else before: the newlines are gone, the lines are not. */
    AUTO_FREE char *visible = str_visible(key, strlen(key), false);
    log_write(log, LOG_INFO, NULL, "key: %s", visible);
    assert_string_equal(buf_text(&out), "2 -: key: ***\n2 -: key: ***\\r\\n***\\nshort\\n***\\n***\\n\n");
    log_free(log);
}

enum { THREADS = 4, LINES = 200 };

static void *write_many(void *arg)
{
    for (int i = 0; i < LINES; i++) {
        log_write(arg, LOG_INFO, "node", "a line with secret-%d", i);
        AUTO_FREE char *value = str_format("secret-%d", i);
        if (i % 20 == 0)
            redact(arg, value);
    }
    return NULL;
}

static void test_threads_write_whole_lines(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = {0};
    struct log *log = log_new(LOG_INFO, write_line, &out);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, log), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    size_t lines = 0;
    for (const char *p = buf_text(&out); *p; p = strchr(p, '\n') + 1, lines++)
        assert_true(str_starts(p, "2 node: a line with "));
    assert_int_equal(lines, THREADS * LINES);
    log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_what_its_level_allows),
        cmocka_unit_test(test_a_ctx_logs_for_its_node),
        cmocka_unit_test(test_secrets_are_replaced_wherever_they_are),
        cmocka_unit_test(test_a_secret_within_another_leaves_no_rest),
        cmocka_unit_test(test_each_line_of_a_key_is_a_secret),
        cmocka_unit_test(test_threads_write_whole_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
