/* The S3 of fake_s3.py, and a client of it. With cmocka, in one test program. */
#ifndef SNAPCTL_TESTS_FAKE_S3_H
#define SNAPCTL_TESTS_FAKE_S3_H

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snapctl/base/str.h"
#include "snapctl/net/http.h"
#include "snapctl/s3/client.h"

struct fake {
    pid_t pid;
    int input, port;
    struct http *control, *http;
    struct log *log;
    struct buf lines; /* what was logged */
    pthread_mutex_t lock;
};

static inline void note_line(void *arg, enum log_level level, const char *who, const char *line)
{
    struct fake *f = arg;
    (void)who;
    pthread_mutex_lock(&f->lock);
    buf_printf(&f->lines, "%d %s\n", (int)level, line);
    pthread_mutex_unlock(&f->lock);
}

static inline int fake_start(void **state)
{
    struct fake *f = mem_calloc(1, sizeof *f);
    int in[2], out[2];
    char ready[64];
    pthread_mutex_init(&f->lock, NULL);
    assert_int_equal(pipe(in) | pipe(out), 0);
    f->pid = fork();
    assert_true(f->pid >= 0);
    if (f->pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[1]);
        execl("/usr/bin/python3", "python3", TEST_DATA "/../s3/fake_s3.py", (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    f->input = in[1];
    FILE *stream = fdopen(out[0], "r");
    assert_non_null(fgets(ready, sizeof ready, stream));
    fclose(stream);
    assert_int_equal(sscanf(ready, "ready %d", &f->port), 1);
    struct http_setup setup = {.proxy = "", .stall_ms = 2000};
    assert_int_equal(http_new(&setup, &f->control, NULL) | http_new(&setup, &f->http, NULL), 0);
    f->log = log_new(LOG_DEBUG, note_line, f);
    *state = f;
    return 0;
}

static inline int fake_stop(void **state)
{
    struct fake *f = *state;
    http_free(f->control);
    http_free(f->http);
    log_free(f->log);
    buf_free(&f->lines);
    pthread_mutex_destroy(&f->lock);
    close(f->input);
    waitpid(f->pid, NULL, 0);
    free(f);
    return 0;
}

static inline struct ctx fake_ctx(const struct fake *f)
{
    return (struct ctx){.log = f->log, .deadline_ms = CTX_NO_DEADLINE};
}

/* Tells the server something; what is in the bucket then. The caller frees it. */
static inline char *fake_tell(struct fake *f, const char *what)
{
    struct http_response response = {0};
    struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    AUTO_FREE char *url = str_format("http://127.0.0.1:%d/!/%s", f->port, what);
    struct http_request request = {.method = "GET", .url = url};
    assert_int_equal(http_perform(f->control, &ctx, &request, &response, NULL), 0);
    char *text = buf_take(&response.body);
    http_response_free(&response);
    return text;
}

static inline void fake_rule(struct fake *f, const char *rule)
{
    AUTO_FREE char *what = str_format("rule?%s", rule);
    free(fake_tell(f, what));
}

static inline int fake_reset(void **state)
{
    struct fake *f = *state;
    free(fake_tell(f, "reset"));
    buf_reset(&f->lines);
    return 0;
}

static inline void assert_state_has(struct fake *f, const char *line)
{
    AUTO_FREE char *state = fake_tell(f, "state");
    if (!strstr(state, line))
        fail_msg("no \"%s\" in:\n%s", line, state);
}

static inline void assert_state_lacks(struct fake *f, const char *line)
{
    AUTO_FREE char *state = fake_tell(f, "state");
    if (strstr(state, line))
        fail_msg("\"%s\" in:\n%s", line, state);
}

static inline void assert_logged(struct fake *f, const char *part)
{
    if (!strstr(buf_text(&f->lines), part))
        fail_msg("no \"%s\" in the log:\n%s", part, buf_text(&f->lines));
}

static inline struct credentials keys(const char *access, const char *secret, const char *token)
{
    return (struct credentials){.access_key = str_dup(access),
                                .secret_key = secret_new(secret, strlen(secret)),
                                .session_token = token ? secret_new(token, strlen(token)) : NULL,
                                .expires = CREDENTIALS_NEVER};
}

static inline struct s3_client *client_with(struct fake *f, const char *bucket,
                                            struct credentials credentials, s3_refresh *refresh,
                                            int64_t retry_ms)
{
    struct s3_address address;
    AUTO_FREE char *endpoint = str_format("127.0.0.1:%d", f->port);
    struct s3_address_setup at = {.endpoint = endpoint, .bucket = bucket, .plain_http = true};
    assert_int_equal(s3_address_init(&address, &at, NULL), 0);
    struct s3_client_setup setup = {.http = f->http,
                                    .address = &address,
                                    .credentials = &credentials,
                                    .refresh = refresh,
                                    .refresh_arg = f,
                                    .retry_ms = retry_ms};
    return s3_client_new(&setup);
}

static inline struct s3_client *client_of(struct fake *f)
{
    return client_with(f, "bucket", keys("AKID", "secret+key/1", NULL), NULL, 3000);
}

#endif
