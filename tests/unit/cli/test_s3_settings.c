#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "snapctl/cli/s3_settings.h"

static char file_bucket[] = "file-bucket", file_endpoint[] = "s3.example.org", file_key[] = "FILEKEY",
            bad_bucket[] = "no/bucket";

/* A self-signed certificate, only to be recognised as one. */
static const char pem[] = "-----BEGIN CERTIFICATE-----\n"
                          "MIIBdzCCAR2gAwIBAgIUEJE6h5ZpTtAsrOwLX2qkqbZv5TowCgYIKoZIzj0EAwIw\n"
                          "-----END CERTIFICATE-----\n";

static int make(const struct options *options, const struct cluster *cluster, struct s3_settings *out,
                struct sc_err *err)
{
    err_clear(err);
    return s3_settings_make(options, cluster, false, NULL, out, err);
}

static void what_turns_it_on(void **state)
{
    (void)state;
    static const struct {
        enum option_switch s3;
        bool no_s3, in_file;
        int result;
        bool wanted;
    } rows[] = {
        {SWITCH_NOT_GIVEN, false, false, 0,  false},
        {SWITCH_NOT_GIVEN, false, true,  0,  true },
        {SWITCH_NOT_GIVEN, true,  true,  0,  false},
        {SWITCH_OFF,       false, true,  0,  false},
        {SWITCH_OFF,       true,  true,  0,  false},
        {SWITCH_ON,        false, false, 0,  true },
        {SWITCH_ON,        false, true,  0,  true },
        {SWITCH_ON,        true,  false, -1, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct options options = {.s3 = rows[i].s3, .no_s3 = rows[i].no_s3, .bucket_name = "bucket"};
        struct cluster cluster = {.s3.present = rows[i].in_file};
        struct s3_settings s3;
        struct sc_err err = {0};
        assert_int_equal(make(&options, &cluster, &s3, &err), rows[i].result);
        if (rows[i].result == 0)
            assert_int_equal(s3.wanted, rows[i].wanted);
        else
            assert_string_equal(err.text, "--s3 and --no-s3 contradict each other");
        err_clear(&err);
    }
}

/* RKE throws the file's settings away with --s3; here each option overrides its one field. */
static void file_is_the_base(void **state)
{
    (void)state;
    struct secret *secret = secret_new("file-secret", 11);
    struct cluster cluster = {
        .s3 = {.present = true,
               .bucket_name = file_bucket,
               .endpoint = file_endpoint,
               .access_key = file_key,
               .secret_key = secret}
    };
    struct options options = {.s3 = SWITCH_ON, .bucket_name = "mine"};
    struct s3_settings s3;
    struct sc_err err = {0};
    assert_int_equal(make(&options, &cluster, &s3, &err), 0);
    assert_string_equal(s3.bucket_name, "mine");
    assert_string_equal(s3.endpoint, "s3.example.org");
    assert_string_equal(s3.access_key, "FILEKEY");
    assert_ptr_equal(s3.secret_key, secret);
    assert_null(s3.folder);
    cluster.s3 = (struct cluster_s3){0};
    assert_int_equal(make(&options, &cluster, &s3, &err), 0);
    assert_string_equal(s3.endpoint, "s3.amazonaws.com");
    secret_free(secret);
}

static void bucket_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *endpoint;
        bool good;
    } rows[] = {
        {"abc",                                                              NULL,            true },
        {"a.b-c.9",                                                          NULL,            true },
        {"ab",                                                               NULL,            false},
        {"Abc",                                                              NULL,            false},
        {"a_bc",                                                             NULL,            false},
        {"-abc",                                                             NULL,            false},
        {"abc-",                                                             NULL,            false},
        {"a..b",                                                             NULL,            false},
        {"192.168.5.4",                                                      NULL,            false},
        {"a/b/c",                                                            NULL,            false},
        {"Abc_d",                                                            "ceph.lan:7480", true },
        {"a/bc",                                                             "ceph.lan:7480", false},
        {"a bc",                                                             "ceph.lan:7480", false},
        {"a123456789012345678901234567890123456789012345678901234567890123", NULL,            false},
        {"a12345678901234567890123456789012345678901234567890123456789012",  NULL,            true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct options options = {.bucket_name = rows[i].name, .s3_endpoint = rows[i].endpoint};
        struct cluster cluster = {0};
        struct s3_settings s3;
        struct sc_err err = {0};
        int result = make(&options, &cluster, &s3, &err);
        if (result != (rows[i].good ? 0 : -1))
            fail_msg("%s", rows[i].name);
        if (!rows[i].good) {
            assert_int_equal(err.kind, ERR_USAGE);
            assert_non_null(strstr(err.text, "--bucket-name: "));
            assert_non_null(err.hint);
        }
        err_clear(&err);
    }
}

static void endpoints(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint;
        bool good;
    } rows[] = {
        {"s3.amazonaws.com",         true },
        {"s3.example.org:9000",      true },
        {"https://s3.example.org",   true },
        {"HTTPS://s3.example.org/",  true },
        {"http://s3.example.org:80", true },
        {"10.0.0.9:7480",            true },
        {"[fd00::1]:443",            true },
        {"[fd00::1]",                true },
        {"fd00::1",                  false},
        {"[]:443",                   false},
        {"[fd00::1",                 false},
        {"s3.example.org:0",         false},
        {"s3.example.org:65536",     false},
        {"s3.example.org:http",      false},
        {"s3.example.org:",          false},
        {"s3.example.org/bucket",    false},
        {"https://",                 false},
        {"user@s3.example.org",      false},
        {"https://k:hunter2@s3.org", false},
        {"k:a/hunter2@s3.org",       false},
        {"ftp://s3.example.org",     false},
        {"s3 example",               false},
        {"-s3.example.org",          false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct options options = {.s3_endpoint = rows[i].endpoint};
        struct cluster cluster = {0};
        struct s3_settings s3;
        struct sc_err err = {0};
        if (make(&options, &cluster, &s3, &err) != (rows[i].good ? 0 : -1))
            fail_msg("%s", rows[i].endpoint);
        assert_null(err.text ? strstr(err.text, "hunter2") : NULL);
        err_clear(&err);
    }
}

static void assert_refused(const struct options *options, const struct cluster *cluster, enum err_kind kind,
                           const char *text)
{
    struct s3_settings s3;
    struct sc_err err = {0};
    assert_int_equal(make(options, cluster, &s3, &err), -1);
    assert_int_equal(err.kind, kind);
    assert_string_equal(err.text, text);
    err_clear(&err);
}

static void keys_come_in_pairs(void **state)
{
    (void)state;
    struct cluster none =
                       {
                           0
    },
                   file = {.s3 = {.present = true, .bucket_name = file_bucket, .access_key = file_key}};
    struct options access = {.s3 = SWITCH_ON, .bucket_name = "abc", .access_key = "KEY"};
    struct options secret = {.s3 = SWITCH_ON, .bucket_name = "abc", .secret_key = secret_new("s", 1)};
    struct options neither = {.s3 = SWITCH_ON, .bucket_name = "abc"}, nothing = {0};
    struct s3_settings s3;
    struct sc_err err = {0};
    assert_refused(&access, &none, ERR_USAGE, "the S3 access key is given without the secret key");
    assert_refused(&secret, &none, ERR_USAGE, "the S3 secret key is given without the access key");
    assert_refused(&nothing, &file, ERR_USAGE, "the S3 access key is given without the secret key");
    assert_int_equal(make(&secret, &file, &s3, &err), 0);
    assert_int_equal(make(&neither, &none, &s3, &err), 0);
    options_clear(&secret);
}

static void who_is_blamed(void **state)
{
    (void)state;
    struct cluster file =
                       {
                           .s3 = {.present = true, .bucket_name = bad_bucket}
    },
                   none = {0};
    struct options nothing = {0}, off = {.no_s3 = true}, on = {.s3 = SWITCH_ON};
    struct options region = {.region = "eu central"}, folder = {.folder = "a\nb"};
    struct s3_settings s3;
    struct sc_err err = {0};
    assert_refused(
        &nothing, &file, ERR_CONFIG,
        "services.etcd.backup_config.s3backupconfig.bucket_name: \"no/bucket\" cannot be the name of a "
        "bucket");
    assert_refused(&on, &none, ERR_USAGE, "no bucket is named for S3");
    assert_refused(&region, &none, ERR_USAGE, "--region: \"eu central\" cannot be a region");
    assert_refused(&folder, &none, ERR_USAGE, "--folder: \"a\nb\" has control characters or is not UTF-8");
    /* Nobody asked for the file's upload: its faults are nobody's business. */
    assert_int_equal(make(&off, &file, &s3, &err), 0);
}

static void certificates(void **state)
{
    (void)state;
    char path[] = "/tmp/snapctl-test-ca.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct options options = {.s3_endpoint_ca = path};
    struct cluster none = {0};
    char text[128];
    snprintf(text, sizeof text, "--s3-endpoint-ca: %s: it holds no certificate in PEM form", path);
    assert_refused(&options, &none, ERR_USAGE, text);
    /* Broken inside. */
    assert_int_equal(write(fd, pem, strlen(pem)), (ssize_t)strlen(pem));
    assert_refused(&options, &none, ERR_USAGE, text);
    options.s3_endpoint_ca = "/nonexistent/ca.pem";
    assert_refused(&options, &none, ERR_USAGE,
                   "--s3-endpoint-ca: cannot read /nonexistent/ca.pem: No such file or directory");
    struct s3_settings s3;
    struct sc_err err = {0};
    options.s3_endpoint_ca = TEST_DATA "/cli/ca.pem";
    assert_int_equal(make(&options, &none, &s3, &err), 0);
    close(fd);
    unlink(path);
}

static void count_line(void *arg, enum log_level level, const char *who, const char *line)
{
    (void)who;
    assert_int_equal(level, LOG_WARN);
    snprintf(arg, 256, "%s", line);
}

static void warns(void **state)
{
    (void)state;
    char line[256] = "";
    struct log *log = log_new(LOG_WARN, count_line, line);
    struct options options = {.bucket_name = "abc", .region = "eu-central-1"};
    struct cluster none = {0};
    struct s3_settings s3;
    struct sc_err err = {0};
    assert_int_equal(s3_settings_make(&options, &none, false, log, &s3, &err), 0);
    assert_string_equal(line, "without --s3 nothing is done in S3: no effect of --bucket-name, --region");
    *line = '\0';
    options.no_s3 = true;
    assert_int_equal(s3_settings_make(&options, &none, false, log, &s3, &err), 0);
    assert_string_equal(line, "");
    options.no_s3 = false;
    options.s3 = SWITCH_ON;
    options.s3_endpoint = "http://s3.example.org";
    assert_int_equal(s3_settings_make(&options, &none, false, log, &s3, &err), 0);
    assert_string_equal(
        line,
        "without --s3-plain-http S3 is spoken to with TLS: the http:// of http://s3.example.org is ignored");
    log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_turns_it_on),   cmocka_unit_test(file_is_the_base),
        cmocka_unit_test(bucket_names),       cmocka_unit_test(endpoints),
        cmocka_unit_test(keys_come_in_pairs), cmocka_unit_test(who_is_blamed),
        cmocka_unit_test(certificates),       cmocka_unit_test(warns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
