#include "snapctl/snapshot/plain.h"

#include "database_maker.h"

/* Collects what is copied. */
struct copy {
    struct sink sink;
    struct buf to;
};

static int copy_write(struct sink *self, const struct ctx *ctx, const void *data, size_t len,
                      struct sc_err *err)
{
    (void)ctx;
    (void)err;
    buf_append(&((struct copy *)self)->to, data, len);
    return 0;
}

static int check(const struct maker *m, size_t len, size_t piece, struct archive_facts *facts,
                 struct sc_err *err)
{
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    struct copy copy = {.sink.write = copy_write};
    struct plain_check *plain = plain_check_new();
    struct sink *sink = plain_check_sink(plain);
    int result = 0;
    plain_check_copy(plain, &copy.sink);
    for (size_t at = 0; at < len && result == 0; at += piece)
        result = sink->write(sink, &ctx, m->data + at, len - at < piece ? len - at : piece, err);
    if (result == 0)
        result = sink->finish(sink, &ctx, err);
    if (result == 0) {
        assert_int_equal(copy.to.len, len);
        assert_memory_equal(copy.to.data, m->data, len);
        *facts = *plain_check_facts(plain);
    }
    buf_free(&copy.to);
    plain_check_free(plain);
    return result;
}

static void hex_of(const void *data, size_t len, char hex[SHA256_HEX])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(data, len, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static void good_in_pieces(void **state)
{
    static const size_t pieces[] = {1, 31, 513, 100000};
    static struct maker m;
    char file[SHA256_HEX], database[SHA256_HEX];
    (void)state;
    maker_make(&m);
    maker_sign(&m);
    hex_of(m.data, m.len, file);
    hex_of(m.data, MAKER_BYTES, database);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        AUTO_ERR struct sc_err err = {0};
        struct archive_facts facts;
        assert_int_equal(check(&m, m.len, pieces[i], &facts, &err), 0);
        assert_int_equal(facts.bytes, m.len);
        assert_int_equal(facts.etcd_bytes, m.len);
        assert_string_equal(facts.sha256, file);
        assert_string_equal(facts.etcd_sha256, database);
        assert_false(facts.state_file);
    }
}

static void what_is_damaged(void **state)
{
    static struct maker m;
    struct archive_facts facts;
    AUTO_ERR struct sc_err err = {0};
    (void)state;
    maker_make(&m);
    maker_sign(&m);
    m.data[3000] ^= 1;
    assert_int_equal(check(&m, m.len, 1000, &facts, &err), -1);
    assert_int_equal(err.kind, ERR_CORRUPT);
    assert_non_null(strstr(err.text, "SHA-256 must be"));
    m.data[3000] ^= 1;
    /* As copied from a member's folder: nothing behind it proves it. */
    assert_int_equal(check(&m, MAKER_BYTES, 1000, &facts, &err), -1);
    assert_int_equal(check(&m, m.len - 1, 1000, &facts, &err), -1);
    assert_int_equal(check(&m, 0, 1000, &facts, &err), -1);
    m.data[16] ^= 1;
    assert_int_equal(check(&m, m.len, 1000, &facts, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_in_pieces),
        cmocka_unit_test(what_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
