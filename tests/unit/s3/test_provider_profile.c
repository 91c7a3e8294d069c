#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain.h"

/* A home with the two files, either of which may be missing (NULL). */
struct home {
    char path[32];
    char *aws, *credentials, *config;
};

static void write_file(const char *path, const char *text)
{
    FILE *f = text ? fopen(path, "we") : NULL;
    if (!f)
        return;
    fputs(text, f);
    fclose(f);
}

static void home_make(struct home *h, struct chain *c, const char *credentials, const char *config)
{
    strcpy(h->path, "/tmp/snapctl-test-XXXXXX");
    assert_non_null(mkdtemp(h->path));
    h->aws = str_format("%s/.aws", h->path);
    h->credentials = str_format("%s/credentials", h->aws);
    h->config = str_format("%s/config", h->aws);
    assert_int_equal(mkdir(h->aws, 0700), 0);
    write_file(h->credentials, credentials);
    write_file(h->config, config);
    chain_init(c);
    c->setup.home = h->path;
    chain_env(c, "AWS_EC2_METADATA_DISABLED", "true");
}

static void home_remove(struct home *h, struct chain *c)
{
    chain_free(c);
    unlink(h->credentials);
    unlink(h->config);
    rmdir(h->aws);
    rmdir(h->path);
    free(h->aws);
    free(h->credentials);
    free(h->config);
}

static const char keys[] = "aws_access_key_id = AKIAFILE\naws_secret_access_key = hush-file\n";

static void test_finds_the_default_profile(void **state)
{
    (void)state;
    struct home h;
    struct chain c;
    AUTO_FREE char *text = str_format("[default]\n%saws_session_token = hush-token\n", keys);
    home_make(&h, &c, text, "[default]\nregion = eu-west-2\n");
    assert_found(&c, CREDENTIALS_PROFILE, "AKIAFILE", "hush-file", "hush-token");
    assert_string_equal(c.found.region, "eu-west-2");
    home_remove(&h, &c);
}

static void test_credentials_come_before_config(void **state)
{
    (void)state;
    struct home h;
    struct chain c;
    AUTO_FREE char *text = str_format("[x]\n%s", keys);
    home_make(&h, &c, text,
              "[profile x]\naws_access_key_id=AKIACONF\naws_secret_access_key=hush-conf\n[profile y]\n"
              "aws_access_key_id=AKIACONF\naws_secret_access_key=hush-conf\nregion=us-west-2\n");
    chain_env(&c, "AWS_PROFILE", "x");
    assert_found(&c, CREDENTIALS_PROFILE, "AKIAFILE", "hush-file", NULL);
    assert_null(c.found.region);
    credentials_free(&c.found);
    c.values[c.n - 1] = "y";
    assert_found(&c, CREDENTIALS_PROFILE, "AKIACONF", "hush-conf", NULL);
    assert_string_equal(c.found.region, "us-west-2");
    home_remove(&h, &c);
}

static void test_variables_name_the_files(void **state)
{
    (void)state;
    struct home h;
    struct chain c;
    AUTO_FREE char *text = str_format("[default]\n%s", keys);
    home_make(&h, &c, text, "[default]\nregion = eu-west-2\n");
    c.setup.home = h.aws;
    chain_env(&c, "AWS_SHARED_CREDENTIALS_FILE", "~/credentials");
    chain_env(&c, "AWS_CONFIG_FILE", h.config);
    assert_found(&c, CREDENTIALS_PROFILE, "AKIAFILE", "hush-file", NULL);
    assert_string_equal(c.found.region, "eu-west-2");
    home_remove(&h, &c);
}

static void test_one_key_alone_names_the_missing_one(void **state)
{
    (void)state;
    struct home h;
    struct chain c;
    home_make(&h, &c, "[default]\naws_access_key_id = AKIAFILE\n",
              "[default]\naws_secret_access_key = hush\n");
    AUTO_FREE char *text = str_format("credentials for S3: profile default in %s: aws_access_key_id without "
                                      "aws_secret_access_key: both are needed",
                                      h.credentials);
    assert_fails(&c, ERR_CONFIG, text);
    home_remove(&h, &c);
}

static void test_says_what_is_not_supported(void **state)
{
    (void)state;
    static const struct {
        const char *line, *answer;
    } cases[] = {
        {"role_arn = arn:aws:iam::1:role/x\nsource_profile = y\n",
         "role_arn: assuming another role is not supported"                                                           },
        {"credential_process = /bin/false\n",                      "credential_process: programs are not run for keys"},
        {"sso_session = corp\n",                                   "sso_session: single sign-on is not supported"     },
        {"sso_start_url = https://127.0.0.1\n",                    "sso_start_url: single sign-on is not supported"   },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct home h;
        struct chain c;
        /* Keys beside it are not the ones that it asks for. */
        AUTO_FREE char *credentials = str_format("[x]\n%s", keys);
        AUTO_FREE char *config = str_format("[profile x]\n%s", cases[i].line);
        home_make(&h, &c, credentials, config);
        chain_env(&c, "AWS_PROFILE", "x");
        AUTO_FREE char *answer =
            str_format("AWS's shared files: profile x in %s has %s\n", h.config, cases[i].answer);
        assert_none(&c, answer);
        assert_non_null(strstr(buf_text(&c.lines), "it is passed over\n"));
        home_remove(&h, &c);
    }
}

static void test_a_named_profile_must_exist(void **state)
{
    (void)state;
    struct home h;
    struct chain c;
    home_make(&h, &c, "[default]\n", NULL);
    AUTO_FREE char *none =
        str_format("profile default has no keys (looked in %s and %s)", h.credentials, h.config);
    assert_none(&c, none);
    chain_env(&c, "AWS_PROFILE", "gone");
    AUTO_FREE char *text =
        str_format("credentials for S3: profile gone of AWS_PROFILE is not in %s and not in %s",
                   h.credentials, h.config);
    assert_fails(&c, ERR_CONFIG, text);
    home_remove(&h, &c);
}

static void test_a_file_that_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    struct home h;
    struct chain c;
    home_make(&h, &c, NULL, NULL);
    chain_env(&c, "AWS_CONFIG_FILE", h.aws);
    AUTO_FREE char *text = str_format("credentials for S3: cannot read %s: it is a folder", h.aws);
    assert_fails(&c, ERR_CONFIG, text);
    home_remove(&h, &c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_the_default_profile),
        cmocka_unit_test(test_credentials_come_before_config),
        cmocka_unit_test(test_variables_name_the_files),
        cmocka_unit_test(test_one_key_alone_names_the_missing_one),
        cmocka_unit_test(test_says_what_is_not_supported),
        cmocka_unit_test(test_a_named_profile_must_exist),
        cmocka_unit_test(test_a_file_that_cannot_be_read_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
