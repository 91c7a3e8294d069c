/* HTTP against real servers on the loopback interface: see http_server.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snapctl/base/str.h"
#include "snapctl/net/http.h"

static const struct ctx forever = {.deadline_ms = CTX_NO_DEADLINE};

/* ---- the servers ---- */

struct servers {
    pid_t pid;
    int input; /* closing it ends them */
    char folder[32], ports[512];
    char *ca;
};

static char *read_file(const char *folder, const char *name)
{
    AUTO_FREE char *path = str_format("%s/%s", folder, name);
    struct secret *content = NULL;
    assert_int_equal(secret_read_file(path, 65536, 0, &content, NULL), 0);
    char *text = str_dup(secret_data(content));
    secret_free(content);
    return text;
}

static int start_servers(void **state)
{
    struct servers *s = mem_calloc(1, sizeof *s);
    int in[2], out[2];
    strcpy(s->folder, "/tmp/snapctl-http.XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    assert_int_equal(pipe(in) | pipe(out), 0);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[1]);
        execl("/usr/bin/python3", "python3", TEST_DATA "/../net/http_server.py", s->folder, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    s->input = in[1];
    FILE *ready = fdopen(out[0], "r");
    assert_non_null(fgets(s->ports, sizeof s->ports, ready));
    fclose(ready);
    s->ca = read_file(s->folder, "ca.pem");
    *state = s;
    return 0;
}

static int stop_servers(void **state)
{
    struct servers *s = *state;
    close(s->input);
    waitpid(s->pid, NULL, 0);
    AUTO_FREE char *remove = str_format("rm -rf %s", s->folder);
    int status = system(remove);
    free(s->ca);
    free(s);
    return status;
}

static int port_of(void **state, const char *name)
{
    const struct servers *s = *state;
    AUTO_FREE char *key = str_format(" %s=", name);
    const char *at = strstr(s->ports, key);
    assert_non_null(at);
    return atoi(at + strlen(key));
}

/* ---- one request ---- */

static struct http *pool(const struct http_setup *setup)
{
    struct http *http = NULL;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(http_new(setup, &http, &err), 0);
    return http;
}

static char *url(void **state, const char *server, const char *path)
{
    bool plain = strcmp(server, "plain") == 0 || strcmp(server, "proxy") == 0;
    return str_format("%s://127.0.0.1:%d%s", plain ? "http" : "https", port_of(state, server), path);
}

static int get(struct http *http, const char *target, struct http_response *response, struct sc_err *err)
{
    struct http_request request = {.method = "GET", .url = target};
    return http_perform(http, &forever, &request, response, err);
}

/* The whole text expected for a GET of path that fails; %s stands for the server's host:port. */
static void assert_fails(void **state, const struct http_setup *setup, const char *server, const char *path,
                         enum err_kind kind, const char *text, const char *hint_part)
{
    struct http *http = pool(setup);
    struct http_response response = {0};
    AUTO_ERR struct sc_err err = {0};
    AUTO_FREE char *target = url(state, server, path);
    AUTO_FREE char *expected = str_format("127.0.0.1:%d: %s", port_of(state, server), text);
    assert_int_equal(get(http, target, &response, &err), -1);
    assert_string_equal(err.text, expected);
    assert_string_equal(err_kind_name(err.kind), err_kind_name(kind));
    if (hint_part)
        assert_non_null(strstr(err.hint ? err.hint : "", hint_part));
    else
        assert_null(err.hint);
    assert_int_equal(response.status, 0);
    http_response_free(&response);
    http_free(http);
}

static void assert_body(struct http *http, const char *target, const char *expected)
{
    struct http_response response = {0};
    AUTO_ERR struct sc_err err = {0};
    if (get(http, target, &response, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(buf_text(&response.body), expected);
    http_response_free(&response);
}

static void test_sends_what_it_is_given(void **state)
{
    struct http *http = pool(&(struct http_setup){0});
    struct http_response response = {0};
    AUTO_FREE char *target = url(state, "plain", "/a//b/../c%2Fd?x=%20&y");
    struct http_header headers[] = {
        {"x-amz-date",   "now"      },
        {"Content-Type", "text/x; a"},
        {"x-empty",      ""         }
    };
    struct http_request request = {
        .method = "PUT", .url = target, .headers = headers, .n_headers = 3, .body = "hel\0lo", .body_len = 6};
    assert_int_equal(http_perform(http, &forever, &request, &response, NULL), 0);
    AUTO_FREE char *expected = str_format(
        "PUT /a//b/../c%%2Fd?x=%%20&y HTTP/1.1\naccept: */*\ncontent-length: 6\ncontent-type: text/x; a\n"
        "host: 127.0.0.1:%d\nuser-agent: snapctl/" SNAPCTL_VERSION "\nx-amz-date: now\nx-empty: \n"
        "sha256: 3c7bc296d9b14be9c9771c0de962ee38125e8904303e0614afdeba73d0f7e503\n",
        port_of(state, "plain"));
    assert_string_equal(buf_text(&response.body), expected);
    assert_int_equal(response.status, 200);
    http_response_free(&response);
    http_free(http);
}

static void test_sends_empty_bodies_with_a_length(void **state)
{
    static const struct {
        const char *method;
        bool length;
    } cases[] = {
        {"PUT",    true },
        {"POST",   true },
        {"DELETE", false},
        {"GET",    false}
    };
    struct http *http = pool(&(struct http_setup){0});
    AUTO_FREE char *target = url(state, "plain", "/");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_response response = {0};
        struct http_request request = {.method = cases[i].method, .url = target};
        assert_int_equal(http_perform(http, &forever, &request, &response, NULL), 0);
        assert_true(str_starts(buf_text(&response.body), cases[i].method));
        assert_int_equal(strstr(buf_text(&response.body), "content-length: 0\n") != NULL, cases[i].length);
        assert_null(strstr(buf_text(&response.body), "content-type"));
        http_response_free(&response);
    }
    http_free(http);
}

static void test_refuses_headers_with_line_breaks(void **state)
{
    struct http *http = pool(&(struct http_setup){0});
    struct http_response response = {0};
    AUTO_FREE char *target = url(state, "plain", "/");
    struct http_header headers[] = {
        {"x-a", "1\r\nx-b: 2"}
    };
    struct http_request request = {.method = "GET", .url = target, .headers = headers, .n_headers = 1};
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(http_perform(http, &forever, &request, &response, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    http_free(http);
}

static void test_reads_headers(void **state)
{
    static const char *const methods[] = {"GET", "HEAD"};
    struct http *http = pool(&(struct http_setup){0});
    AUTO_FREE char *target = url(state, "plain", "/head");
    for (int i = 0; i < 2; i++) {
        struct http_response response = {0};
        struct http_request request = {.method = methods[i], .url = target};
        assert_int_equal(http_perform(http, &forever, &request, &response, NULL), 0);
        AUTO_FREE char *etag = http_response_header(&response, "etag"),
                       *empty = http_response_header(&response, "x-empty"),
                       *none = http_response_header(&response, "tag");
        assert_string_equal(etag, "\"a b\"");
        assert_string_equal(empty, "");
        assert_null(none);
        assert_string_equal(buf_text(&response.body), i ? "" : "12345");
        http_response_free(&response);
    }
    http_free(http);
}

static void test_does_not_follow(void **state)
{
    struct http *http = pool(&(struct http_setup){0});
    struct http_response response = {0};
    AUTO_FREE char *target = url(state, "plain", "/redirect");
    assert_int_equal(get(http, target, &response, NULL), 0);
    assert_int_equal(response.status, 302);
    assert_string_equal(buf_text(&response.body), "elsewhere");
    AUTO_FREE char *missing = url(state, "plain", "/missing");
    assert_int_equal(get(http, missing, &response, NULL), 0);
    assert_int_equal(response.status, 404);
    http_response_free(&response);
    http_free(http);
}

static void test_announces_large_bodies(void **state)
{
    enum { SIZE = 4 << 20 };
    struct http *http = pool(&(struct http_setup){.stall_ms = 6000});
    AUTO_FREE char *body = mem_calloc(SIZE, 1);
    AUTO_FREE char *echo = url(state, "plain", "/"), *refuse = url(state, "plain", "/refuse-body"),
                   *silent = url(state, "plain", "/silent");
    struct http_response response = {0};
    struct http_request request = {.method = "PUT", .url = echo, .body = body, .body_len = SIZE};
    assert_int_equal(http_perform(http, &forever, &request, &response, NULL), 0);
    assert_non_null(strstr(buf_text(&response.body), "expect: 100-continue"));
    assert_non_null(strstr(buf_text(&response.body),
                           "sha256: bb9f8df61474d25e71fa00722318cd387396ca1736605e1248821cc0de3d3af8"));
    assert_null(strstr(buf_text(&response.head), "interim"));

    request.url = refuse;
    assert_int_equal(http_perform(http, &forever, &request, &response, NULL), 0);
    assert_int_equal(response.status, 413);

    int64_t began = ctx_now_ms();
    request.url = silent;
    assert_int_equal(http_perform(http, &forever, &request, &response, NULL), 0);
    assert_int_equal(response.status, 200);
    assert_in_range(ctx_now_ms() - began, 900, 4500);
    http_response_free(&response);
    http_free(http);
}

/* ---- TLS ---- */

static void test_adds_its_ca_to_the_roots(void **state)
{
    const struct servers *s = *state;
    AUTO_FREE char *other = read_file(s->folder, "other.pem");
    AUTO_FREE char *both = str_format("a comment\n%s\n%s", other, s->ca);
    struct http *http = pool(&(struct http_setup){.ca_pem = both});
    AUTO_FREE char *good = url(state, "good", "/head"), *self = url(state, "self", "/head");
    assert_body(http, good, "12345");
    struct http_response response = {0};
    AUTO_ERR struct sc_err err = {0};
    /* The CA's own certificate has no name, but it is trusted: the next check is the one that fails. */
    assert_int_equal(get(http, self, &response, &err), -1);
    assert_non_null(strstr(err.text, "another host's"));
    http_free(http);
}

static void test_names_what_is_wrong_with_a_certificate(void **state)
{
    const struct servers *s = *state;
    AUTO_FREE char *other = read_file(s->folder, "other.pem");
    struct http_setup none = {0}, right = {.ca_pem = s->ca}, wrong = {.ca_pem = other};
    assert_fails(state, &none, "good", "/", ERR_CERTIFICATE, "its certificate is signed by an unknown CA",
                 "give the certificate of its CA");
    assert_fails(state, &wrong, "good", "/", ERR_CERTIFICATE, "its certificate is signed by an unknown CA",
                 "give the certificate of its CA");
    assert_fails(state, &none, "self", "/", ERR_CERTIFICATE,
                 "its certificate is signed by itself and unknown", "sign one with a CA");
    assert_fails(state, &right, "old", "/", ERR_CERTIFICATE, "its certificate has expired", "renew");
    assert_fails(state, &right, "named", "/", ERR_CERTIFICATE, "its certificate is another host's",
                 "a name that the certificate has");
}

static void test_takes_any_certificate_if_told(void **state)
{
    static const char *const servers[] = {"good", "old", "named", "self"};
    struct http *http = pool(&(struct http_setup){.skip_tls_verify = true});
    for (int i = 0; i < 4; i++) {
        AUTO_FREE char *target = url(state, servers[i], "/head");
        assert_body(http, target, "12345");
    }
    http_free(http);
}

static void test_refuses_text_without_a_certificate(void **state)
{
    const struct servers *s = *state;
    AUTO_FREE char *key = read_file(s->folder, "ca.key");
    AUTO_FREE char *cut =
        str_format("%s-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", s->ca);
    const struct {
        const char *pem, *text;
    } cases[] = {
        {"",    "the CA's PEM text holds no certificate"      },
        {key,   "the CA's PEM text holds no certificate"      },
        {"abc", "the CA's PEM text holds no certificate"      },
        {cut,   "certificate 2 of the CA's PEM text is broken"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http *http = NULL;
        AUTO_ERR struct sc_err err = {0};
        assert_int_equal(http_new(&(struct http_setup){.ca_pem = cases[i].pem}, &http, &err), -1);
        assert_string_equal(err.text, cases[i].text);
        assert_int_equal(err.kind, ERR_CONFIG);
    }
}

/* ---- what can go wrong on the way ---- */

static void test_names_what_went_wrong(void **state)
{
    static const struct {
        const char *server, *path, *text, *hint;
    } cases[] = {
        {"dead",   "/",             "connection refused",                                   "is the port right"},
        {"plain",  "/cut",          "the connection broke off in the middle of the answer", NULL               },
        {"plain",  "/nothing",      "closed the connection without an answer",              NULL               },
        {"plain",  "/stall",        "nothing moved for 1.5 s",                              NULL               },
        {"silent", "/",             "connected, but the TLS handshake got no answer",       "speak TLS"        },
        {"plain",  "/big?1048577",  "the answer's body is larger than 1048576 bytes",       NULL               },
        {"plain",  "/long-head?66", "the answer's head is larger than 65536 bytes",         NULL               },
    };
    struct http_setup setup = {.stall_ms = 1500, .connect_ms = 1000};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(state, &setup, cases[i].server, cases[i].path, ERR_NETWORK, cases[i].text,
                     cases[i].hint);
}

/* Longer than a label may be: refused by this machine's resolver, without asking a name server. */
#define LONG_LABEL "a123456789b123456789c123456789d123456789e123456789f123456789g123456789"

/* Where the rest of the text is libcurl's own. */
static void test_names_the_wrong_protocol_and_name(void **state)
{
    struct http *http = pool(&(struct http_setup){0});
    AUTO_FREE char *tls = str_format("https://127.0.0.1:%d/", port_of(state, "plain"));
    AUTO_FREE char *garbage = url(state, "plain", "/garbage");
    const struct {
        const char *url, *part, *hint;
    } cases[] = {
        {tls,                               "TLS handshake failed",                    "plain HTTP"             },
        {garbage,                           "what answers there does not speak HTTP",  "are host and port right"},
        {"https://" LONG_LABEL ".invalid/", LONG_LABEL ".invalid:443: cannot resolve", "is the name right"      },
        {"ftp://127.0.0.1/",                "ftp",                                     NULL                     },
        {"http://[::1/",                    "not a usable URL",                        NULL                     },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_response response = {0};
        AUTO_ERR struct sc_err err = {0};
        assert_int_equal(get(http, cases[i].url, &response, &err), -1);
        assert_non_null(strstr(err.text, cases[i].part));
        if (cases[i].hint)
            assert_non_null(strstr(err.hint, cases[i].hint));
    }
    http_free(http);
}

static void test_goes_on_while_bytes_move(void **state)
{
    struct http *http = pool(&(struct http_setup){.stall_ms = 900});
    AUTO_FREE char *target = url(state, "plain", "/drip");
    assert_body(http, target, "..........");
    http_free(http);
}

static void test_notices_a_server_that_stops_reading(void **state)
{
    enum { SIZE = 32 << 20 };
    struct http *http = pool(&(struct http_setup){.stall_ms = 1500});
    AUTO_FREE char *body = mem_calloc(SIZE, 1);
    AUTO_FREE char *target = url(state, "plain", "/no-read");
    struct http_response response = {0};
    AUTO_ERR struct sc_err err = {0};
    struct http_request request = {.method = "PUT", .url = target, .body = body, .body_len = SIZE};
    assert_int_equal(http_perform(http, &forever, &request, &response, &err), -1);
    assert_non_null(strstr(err.text, "nothing moved for 1.5 s"));
    http_free(http);
}

static void test_limits_the_answer(void **state)
{
    struct http *http = pool(&(struct http_setup){0});
    AUTO_FREE char *target = url(state, "plain", "/big?100");
    struct http_response response = {0};
    AUTO_ERR struct sc_err err = {0};
    struct http_request request = {.method = "GET", .url = target, .response_max = 100};
    assert_int_equal(http_perform(http, &forever, &request, &response, &err), 0);
    assert_int_equal(response.body.len, 100);
    request.response_max = 99;
    assert_int_equal(http_perform(http, &forever, &request, &response, &err), -1);
    assert_non_null(strstr(err.text, "larger than 99 bytes"));
    http_response_free(&response);
    http_free(http);
}

static void test_ends_when_time_is_over(void **state)
{
    struct http *http = pool(&(struct http_setup){0});
    AUTO_FREE char *target = url(state, "plain", "/stall");
    struct http_response response = {0};
    AUTO_ERR struct sc_err err = {0};
    struct http_request request = {.method = "GET", .url = target, .timeout_ms = 200};
    int64_t began = ctx_now_ms();
    assert_int_equal(http_perform(http, &forever, &request, &response, &err), -1);
    assert_int_equal(err.kind, ERR_TIMEOUT);
    assert_non_null(strstr(err.text, "not done within 0.2 s"));
    struct ctx ctx = ctx_within(&forever, 200);
    request.timeout_ms = 0;
    assert_int_equal(http_perform(http, &ctx, &request, &response, &err), -1);
    assert_int_equal(err.kind, ERR_TIMEOUT);
    assert_in_range(ctx_now_ms() - began, 400, 2000);
    http_free(http);
}

static void *fire_soon(void *arg)
{
    assert_int_equal(ctx_wait(&forever, -1, 0, 150, NULL), 0);
    cancel_fire(arg);
    return NULL;
}

static void test_is_cancelled_at_once(void **state)
{
    static const char *const servers[] = {"plain", "silent"};
    for (int i = 0; i < 2; i++) {
        struct http *http = pool(&(struct http_setup){0});
        struct cancel *cancel = cancel_new();
        struct ctx ctx = {.cancel = cancel, .deadline_ms = CTX_NO_DEADLINE};
        AUTO_FREE char *target = url(state, servers[i], "/stall");
        struct http_response response = {0};
        AUTO_ERR struct sc_err err = {0};
        struct http_request request = {.method = "GET", .url = target};
        pthread_t thread;
        int64_t began = ctx_now_ms();
        assert_int_equal(pthread_create(&thread, NULL, fire_soon, cancel), 0);
        assert_int_equal(http_perform(http, &ctx, &request, &response, &err), -1);
        assert_int_equal(err.kind, ERR_CANCELLED);
        assert_in_range(ctx_now_ms() - began, 140, 900); /* before the next look at the clock */
        pthread_join(thread, NULL);
        http_free(http);
        cancel_free(cancel);
    }
}

/* ---- connections ---- */

static void test_reuses_connections(void **state)
{
    const struct servers *s = *state;
    struct http *http = pool(&(struct http_setup){.ca_pem = s->ca});
    AUTO_FREE char *target = url(state, "good", "/connection"), *once = url(state, "good", "/once");
    struct http_response first = {0};
    assert_int_equal(get(http, target, &first, NULL), 0);
    assert_body(http, target, buf_text(&first.body));
    assert_body(http, target, buf_text(&first.body));
    assert_body(http, once, buf_text(&first.body));
    /* The server closed it behind the last answer: a new one is made without a word. */
    struct http_response second = {0};
    assert_int_equal(get(http, target, &second, NULL), 0);
    assert_string_not_equal(buf_text(&second.body), buf_text(&first.body));
    http_response_free(&first);
    http_response_free(&second);
    http_free(http);
}

static void test_connects_to_a_socket_instead(void **state)
{
    const struct servers *s = *state;
    AUTO_FREE char *path = str_format("%s/socket", s->folder);
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    struct http *http = pool(&(struct http_setup){.ca_pem = s->ca, .unix_socket = path});
    assert_body(http, "https://s3.example.com/head", "12345");
    struct http_response response = {0};
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(get(http, "https://other.example.com/head", &response, &err), -1);
    assert_string_equal(err.text, "other.example.com:443: its certificate is another host's");
    unsetenv("https_proxy");
    http_free(http);
}

static void test_uses_proxies(void **state)
{
    AUTO_FREE char *proxy = url(state, "proxy", ""), *plain = url(state, "plain", "/head");
    AUTO_FREE char *expected = str_format("proxied GET %s HTTP/1.1", plain);
    AUTO_FREE char *dead = str_format("http://127.0.0.1:%d", port_of(state, "dead"));
    setenv("no_proxy", "*", 1);
    struct http *given = pool(&(struct http_setup){.proxy = proxy});
    assert_body(given, plain, expected);
    unsetenv("no_proxy");
    setenv("http_proxy", dead, 1);
    assert_body(given, plain, expected);
    struct http *none = pool(&(struct http_setup){.proxy = ""}), *environment = pool(&(struct http_setup){0});
    assert_body(none, plain, "12345");
    struct http_response response = {0};
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(get(environment, plain, &response, &err), -1);
    AUTO_FREE char *refused = str_format("127.0.0.1:%d: connection refused", port_of(state, "dead"));
    assert_string_equal(err.text, refused);
    setenv("no_proxy", "127.0.0.1", 1);
    assert_body(environment, plain, "12345");
    unsetenv("no_proxy");
    unsetenv("http_proxy");
    http_free(environment);
    http_free(none);

    assert_int_equal(get(given, "https://s3.example.com/", &response, &err), -1);
    assert_string_equal(err.text, "s3.example.com:443: the proxy refuses to connect there (HTTP 403)");
    assert_int_equal(get(given, "https://login/", &response, &err), -1);
    assert_string_equal(err.text, "login:443: the proxy refuses to connect there (HTTP 407)");
    assert_non_null(strstr(err.hint, "USER:PASSWORD@"));
    http_free(given);

    static const char *const unusable[] = {"htp://svc:hunter2@127.0.0.1:1",
                                           "http://svc:a/hunter2@127.0.0.1:1"};
    for (size_t i = 0; i < sizeof unusable / sizeof *unusable; i++) {
        struct http *http = pool(&(struct http_setup){.proxy = unusable[i]});
        assert_int_equal(get(http, plain, &response, &err), -1);
        assert_null(strstr(err.text, "hunter2"));
        assert_non_null(strstr(err.text, "the URL of the proxy cannot be used"));
        http_free(http);
    }
    struct http *direct = pool(&(struct http_setup){.proxy = ""});
    assert_int_equal(get(direct, "https://svc:hunter2@[127.0.0.1/", &response, &err), -1);
    assert_null(strstr(err.text, "hunter2"));
    http_free(direct);
}

static void test_has_several_in_flight(void **state)
{
    enum { CALLS = 6 };
    struct http *http = pool(&(struct http_setup){0});
    AUTO_FREE char *target = url(state, "plain", "/drip"), *bad = url(state, "plain", "/cut");
    struct http_call *calls[CALLS], *done;
    int tags[CALLS] = {0};
    int64_t began = ctx_now_ms();
    for (int i = 0; i < CALLS; i++) {
        struct http_request request = {.method = "GET", .url = i == 3 ? bad : target};
        assert_int_equal(http_begin(http, &request, &tags[i], &calls[i], NULL), 0);
    }
    assert_int_equal(http_wait(http, &forever, 0, &done, NULL), 0);
    assert_null(done);
    for (int i = 0; i < CALLS - 1; i++) {
        const struct http_response *response;
        AUTO_ERR struct sc_err err = {0};
        assert_int_equal(http_wait(http, &forever, -1, &done, &err), 0);
        assert_non_null(done);
        int *tag = http_call_tag(done);
        *tag += 1;
        assert_int_equal(http_call_result(done, &response, &err), tag == &tags[3] ? -1 : 0);
        if (tag != &tags[3])
            assert_string_equal(buf_text(&response->body), "..........");
        if (i == 0) {
            assert_ptr_equal(tag, &tags[3]);
            http_call_free(calls[5]); /* in flight: broken off */
        }
        http_call_free(done);
    }
    for (int i = 0; i < CALLS - 1; i++)
        assert_int_equal(tags[i], 1);
    assert_int_equal(tags[5], 0);
    assert_int_equal(http_wait(http, &forever, -1, &done, NULL), 0);
    assert_null(done);
    assert_in_range(ctx_now_ms() - began, 900, 4000);
    http_free(http);
}

static void *wake_soon(void *arg)
{
    assert_int_equal(ctx_wait(&forever, -1, 0, 100, NULL), 0);
    http_wake(arg);
    return NULL;
}

static void test_is_woken_by_another_thread(void **state)
{
    struct http *http = pool(&(struct http_setup){0});
    AUTO_FREE char *target = url(state, "plain", "/stall");
    struct http_request request = {.method = "GET", .url = target};
    struct http_call *call, *done;
    pthread_t thread;
    assert_int_equal(http_begin(http, &request, NULL, &call, NULL), 0);
    int64_t began = ctx_now_ms();
    assert_int_equal(pthread_create(&thread, NULL, wake_soon, http), 0);
    assert_int_equal(http_wait(http, &forever, -1, &done, NULL), 0);
    assert_null(done);
    pthread_join(thread, NULL);
    http_wake(http);
    assert_int_equal(http_wait(http, &forever, -1, &done, NULL), 0);
    assert_null(done);
    assert_in_range(ctx_now_ms() - began, 90, 1500);
    assert_int_equal(http_wait(http, &forever, 50, &done, NULL), 0);
    assert_in_range(ctx_now_ms() - began, 140, 2000);
    http_free(http); /* with a call in flight */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sends_what_it_is_given),
        cmocka_unit_test(test_sends_empty_bodies_with_a_length),
        cmocka_unit_test(test_refuses_headers_with_line_breaks),
        cmocka_unit_test(test_reads_headers),
        cmocka_unit_test(test_does_not_follow),
        cmocka_unit_test(test_announces_large_bodies),
        cmocka_unit_test(test_adds_its_ca_to_the_roots),
        cmocka_unit_test(test_names_what_is_wrong_with_a_certificate),
        cmocka_unit_test(test_takes_any_certificate_if_told),
        cmocka_unit_test(test_refuses_text_without_a_certificate),
        cmocka_unit_test(test_names_what_went_wrong),
        cmocka_unit_test(test_names_the_wrong_protocol_and_name),
        cmocka_unit_test(test_goes_on_while_bytes_move),
        cmocka_unit_test(test_notices_a_server_that_stops_reading),
        cmocka_unit_test(test_limits_the_answer),
        cmocka_unit_test(test_ends_when_time_is_over),
        cmocka_unit_test(test_is_cancelled_at_once),
        cmocka_unit_test(test_reuses_connections),
        cmocka_unit_test(test_connects_to_a_socket_instead),
        cmocka_unit_test(test_uses_proxies),
        cmocka_unit_test(test_has_several_in_flight),
        cmocka_unit_test(test_is_woken_by_another_thread),
    };
    static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                          "ALL_PROXY",  "no_proxy",    "NO_PROXY"};
    for (size_t i = 0; i < sizeof proxies / sizeof *proxies; i++)
        unsetenv(proxies[i]);
    signal(SIGPIPE, SIG_IGN);
    http_init();
    int failed = cmocka_run_group_tests(tests, start_servers, stop_servers);
    http_exit();
    return failed;
}
