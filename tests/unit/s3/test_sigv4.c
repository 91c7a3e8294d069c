#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "snapctl/base/str.h"
#include "snapctl/s3/sigv4.h"

enum { FIELDS = 32, MARCH_2024 = 1709251200 }; /* 20240301T000000Z */

static const char aws_examples[] = TEST_VECTORS "/s3-doc/s3-doc-examples.json";

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    assert_non_null(value);
    return value;
}

/* The inverse of sigv4_time. */
static int64_t seconds_of(const char *time)
{
    struct tm tm = {0};
    assert_non_null(strptime(time, "%Y%m%dT%H%M%SZ", &tm));
    return timegm(&tm);
}

static struct secret *secret_of(const char *value)
{
    return value ? secret_new(value, strlen(value)) : NULL;
}

static size_t read_fields(const json_t *pairs, struct sigv4_field *fields)
{
    size_t i;
    const json_t *pair;
    assert_true(json_array_size(pairs) < FIELDS - 1);
    json_array_foreach(pairs, i, pair)
    {
        fields[i] = (struct sigv4_field){json_string_value(json_array_get(pair, 0)),
                                         json_string_value(json_array_get(pair, 1))};
    }
    return json_array_size(pairs);
}

static void assert_steps(const json_t *expected, const struct sigv4_signed *got)
{
    assert_string_equal(buf_text(&got->canonical_request), text(expected, "canonical_request"));
    assert_string_equal(got->string_to_sign, text(expected, "string_to_sign"));
    assert_string_equal(got->signature, text(expected, "signature"));
}

/* The query that is sent is the one that was signed, with the signature behind it. */
static void assert_query_is_signed(const struct sigv4_signed *got)
{
    const char *canonical = buf_text(&got->canonical_request);
    const char *query = strchr(strchr(canonical, '\n') + 1, '\n') + 1;
    size_t len = strcspn(query, "\n");
    assert_memory_equal(buf_text(&got->query), query, len);
    AUTO_FREE char *end = str_format("&X-Amz-Signature=%s", got->signature);
    assert_string_equal(buf_text(&got->query) + len, end);
}

static void check_case(const json_t *c)
{
    print_message("    %s\n", text(c, "name"));
    AUTO_SECRET struct secret *secret_key = secret_of(text(c, "secret_key"));
    AUTO_SECRET struct secret *token = secret_of(json_string_value(json_object_get(c, "session_token")));
    bool s3 = strcmp(text(c, "service"), "s3") == 0;
    const struct sigv4_service other = {.name = text(c, "service"), .normalise_path = true};
    const struct sigv4_signer signer = {text(c, "access_key"), secret_key, token, text(c, "region"),
                                        s3 ? &sigv4_s3 : &other};
    struct sigv4_field query[FIELDS], headers[FIELDS];
    size_t n_query = read_fields(json_object_get(c, "query"), query);
    size_t n_headers = read_fields(json_object_get(c, "headers"), headers);
    headers[n_headers++] = (struct sigv4_field){"Host", text(c, "host")};

    AUTO_BUF struct buf path = {0};
    sigv4_encode_path(&path, text(c, "path"));
    assert_string_equal(buf_text(&path), text(c, "encoded_path"));
    char hash[SIGV4_HASH_SIZE], empty_hash[SIGV4_HASH_SIZE];
    sigv4_hash(text(c, "body"), strlen(text(c, "body")), hash);
    sigv4_hash(NULL, 0, empty_hash);
    struct sigv4_request request = {text(c, "method"), buf_text(&path), query, n_query,
                                    headers,           n_headers,       hash};

    int64_t now = seconds_of(text(c, "time"));
    AUTO_SECRET struct secret *key = sigv4_signing_key(&signer, text(c, "time"));
    AUTO_ERR struct sc_err err = {0};
    struct sigv4_signed got;
    assert_int_equal(sigv4_sign(&signer, key, now, &request, &got, &err), 0);
    assert_steps(json_object_get(c, "header"), &got);
    assert_string_equal(got.authorization, text(json_object_get(c, "header"), "authorization"));
    sigv4_signed_free(&got);

    request.body_hash = s3 ? SIGV4_UNSIGNED_BODY : empty_hash;
    int64_t expires = json_integer_value(json_object_get(c, "expires"));
    assert_int_equal(sigv4_presign(&signer, key, now, expires, &request, &got, &err), 0);
    assert_steps(json_object_get(c, "presigned"), &got);
    assert_query_is_signed(&got);
    sigv4_signed_free(&got);
}

static void test_signs_as_botocore_does(void **state)
{
    (void)state;
    json_t *cases = json_load_file(TEST_DATA "/s3/sigv4.json", 0, NULL);
    assert_true(json_array_size(cases) >= 15);
    size_t i;
    const json_t *c;
    json_array_foreach(cases, i, c) check_case(c);
    json_decref(cases);
}

/* AWS's examples tell the query encoded, and no case of theirs needs more than splitting it. */
static size_t split_query(char *query, struct sigv4_field *fields)
{
    size_t n = 0;
    char *rest;
    for (char *pair = strtok_r(query, "&", &rest); pair; pair = strtok_r(NULL, "&", &rest)) {
        char *value = strchr(pair, '=');
        *value++ = '\0';
        fields[n++] = (struct sigv4_field){pair, value};
    }
    return n;
}

static void check_aws_example(const json_t *doc, const json_t *c)
{
    print_message("    %s\n", text(c, "name"));
    AUTO_SECRET struct secret *secret_key = secret_of(text(doc, "secret_key"));
    const struct sigv4_signer signer = {text(doc, "access_key"), secret_key, NULL, text(doc, "region"),
                                        &sigv4_s3};
    bool presigned = strcmp(text(c, "name"), "presigned-get") == 0;
    struct sigv4_field query[FIELDS], headers[FIELDS];
    AUTO_FREE char *encoded = str_dup(presigned ? "" : text(c, "canonical_query"));
    size_t n_query = split_query(encoded, query), n_headers = 0;
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(c, "headers"), name, value)
    {
        /* These two are the signer's own to add. */
        if (strcmp(name, "x-amz-date") != 0 && strcmp(name, "x-amz-content-sha256") != 0)
            headers[n_headers++] = (struct sigv4_field){name, json_string_value(value)};
    }
    const struct sigv4_request request = {
        text(c, "method"), text(c, "canonical_uri"), query, n_query, headers,
        n_headers,         text(c, "payload_hash")};
    int64_t now = seconds_of("20130524T000000Z");
    AUTO_SECRET struct secret *key = sigv4_signing_key(&signer, "20130524T000000Z");
    AUTO_ERR struct sc_err err = {0};
    struct sigv4_signed got;
    if (presigned)
        assert_int_equal(sigv4_presign(&signer, key, now, 86400, &request, &got, &err), 0);
    else
        assert_int_equal(sigv4_sign(&signer, key, now, &request, &got, &err), 0);
    assert_steps(c, &got);
    sigv4_signed_free(&got);
}

static void test_signs_as_the_examples_of_aws(void **state)
{
    (void)state;
    if (access(aws_examples, R_OK) < 0)
        skip();
    json_t *doc = json_load_file(aws_examples, 0, NULL);
    const json_t *cases = json_object_get(doc, "cases");
    assert_int_equal(json_array_size(cases), 7);
    size_t i;
    const json_t *c;
    json_array_foreach(cases, i, c) check_aws_example(doc, c);
    json_decref(doc);
}

/* What the remaining tests sign, with one header that they change. */
static int sign_example(const char *name, const char *value, int64_t expires_s, struct sigv4_signed *out,
                        struct sc_err *err)
{
    AUTO_SECRET struct secret *secret_key = secret_of("secret");
    AUTO_SECRET struct secret *token = secret_of("token");
    const struct sigv4_signer signer = {"access", secret_key, token, "us-east-1", &sigv4_s3};
    const struct sigv4_field headers[] = {
        {"host", "127.0.0.9:9000"},
        {name,   value           }
    };
    const struct sigv4_request request = {"GET", "/b/k", NULL, 0, headers, 2, SIGV4_UNSIGNED_BODY};
    AUTO_SECRET struct secret *key = sigv4_signing_key(&signer, "20240301T000000Z");
    if (expires_s >= 0)
        return sigv4_presign(&signer, key, MARCH_2024, expires_s, &request, out, err);
    return sigv4_sign(&signer, key, MARCH_2024, &request, out, err);
}

static void test_adds_the_fields_to_send(void **state)
{
    (void)state;
    static const char *const names[] = {"x-amz-date", "x-amz-content-sha256", "x-amz-security-token",
                                        "authorization"};
    struct sigv4_signed s;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(sign_example("x-amz-acl", "private", -1, &s, &err), 0);
    assert_int_equal(s.n_fields, 4);
    for (size_t i = 0; i < s.n_fields; i++)
        assert_string_equal(s.fields[i].name, names[i]);
    assert_string_equal(s.fields[0].value, "20240301T000000Z");
    assert_string_equal(s.fields[1].value, SIGV4_UNSIGNED_BODY);
    assert_string_equal(s.fields[3].value, s.authorization);
    assert_non_null(strstr(s.authorization, "SignedHeaders=host;x-amz-acl;x-amz-content-sha256;x-amz-date;"
                                            "x-amz-security-token, Signature="));
    sigv4_signed_free(&s);
}

static void test_a_value_cannot_add_a_header(void **state)
{
    (void)state;
    struct sigv4_signed s;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(sign_example("x-amz-acl", "private\r\nx-amz-evil: 1\n", -1, &s, &err), 0);
    assert_non_null(
        strstr(buf_text(&s.canonical_request), "\nx-amz-acl:private x-amz-evil: 1\nx-amz-content"));
    sigv4_signed_free(&s);
}

static void test_refuses_what_is_too_large(void **state)
{
    (void)state;
    struct sigv4_signed s;
    AUTO_ERR struct sc_err err = {0};
    AUTO_FREE char *value = mem_calloc(SIGV4_REQUEST_MAX + 1, 1);
    memset(value, 'v', SIGV4_REQUEST_MAX);
    for (int64_t expires_s = -1; expires_s <= 1; expires_s += 2) {
        assert_int_equal(sign_example("x-amz-meta-a", value, expires_s, &s, &err), -1);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_string_equal(err.text, "the request is too large to be signed (over 131072 bytes)");
    }
    value[SIGV4_REQUEST_MAX - 1024] = '\0';
    assert_int_equal(sign_example("x-amz-meta-a", value, 1, &s, &err), 0);
    sigv4_signed_free(&s);
}

static void test_refuses_an_expiry_out_of_range(void **state)
{
    (void)state;
    struct sigv4_signed s;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(sign_example("x-amz-acl", "private", 0, &s, &err), -1);
    assert_string_equal(err.text, "a presigned request can live for 1 s to 604800 s, not 0 s");
    assert_int_equal(sign_example("x-amz-acl", "private", SIGV4_EXPIRES_MAX_S + 1, &s, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_int_equal(sign_example("x-amz-acl", "private", SIGV4_EXPIRES_MAX_S, &s, &err), 0);
    sigv4_signed_free(&s);
}

static void test_tells_the_time_in_utc(void **state)
{
    (void)state;
    static const char *const times[] = {"19700101T000000Z", "20000229T235959Z", "20240301T000000Z",
                                        "20380119T031408Z"};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char got[SIGV4_TIME_SIZE];
        sigv4_time(seconds_of(times[i]), got);
        assert_string_equal(got, times[i]);
    }
}

static void test_sorts_values_of_one_name(void **state)
{
    (void)state;
    const struct sigv4_field query[] = {
        {"b",  "1"},
        {"a",  "~"},
        {"a-", "" },
        {"a",  " "}
    };
    AUTO_BUF struct buf out = {0};
    sigv4_encode_query(&out, query, sizeof query / sizeof *query);
    assert_string_equal(buf_text(&out), "a=%20&a=~&a-=&b=1");
}

static void test_hashes_a_body(void **state)
{
    (void)state;
    char hash[SIGV4_HASH_SIZE];
    sigv4_hash("abc", 3, hash); /* FIPS 180-2, appendix B.1 */
    assert_string_equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sigv4_hash(NULL, 0, hash);
    assert_string_equal(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signs_as_botocore_does),
        cmocka_unit_test(test_signs_as_the_examples_of_aws),
        cmocka_unit_test(test_adds_the_fields_to_send),
        cmocka_unit_test(test_a_value_cannot_add_a_header),
        cmocka_unit_test(test_refuses_what_is_too_large),
        cmocka_unit_test(test_refuses_an_expiry_out_of_range),
        cmocka_unit_test(test_tells_the_time_in_utc),
        cmocka_unit_test(test_sorts_values_of_one_name),
        cmocka_unit_test(test_hashes_a_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
