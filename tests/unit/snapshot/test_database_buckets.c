#include "database_maker.h"

#include "../../../src/snapshot/database_buckets.h"

static unsigned char *find(struct maker *m, const char *text)
{
    unsigned char *at = memmem(m->data, m->len, text, strlen(text));
    assert_non_null(at);
    return at;
}

static void test_facts_of_a_hand_made_database(void **state)
{
    struct maker m;
    AUTO_DATABASE_FACTS struct database_facts facts;
    AUTO_ERR struct sc_err err = {0};
    (void)state;
    maker_make(&m);
    assert_int_equal(maker_check_bytes(m.data, m.len, &facts, &err), 0);
    assert_int_equal(facts.total_bytes, MAKER_BYTES);
    assert_int_equal(facts.page_bytes, MAKER_PAGE);
    assert_int_equal(facts.leases, 1);
    assert_true(facts.auth_enabled);
    assert_int_equal(facts.n_members, 1);
    assert_int_equal(facts.members[0].id, 15);
    assert_string_equal(facts.members[0].name, "one");
    database_facts_clear(&facts);
    assert_null(facts.members);

    find(&m, "authEnabled")[strlen("authEnabled")] = 0;
    assert_int_equal(maker_check_bytes(m.data, m.len, &facts, &err), 0);
    assert_false(facts.auth_enabled);
    assert_int_not_equal(facts.hash, MAKER_HASH);
}

static void test_every_byte_of_keys_and_values_counts(void **state)
{
    static const char *const places[] = {"auth", "zoo", "bee", "consistent", "name\":\"one"};
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct maker m;
        AUTO_DATABASE_FACTS struct database_facts facts;
        AUTO_ERR struct sc_err err = {0};
        maker_make(&m);
        find(&m, places[i])[strlen(places[i]) - 1]++;
        if (maker_check_bytes(m.data, m.len, &facts, &err) < 0)
            fail_msg("%s: %s", places[i], err.text);
        assert_int_not_equal(facts.hash, MAKER_HASH);
        assert_int_equal(facts.total_keys, MAKER_KEYS);
    }
}

static void test_buckets_that_etcd_cannot_do_without(void **state)
{
    struct maker m;
    (void)state;
    maker_make(&m);
    find(&m, "meta")[3] = 'b';
    maker_expect_bad(&m, "not a database of etcd: it has no bucket \"meta\"");
    maker_make(&m);
    /* The root has "key" between "auth" and "lease". */
    memcpy(m.data + MAKER_ROOT * MAKER_PAGE + 16 + 6 * 16 + 4 + 60, "kez", 3);
    maker_expect_bad(&m, "not a database of etcd: it has no bucket \"key\"");
}

static void test_entries_that_etcd_cannot_read(void **state)
{
    struct maker m;
    (void)state;
    maker_make(&m);
    maker_set(&m, MAKER_LEAF_1, 48 + 8, '-', 1);
    maker_set(&m, MAKER_KEY, 48 + 8, '-', 1);
    maker_expect_bad(&m, "page 4: a key of 17 bytes in the bucket \"key\" is not a revision");
    maker_make(&m);
    find(&m, "peerURLs")[0] = 'P';
    maker_expect_bad(&m, "page 2: the bucket \"members\" must have JSON with id, name and peerURLs under f");
}

static void test_members_have_an_end(void **state)
{
    static const char data[] = "members1{\"id\":1,\"peerURLs\":[\"a\"]}";
    const unsigned char *name = (const unsigned char *)data;
    const struct database_element bucket = {.key = name, .key_len = 7, .bucket = true};
    const struct database_element member = {
        .key = name + 7, .key_len = 1, .value = name + 8, .value_len = sizeof data - 9};
    AUTO_DATABASE_FACTS struct database_facts facts = {0};
    AUTO_ERR struct sc_err err = {0};
    struct database_buckets buckets;
    (void)state;
    database_buckets_init(&buckets, &facts);
    const struct database_visitor visitor = database_buckets_visitor(&buckets);
    assert_int_equal(visitor.bucket(visitor.arg, &bucket, &err), 0);
    for (size_t i = 0; i < 1024; i++)
        assert_int_equal(visitor.entry(visitor.arg, &member, &err), 0);
    assert_int_equal(visitor.entry(visitor.arg, &member, &err), -1);
    assert_string_equal(err.text, "the bucket \"members\" has more than 1024 members");
    assert_int_equal(facts.n_members, 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts_of_a_hand_made_database),
        cmocka_unit_test(test_every_byte_of_keys_and_values_counts),
        cmocka_unit_test(test_buckets_that_etcd_cannot_do_without),
        cmocka_unit_test(test_entries_that_etcd_cannot_read),
        cmocka_unit_test(test_members_have_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
