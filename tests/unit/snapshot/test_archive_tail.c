#include "archive_maker.h"

#define SNAPSHOT "/backup/snap"
#define STATE "/etc/kubernetes/snap.rkestate"

enum { PAGES = 4, TAIL = 600 };

struct sample {
    struct buf snapshot;
    struct maker m;
};

static void sample_make(struct sample *s, unsigned form, bool zip64)
{
    *s = (struct sample){0};
    maker_snapshot(&s->snapshot, PAGES);
    const struct maker_entry entries[] = {
        {SNAPSHOT, s->snapshot.data, s->snapshot.len, form},
        {STATE,    "{}",             2,               form},
    };
    maker_make(&s->m, entries, 2, zip64);
}

static void sample_free(struct sample *s)
{
    buf_free(&s->snapshot);
    buf_free(&s->m.zip);
}

/* The last len bytes, in memory of their own. */
static int check(const struct sample *s, const char *name, bool want_state, size_t len,
                 struct archive_facts *facts, struct sc_err *err)
{
    AUTO_FREE char *tail = mem_calloc(len, 1);
    memcpy(tail, s->m.zip.data + s->m.zip.len - len, len);
    return archive_check_tail(name, want_state, tail, len, s->m.zip.len, facts, err);
}

static void expect_bad(const struct sample *s, size_t len, const char *text)
{
    struct archive_facts facts;
    AUTO_ERR struct sc_err err = {0};
    if (check(s, "snap", true, len, &facts, &err) == 0)
        fail_msg("accepted; expected: %s", text);
    assert_int_equal(err.kind, ERR_CORRUPT);
    if (!strstr(err.text, text))
        fail_msg("\"%s\" does not tell \"%s\"", err.text, text);
}

static void test_reads_the_directory_at_the_end(void **state)
{
    static const unsigned forms[] = {MAKER_GO, MAKER_GO | MAKER_CENTRAL64 | MAKER_WIDE, MAKER_STORED,
                                     MAKER_LOCAL64};
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        for (int zip64 = 0; zip64 <= 1; zip64++) {
            struct sample s;
            sample_make(&s, forms[i], zip64);
            const size_t lens[] = {s.m.zip.len, TAIL, s.m.zip.len - s.m.central[0]};
            for (size_t l = 0; l < sizeof lens / sizeof *lens; l++) {
                struct archive_facts facts;
                AUTO_ERR struct sc_err err = {0};
                if (check(&s, "snap", true, lens[l], &facts, &err) < 0)
                    fail_msg("form %u, %zu bytes: %s", forms[i], lens[l], err.text);
                assert_int_equal(facts.bytes, s.m.zip.len);
                assert_int_equal(facts.etcd_bytes, s.snapshot.len);
                assert_true(facts.state_file);
                assert_string_equal(facts.sha256, "");
                assert_string_equal(facts.etcd_sha256, "");
            }
            sample_free(&s);
        }
}

static void test_names_what_is_missing_or_wrong(void **state)
{
    (void)state;
    struct sample s;
    struct archive_facts facts;
    AUTO_ERR struct sc_err err = {0};
    sample_make(&s, MAKER_GO, false);
    assert_int_equal(check(&s, "other", false, TAIL, &facts, &err), -1);
    assert_non_null(strstr(err.text, "found " SNAPSHOT));
    buf_free(&s.m.zip);

    const struct maker_entry alone = {SNAPSHOT, s.snapshot.data, s.snapshot.len, MAKER_GO};
    maker_make(&s.m, &alone, 1, false);
    assert_int_equal(check(&s, "snap", false, s.m.zip.len, &facts, &err), 0);
    assert_false(facts.state_file);
    expect_bad(&s, s.m.zip.len, "the archive has no entry " STATE);
    buf_free(&s.m.zip);

    const struct maker_entry twice[] = {alone, alone};
    maker_make(&s.m, twice, 2, false);
    expect_bad(&s, s.m.zip.len, "the archive has two entries " SNAPSHOT);
    buf_free(&s.m.zip);

    struct maker_entry odd[] = {
        alone, {STATE, "", 0, MAKER_GO}
    };
    maker_make(&s.m, odd, 2, false);
    expect_bad(&s, s.m.zip.len, STATE ": the state file is empty");
    buf_free(&s.m.zip);

    odd[0].len = 1000;
    maker_make(&s.m, odd, 1, false);
    expect_bad(&s, s.m.zip.len, SNAPSHOT ": 1000 bytes cannot be a database with its SHA-256 behind it");
    sample_free(&s);
}

static void test_refuses_any_cut(void **state)
{
    (void)state;
    struct sample s;
    for (int zip64 = 0; zip64 <= 1; zip64++) {
        sample_make(&s, MAKER_GO, zip64);
        for (size_t len = 0; len < s.m.zip.len; len++) {
            struct archive_facts facts;
            AUTO_ERR struct sc_err err = {0};
            assert_int_equal(archive_check_tail("snap", true, s.m.zip.data, len, len, &facts, &err), -1);
            assert_int_equal(err.kind, ERR_CORRUPT);
        }
        sample_free(&s);
    }
}

static void test_entries_must_have_room_before_the_directory(void **state)
{
    (void)state;
    struct sample s;
    sample_make(&s, MAKER_GO | MAKER_CENTRAL64, false);
    const size_t extra64 = s.m.central[1] - 28, packed = extra64 + 12, offset = extra64 + 20;
    uint64_t true_size = maker_packed(&s.m, 0);

    maker_set(&s.m, packed, s.m.central[0], 8);
    expect_bad(&s, TAIL, "cannot stand at byte 0 before the directory at byte");
    maker_set(&s.m, packed, UINT64_MAX - 40, 8);
    expect_bad(&s, TAIL, "cannot stand at byte 0 before the directory at byte");
    maker_set(&s.m, packed, true_size + 100, 8); /* into the second */
    expect_bad(&s, TAIL, STATE ": an entry of");
    maker_set(&s.m, packed, true_size, 8);
    maker_set(&s.m, s.m.central[0] + 42, 1, 4);
    maker_set(&s.m, offset, 1, 8);
    expect_bad(&s, TAIL, "cannot stand at byte 1 before the directory");
    sample_free(&s);
}

static void test_says_where_the_directory_should_be(void **state)
{
    (void)state;
    struct sample s;
    sample_make(&s, MAKER_GO, false);
    expect_bad(&s, 100, "the central directory must be within the archive's last 100 bytes");
    expect_bad(&s, 21, "the archive's last 22 bytes must be an end of central directory");
    maker_set(&s.m, s.m.end + 16, s.m.central[0] - 1, 4);
    expect_bad(&s, TAIL, ": a central directory header or ");
    maker_set(&s.m, s.m.end + 16, s.m.zip.len, 4);
    expect_bad(&s, TAIL, "the central directory must be within");
    maker_set(&s.m, s.m.end + 16, s.m.end, 4);
    expect_bad(&s, TAIL, "of the end of central directory must be 0, found");
    sample_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_the_directory_at_the_end),
        cmocka_unit_test(test_names_what_is_missing_or_wrong),
        cmocka_unit_test(test_refuses_any_cut),
        cmocka_unit_test(test_entries_must_have_room_before_the_directory),
        cmocka_unit_test(test_says_where_the_directory_should_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
