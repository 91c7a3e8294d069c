/* What `check` tells of an upload and its options, against the S3 of fake_s3.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../../src/core/check_upload.h"
#include "../s3/fake_s3.h"

#define DENY(header) "method=POST&query=uploads&count=9&do=error:403:AccessDenied&header=" header
#define TAGS "x-amz-tagging"
#define LOCK "x-amz-object-lock-mode"
#define SSE "x-amz-server-side-encryption"

#define BOTH "s3:PutObject ok,s3:AbortMultipartUpload ok,"
#define LATER "s3:AbortMultipartUpload ok,s3:PutObject ok," /* where it was found out with fewer options */

static const struct sigv4_field tag = {"team", "etcd"};

static const struct s3_write none = {.key = "x"};
static const struct s3_write tagged = {.key = "x", .tags = &tag, .n_tags = 1};
static const struct s3_write locked = {.key = "x", .lock_mode = "GOVERNANCE", .lock_days = 1};
static const struct s3_write all = {.key = "x",
                                    .sse = "aws:kms",
                                    .kms_key = "k",
                                    .checksum_sha256 = true,
                                    .lock_mode = "GOVERNANCE",
                                    .lock_days = 1,
                                    .tags = &tag,
                                    .n_tags = 1};

/* "CHECK VERDICT,", one after the other. The caller frees it. */
static char *summary(const struct findings *findings)
{
    struct buf text = {0};
    for (size_t i = 0; i < findings->n; i++)
        buf_printf(&text, "%s %s,", findings->items[i].check,
                   finding_verdict_name(findings->items[i].verdict));
    return buf_take(&text);
}

struct tried {
    int result;
    struct findings findings;
};

static struct tried try_write(struct fake *f, const struct s3_write *write, struct sc_err *err)
{
    struct s3_client *client = client_with(f, "bucket", keys("AKID", "secret+key/1", NULL), NULL, 1);
    const struct ctx ctx = fake_ctx(f);
    struct tried tried = {0};
    tried.result = check_upload(client, &ctx, NULL, write, &tried.findings, err);
    s3_client_free(client);
    return tried;
}

static void each_option_has_its_finding(void **state)
{
    struct fake *f = *state;
    static const struct {
        const char *name;
        const struct s3_write *write;
        const char *locking, *rules[2], *wanted;
    } cases[] = {
        {"nothing asked",           &none,   "no",  {NULL},                                                                         BOTH                                                        },
        {"all well",                &all,    "yes", {NULL},                                                                         BOTH "s3-sse ok,s3-checksum ok,s3-object-lock ok,s3-tag ok,"},
        {"tags alone",              &tagged, "yes", {DENY(TAGS)},                                                                   LATER "s3-tag failed,"                                      },
        {"lock alone",              &locked, "yes", {DENY(LOCK)},                                                                   LATER "s3-object-lock failed,"                              },
        {"no lock in the bucket",   &locked, "no",  {NULL},                                                                         BOTH "s3-object-lock failed,"                               },
        {"locking cannot be asked",
         &locked,
         "no",                                      {"method=GET&query=object-lock&count=9&do=error:403:AccessDenied"},
         BOTH "s3-object-lock ok,"                                                                                                                                                              },
        {"tags of all",
         &all,
         "yes",                                     {DENY(TAGS)},
         LATER "s3-sse ok,s3-checksum ok,s3-object-lock ok,s3-tag failed,"                                                                                                                      },
        {"key of all",
         &all,
         "yes",                                     {DENY(SSE)},
         LATER "s3-sse failed,s3-checksum ok,s3-object-lock ok,s3-tag ok,"                                                                                                                      },
        {"two of all",
         &all,
         "yes",                                     {DENY(TAGS), DENY(SSE)},
         "s3:AbortMultipartUpload ok,s3-sse failed,s3-checksum ok,s3-object-lock ok,s3-tag failed,"
         "s3:PutObject ok,"                                                                                                                                                                     },
        {"no abort",
         &all,
         "yes",                                     {DENY(TAGS), "method=DELETE&query=uploadId&count=9&do=error:403:AccessDenied"},
         "s3:AbortMultipartUpload failed,s3:PutObject ok,s3-sse ok,s3-checksum ok,s3-object-lock ok,"
         "s3-tag failed,"                                                                                                                                                                       },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ERR struct sc_err err = {0};
        AUTO_FREE char *set = str_format("set?locking=%s", cases[i].locking);
        fake_reset(state);
        free(fake_tell(f, set));
        for (size_t k = 0; k < 2 && cases[i].rules[k]; k++)
            fake_rule(f, cases[i].rules[k]);
        struct tried tried = try_write(f, cases[i].write, &err);
        AUTO_FREE char *found = summary(&tried.findings);
        if (tried.result != 0 || strcmp(found, cases[i].wanted) != 0)
            fail_msg("%s: %d, %s", cases[i].name, tried.result, found);
        assert_state_lacks(f, "object x");
        for (size_t k = 0; k < tried.findings.n; k++)
            assert_true(tried.findings.items[k].verdict == FINDING_OK || tried.findings.items[k].remedy);
        findings_free(&tried.findings);
    }
}

static void the_remedy_is_of_the_option(void **state)
{
    struct fake *f = *state;
    static const struct {
        const char *header, *check, *remedy;
    } cases[] = {
        {TAGS, "s3-tag",         "s3:PutObjectTagging"  },
        {LOCK, "s3-object-lock", "s3:PutObjectRetention"},
        {SSE,  "s3-sse",         "kms:GenerateDataKey"  },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ERR struct sc_err err = {0};
        AUTO_FREE char *rule = str_format(DENY("%s"), cases[i].header);
        bool found = false;
        fake_reset(state);
        fake_rule(f, rule);
        struct tried tried = try_write(f, &all, &err);
        for (size_t k = 0; k < tried.findings.n; k++) {
            const struct finding *finding = &tried.findings.items[k];
            found |= strcmp(finding->check, cases[i].check) == 0 && finding->verdict == FINDING_FAILED &&
                     strstr(finding->remedy, cases[i].remedy);
        }
        assert_true(found);
        findings_free(&tried.findings);
    }
}

static void options_are_not_blamed_for_the_upload_itself(void **state)
{
    struct fake *f = *state;
    AUTO_ERR struct sc_err err = {0};
    fake_rule(f, "method=POST&query=uploads&count=99&do=error:403:AccessDenied");
    struct tried tried = try_write(f, &all, &err);
    AUTO_FREE char *found = summary(&tried.findings);
    assert_int_equal(tried.result, -1);
    assert_int_equal(err.kind, ERR_AUTH);
    assert_string_equal(found, "s3-sse warning,s3-checksum warning,s3-object-lock warning,s3-tag warning,");
    findings_free(&tried.findings);
}

static void nor_for_an_outage(void **state)
{
    struct fake *f = *state;
    AUTO_ERR struct sc_err err = {0};
    fake_rule(f, "method=POST&query=uploads&count=1&do=error:403:AccessDenied");
    fake_rule(f, "method=POST&query=uploads&count=999&do=error:503:SlowDown");
    struct tried tried = try_write(f, &all, &err);
    assert_int_equal(tried.result, -1);
    assert_int_equal(err.kind, ERR_STORE);
    assert_int_equal(tried.findings.n, 0);
    findings_free(&tried.findings);
}

static void options_that_do_not_go_together(void **state)
{
    struct fake *f = *state;
    AUTO_ERR struct sc_err err = {0};
    /* All, and each but one; then nothing more is refused. */
    fake_rule(f, "method=POST&query=uploads&count=5&do=error:400:InvalidRequest");
    struct tried tried = try_write(f, &all, &err);
    AUTO_FREE char *found = summary(&tried.findings);
    assert_int_equal(tried.result, -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_string_equal(found,
                        "s3:AbortMultipartUpload ok,s3-sse ok,s3-checksum ok,s3-object-lock ok,s3-tag ok,");
    assert_state_lacks(f, "upload x");
    findings_free(&tried.findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_option_has_its_finding, fake_reset),
        cmocka_unit_test_setup(the_remedy_is_of_the_option, fake_reset),
        cmocka_unit_test_setup(options_are_not_blamed_for_the_upload_itself, fake_reset),
        cmocka_unit_test_setup(nor_for_an_outage, fake_reset),
        cmocka_unit_test_setup(options_that_do_not_go_together, fake_reset),
    };
    signal(SIGPIPE, SIG_IGN);
    http_init();
    int failed = cmocka_run_group_tests(tests, fake_start, fake_stop);
    http_exit();
    return failed;
}
