/* The signing suite of aws-c-auth, where it lies beside the project: each case in header and in query form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "snapctl/base/str.h"
#include "snapctl/s3/sigv4.h"

enum { FIELDS = 32, FILE_MAX = 64 * 1024, SUITE_CASES = 38 };

static const char suite[] = TEST_VECTORS "/aws-c-auth/tests/aws-signing-test-suite/v4";

/* A request as request.txt tells it. Fields point into file. */
struct parsed {
    char *file;
    const char *method, *target, *body;
    struct sigv4_field query[FIELDS], headers[FIELDS];
    size_t n_query, n_headers;
};

static char *read_case_file(const char *name, const char *file)
{
    AUTO_FREE char *path = str_format("%s/%s/%s", suite, name, file);
    AUTO_ERR struct sc_err err = {0};
    AUTO_SECRET struct secret *content = NULL;
    if (secret_read_file(path, FILE_MAX, 0, &content, &err) < 0)
        fail_msg("%s", err.text);
    return str_dup(secret_data(content));
}

static void decode(char *text)
{
    char *out = text;
    for (const char *in = text; *in; in++) {
        if (*in == '%') {
            const char digits[] = {in[1], in[2], '\0'};
            *out++ = (char)strtol(digits, NULL, 16);
            in += 2;
        } else {
            *out++ = *in;
        }
    }
    *out = '\0';
}

static void parse_query(struct parsed *p, char *query)
{
    char *rest;
    for (char *pair = strtok_r(query, "&", &rest); pair; pair = strtok_r(NULL, "&", &rest)) {
        char *value = strchr(pair, '=');
        *value++ = '\0';
        decode(pair);
        decode(value);
        p->query[p->n_query++] = (struct sigv4_field){pair, value};
    }
}

static void parse_headers(struct parsed *p, char *line)
{
    while (line && *line) {
        char *end = strchr(line, '\n');
        while (end && (end[1] == ' ' || end[1] == '\t'))
            end = strchr(end + 1, '\n');
        if (end)
            *end++ = '\0';
        char *value = strchr(line, ':');
        *value++ = '\0';
        p->headers[p->n_headers++] = (struct sigv4_field){line, value};
        line = end;
    }
}

static void parse_request(const char *name, struct parsed *p)
{
    *p = (struct parsed){.file = read_case_file(name, "request.txt"), .body = ""};
    char *body = strstr(p->file, "\n\n");
    if (body) {
        *body = '\0';
        p->body = body + 2;
    }
    char *line_end = strchr(p->file, '\n');
    *line_end = '\0';
    char *target = strchr(p->file, ' ');
    *target++ = '\0';
    *strrchr(target, ' ') = '\0';
    p->method = p->file;
    p->target = target;
    char *query = strchr(target, '?');
    if (query) {
        *query++ = '\0';
        parse_query(p, query);
    }
    parse_headers(p, line_end + 1);
}

static void assert_file(const char *name, const char *form, const char *step, const char *got)
{
    AUTO_FREE char *file = str_format("%s-%s.txt", form, step);
    AUTO_FREE char *expected = read_case_file(name, file);
    expected[strcspn(expected, "\r")] = '\0';
    if (strcmp(got, expected) != 0)
        fail_msg("%s: %s:\n%s\nis not:\n%s", name, file, got, expected);
}

static void assert_steps(const char *name, const char *form, const struct sigv4_signed *got)
{
    assert_file(name, form, "canonical-request", buf_text(&got->canonical_request));
    assert_file(name, form, "string-to-sign", got->string_to_sign);
    assert_file(name, form, "signature", got->signature);
}

static void assert_signed_request_has(const char *name, const char *authorization)
{
    AUTO_FREE char *whole = read_case_file(name, "header-signed-request.txt");
    AUTO_FREE char *line = str_format("\nAuthorization:%s\n", authorization);
    if (!strstr(whole, line))
        fail_msg("%s: authorization is %s", name, authorization);
}

static const char *text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void sign_both_ways(const char *name, const json_t *context, const struct sigv4_signer *signer,
                           const struct sigv4_request *request)
{
    struct tm tm = {0};
    assert_non_null(strptime(text(context, "timestamp"), "%Y-%m-%dT%H:%M:%SZ", &tm));
    int64_t now = timegm(&tm),
            expires_s = json_integer_value(json_object_get(context, "expiration_in_seconds"));
    char time[SIGV4_TIME_SIZE];
    sigv4_time(now, time);
    AUTO_SECRET struct secret *key = sigv4_signing_key(signer, time);
    AUTO_ERR struct sc_err err = {0};
    struct sigv4_signed got;
    assert_int_equal(sigv4_sign(signer, key, now, request, &got, &err), 0);
    assert_steps(name, "header", &got);
    assert_signed_request_has(name, got.authorization);
    sigv4_signed_free(&got);
    assert_int_equal(sigv4_presign(signer, key, now, expires_s, request, &got, &err), 0);
    assert_steps(name, "query", &got);
    sigv4_signed_free(&got);
}

static void check_case(const char *name, bool normalise)
{
    AUTO_FREE char *context_text = read_case_file(name, "context.json");
    json_t *context = json_loads(context_text, 0, NULL);
    const json_t *credentials = json_object_get(context, "credentials");
    const char *secret = text(credentials, "secret_access_key"), *token = text(credentials, "token");
    /* Such a token is sent, but not signed. */
    if (json_is_true(json_object_get(context, "omit_session_token")))
        token = NULL;
    AUTO_SECRET struct secret *secret_key = secret_new(secret, strlen(secret));
    AUTO_SECRET struct secret *session_token = token ? secret_new(token, strlen(token)) : NULL;
    const struct sigv4_service service = {text(context, "service"), normalise,
                                          json_is_true(json_object_get(context, "sign_body"))};
    const struct sigv4_signer signer = {text(credentials, "access_key_id"), secret_key, session_token,
                                        text(context, "region"), &service};
    struct parsed p;
    parse_request(name, &p);
    /* The suite's targets are not encoded: once is what the other services' rule does to them. */
    AUTO_BUF struct buf encoded = {0};
    sigv4_encode_path(&encoded, p.target);
    char hash[SIGV4_HASH_SIZE];
    sigv4_hash(p.body, strlen(p.body), hash);
    const struct sigv4_request request = {
        p.method, normalise ? p.target : buf_text(&encoded), p.query, p.n_query, p.headers, p.n_headers,
        hash};
    sign_both_ways(name, context, &signer, &request);
    free(p.file);
    json_decref(context);
}

/* Runs all cases of the suite but those whose names end in without. */
static size_t check_suite(const char *without, bool normalise)
{
    DIR *folder = opendir(suite);
    assert_non_null(folder);
    size_t n = 0;
    const struct dirent *entry;
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.' || str_ends(entry->d_name, without))
            continue;
        check_case(entry->d_name, normalise);
        n++;
    }
    closedir(folder);
    return n;
}

static void test_by_the_other_services_rule(void **state)
{
    (void)state;
    if (access(suite, R_OK) < 0)
        skip();
    assert_int_equal(check_suite("-unnormalized", true), SUITE_CASES - 7);
}

static void test_by_the_rule_of_s3(void **state)
{
    (void)state;
    if (access(suite, R_OK) < 0)
        skip();
    assert_int_equal(check_suite("-normalized", false), SUITE_CASES - 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_the_other_services_rule),
        cmocka_unit_test(test_by_the_rule_of_s3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
