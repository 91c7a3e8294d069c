#include "snapctl/snapshot/bundle.h"

#include "tar_maker.h"

#define TMP "etc/kubernetes/.tmp/"
#define CERTIFICATE "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
#define KEY "-----BEGIN RSA PRIVATE KEY-----\nSECRET\n-----END RSA PRIVATE KEY-----\n"

/* The facts, which are the caller's; NULL with err filled if it was refused. Ends and frees the tar. */
static struct bundle_facts *check_packed(const struct buf *packed, size_t piece, struct sc_err *err)
{
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    struct bundle_check *check = bundle_check_new();
    struct sink *sink = bundle_check_sink(check);
    int result = 0;
    for (size_t at = 0; at < packed->len && result == 0; at += piece)
        result = sink->write(sink, &ctx, packed->data + at,
                             packed->len - at < piece ? packed->len - at : piece, err);
    if (result == 0)
        result = sink->finish(sink, &ctx, err);
    struct bundle_facts *facts = result == 0 ? bundle_check_take_facts(check) : NULL;
    bundle_check_free(check);
    return facts;
}

static struct bundle_facts *check_tar(struct buf *tar, struct sc_err *err)
{
    tar_end(tar);
    AUTO_BUF struct buf packed = gzip_of(tar);
    return check_packed(&packed, 100, err);
}

static void assert_refused(struct buf *tar, const char *why)
{
    AUTO_ERR struct sc_err err = {0};
    struct bundle_facts *facts = check_tar(tar, &err);
    assert_null(facts);
    assert_int_equal(err.kind, ERR_CORRUPT);
    if (!strstr(err.text, why))
        fail_msg("%s, not %s", err.text, why);
    /* What a private key has in it is in no message. */
    assert_null(strstr(err.text, "SECRET"));
}

static void names_of_certificates(void **state)
{
    AUTO_BUF struct buf tar = {0};
    AUTO_ERR struct sc_err err = {0};
    (void)state;
    tar_put(&tar, TMP, '5', "");
    tar_put(&tar, TMP "kube-node.pem", '0', CERTIFICATE);
    tar_put(&tar, TMP "kube-node-key.pem", '0', KEY);
    tar_put(&tar, TMP "kubecfg-kube-admin.yaml", '0', "apiVersion: v1\n");
    tar_put(&tar, TMP "kube-ca.pem", '0', CERTIFICATE CERTIFICATE);
    tar_put(&tar, TMP "kube-ca-key.pem", '0', "-----BEGIN EC PRIVATE KEY-----\n");
    tar_put(&tar, TMP "new-key.pem", '0', "-----BEGIN PRIVATE KEY-----\r\n");
    tar_put(&tar, TMP "a.csr", '0', "-----BEGIN CERTIFICATE REQUEST-----\n");
    tar_put(&tar, "/" TMP "bad\033name.pem", '0', CERTIFICATE);
    tar_put(&tar, TMP "empty.pem", '0', "");
    tar_put(&tar, TMP "link.pem", '2', "");
    tar_end(&tar);
    AUTO_BUF struct buf packed = gzip_of(&tar);
    static const size_t pieces[] = {1, 17, 100000};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct bundle_facts *facts = check_packed(&packed, pieces[i], &err);
        if (!facts)
            fail_msg("%s", err.text);
        assert_int_equal(facts->n_certificates, 3);
        assert_string_equal(facts->certificates[0], "bad\\x1bname.pem");
        assert_string_equal(facts->certificates[1], "kube-ca.pem");
        assert_string_equal(facts->certificates[2], "kube-node.pem");
        assert_int_equal(facts->n_keys, 3);
        assert_int_equal(facts->bytes, packed.len);
        assert_int_equal(strlen(facts->sha256), 64);
        bundle_facts_free(facts);
    }
}

static void no_bundle_without_certificate_and_key(void **state)
{
    AUTO_BUF struct buf none = {0}, only_key = {0}, only_certificate = {0}, other = {0};
    (void)state;
    assert_refused(&none, "no certificate");
    tar_put(&only_key, TMP "kube-ca-key.pem", '0', KEY);
    assert_refused(&only_key, "no certificate");
    tar_put(&only_certificate, TMP "kube-ca.pem", '0', CERTIFICATE);
    assert_refused(&only_certificate, "no private key");
    /* The name alone does not make one. */
    tar_put(&other, TMP "kube-ca.pem", '0', "-----BEGIN NOTHING-----\n");
    tar_put(&other, TMP "kube-ca-key.pem", '0', KEY);
    assert_refused(&other, "no certificate");
}

/* Its restore unpacks as root. */
static void nothing_from_elsewhere(void **state)
{
    static const char *const names[] = {"etc/passwd", "etc/kubernetes/.tmp",
                                        TMP "../x",   TMP "a/../../x",
                                        "//" TMP "x", "../" TMP "x",
                                        "x\033[2J",   TMP "..",
                                        "",           "etc/kubernetes/ssl/kube-ca.pem"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        AUTO_BUF struct buf tar = {0};
        tar_put(&tar, names[i], '0', CERTIFICATE);
        assert_refused(&tar, "which is not in /etc/kubernetes/.tmp/");
    }
    AUTO_BUF struct buf dots = {0};
    AUTO_ERR struct sc_err err = {0};
    tar_put(&dots, TMP "..a", '0', CERTIFICATE);
    tar_put(&dots, TMP "a../b", '0', KEY);
    struct bundle_facts *facts = check_tar(&dots, &err);
    assert_non_null(facts);
    bundle_facts_free(facts);
}

static void no_more_than_its_limits(void **state)
{
    AUTO_BUF struct buf many = {.max = (size_t)64 << 20}, bomb = {.max = (size_t)128 << 20};
    AUTO_ERR struct sc_err err = {0};
    (void)state;
    for (int i = 0; i <= BUNDLE_ENTRIES_MAX; i++)
        tar_put(&many, TMP "x", '0', "");
    assert_refused(&many, "more than 10000 files");

    char *zeros = mem_calloc(1, BUNDLE_UNPACKED_MAX);
    tar_put_as(&bomb, "ustar  ", "", TMP "bomb", '0', zeros, BUNDLE_UNPACKED_MAX);
    free(zeros);
    assert_refused(&bomb, "more than 67108864 bytes");

    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    struct bundle_check *check = bundle_check_new();
    struct sink *sink = bundle_check_sink(check);
    char *large = mem_calloc(1, BUNDLE_BYTES_MAX + 1);
    assert_int_equal(sink->write(sink, &ctx, large, BUNDLE_BYTES_MAX + 1, &err), -1);
    assert_non_null(strstr(err.text, "larger than 16 MiB"));
    free(large);
    bundle_check_free(check);
}

static void agreeing(void **state)
{
    char a[] = "a", b[] = "b";
    char *one[] = {a, b}, *other[] = {a, a};
    const struct bundle_facts x = {.certificates = one, .n_certificates = 2},
                              y = {.certificates = other, .n_certificates = 2},
                              z = {.certificates = one, .n_certificates = 1};
    (void)state;
    assert_true(bundle_facts_agree(&x, &x));
    assert_false(bundle_facts_agree(&x, &y));
    assert_false(bundle_facts_agree(&x, &z));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_certificates),
        cmocka_unit_test(no_bundle_without_certificate_and_key),
        cmocka_unit_test(nothing_from_elsewhere),
        cmocka_unit_test(no_more_than_its_limits),
        cmocka_unit_test(agreeing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
