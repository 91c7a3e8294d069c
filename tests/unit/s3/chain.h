/* A credentials chain that sees only what a test gives it. All secrets of tests have "hush" in them:
 * chain_free fails if that was ever logged, though the tests themselves try to log them. */
#ifndef SNAPCTL_TESTS_CHAIN_H
#define SNAPCTL_TESTS_CHAIN_H

#include <stdio.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/s3/credentials.h"

enum { CHAIN_VARIABLES = 16, CHAIN_LIMIT_MS = 20000 };

/* Nobody listens there: the real address is never asked. */
#define CHAIN_NOWHERE "http://127.0.0.9:9"

struct chain {
    const char *names[CHAIN_VARIABLES], *values[CHAIN_VARIABLES];
    size_t n;
    struct buf lines;
    struct ctx ctx;
    struct credentials_setup setup;
    struct credentials found;
    struct sc_err err;
};

static const char *chain_getenv(void *arg, const char *name)
{
    const struct chain *c = arg;
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->names[i], name) == 0)
            return c->values[i];
    return NULL;
}

static void chain_line(void *arg, enum log_level level, const char *who, const char *line)
{
    (void)level;
    (void)who;
    struct chain *c = arg;
    buf_printf(&c->lines, "%s\n", line);
}

static inline void chain_init(struct chain *c)
{
    http_init();
    *c = (struct chain){0};
    struct ctx unlimited = {.log = log_new(LOG_TRACE, chain_line, c), .deadline_ms = CTX_NO_DEADLINE};
    c->ctx = ctx_within(&unlimited, CHAIN_LIMIT_MS);
    c->setup = (struct credentials_setup){
        .env = chain_getenv,
        .env_arg = c,
        .proxy = "",
        .sts_endpoint = CHAIN_NOWHERE,
        .container_endpoint = CHAIN_NOWHERE,
        .imds_endpoint = CHAIN_NOWHERE,
    };
}

static inline void chain_env(struct chain *c, const char *name, const char *value)
{
    assert_true(c->n < CHAIN_VARIABLES);
    c->names[c->n] = name;
    c->values[c->n++] = value;
}

static inline void chain_free(struct chain *c)
{
    assert_null(strstr(buf_text(&c->lines), "hush"));
    credentials_free(&c->found);
    err_clear(&c->err);
    log_free(c->ctx.log);
    buf_free(&c->lines);
    http_exit();
}

static inline void assert_found(struct chain *c, enum credentials_provider provider, const char *access_key,
                                const char *secret_key, const char *session_token)
{
    if (credentials_find(&c->setup, &c->ctx, &c->found, &c->err) < 0)
        fail_msg("%s", c->err.text);
    assert_string_equal(credentials_provider_name(c->found.provider), credentials_provider_name(provider));
    assert_string_equal(c->found.access_key, access_key);
    assert_string_equal(secret_data(c->found.secret_key), secret_key);
    if (session_token)
        assert_string_equal(secret_data(c->found.session_token), session_token);
    else
        assert_null(c->found.session_token);
    ctx_log(&c->ctx, LOG_INFO, "%s %s", secret_key, session_token ? session_token : "");
}

static inline void assert_fails(struct chain *c, enum err_kind kind, const char *text)
{
    assert_int_equal(credentials_find(&c->setup, &c->ctx, &c->found, &c->err), -1);
    assert_string_equal(c->err.text, text);
    assert_string_equal(err_kind_name(c->err.kind), err_kind_name(kind));
    assert_null(c->found.access_key);
}

/* Nothing was found, and the list of answers has this one. */
static inline void assert_none(struct chain *c, const char *answer)
{
    assert_fails(c, ERR_AUTH, "no credentials for S3 were found");
    if (!strstr(c->err.hint, answer))
        fail_msg("\"%s\" is not in:\n%s", answer, c->err.hint);
}

#endif
