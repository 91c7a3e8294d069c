#include "database_maker.h"

#include <fcntl.h>
#include <unistd.h>

/* What a real etcd 3.4.23 wrote; the figures are etcdctl's (data/snapshot/make_database.sh). */
enum { PAGE = 4096, DATABASE = 110592, REVISION = 9, KEYS = 414, LEASES = 3 };
#define PATH TEST_DATA "/snapshot/etcd.db"
#define HASH 3927442260U
#define MEMBER 0x667880157b8812c8U

static unsigned char original[DATABASE + SHA256_DIGEST_LENGTH];

static int read_original(void **state)
{
    (void)state;
    FILE *file = fopen(PATH, "rb");
    if (!file)
        return -1;
    size_t n = fread(original, 1, sizeof original, file);
    bool whole = n == sizeof original && fgetc(file) == EOF;
    fclose(file);
    return whole ? 0 : -1;
}

static void expect_original_facts(const struct database_facts *facts)
{
    assert_int_equal(facts->hash, HASH);
    assert_int_equal(facts->revision, REVISION);
    assert_int_equal(facts->total_keys, KEYS);
    assert_int_equal(facts->total_bytes, DATABASE);
    assert_int_equal(facts->page_bytes, PAGE);
    assert_int_equal(facts->damaged_meta, DATABASE_META_GOOD);
    assert_int_equal(facts->leases, LEASES);
    assert_true(facts->auth_enabled);
    assert_int_equal(facts->n_members, 1);
    assert_true(facts->members[0].id == MEMBER);
    assert_string_equal(facts->members[0].name, "one");
    assert_int_equal(facts->members[0].n_peer_urls, 1);
    assert_string_equal(facts->members[0].peer_urls[0], "http://127.0.0.1:42380");
}

static void hex_of(const unsigned char *data, size_t len, char hex[SHA256_HEX])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(data, len, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static void test_what_etcd_wrote(void **state)
{
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    AUTO_DATABASE_FACTS struct database_facts facts;
    AUTO_ERR struct sc_err err = {0};
    char hex[SHA256_HEX];
    (void)state;
    AUTO_CLOSE int fd = open(PATH, O_RDONLY | O_CLOEXEC);
    assert_int_equal(lseek(fd, 100, SEEK_SET), 100);
    assert_int_equal(database_check_file(&ctx, fd, NULL, &facts, &err), 0);
    expect_original_facts(&facts);
    hex_of(original, DATABASE, hex);
    assert_string_equal(facts.sha256, hex);
    database_facts_clear(&facts);

    assert_int_equal(maker_check_bytes(original, DATABASE, &facts, &err), 0);
    expect_original_facts(&facts);
    assert_string_equal(facts.sha256, "");
}

static void test_what_stands_behind_the_database(void **state)
{
    static unsigned char data[sizeof original];
    struct database_facts facts;
    AUTO_ERR struct sc_err err = {0};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        static const size_t places[] = {11 * PAGE, DATABASE, sizeof original - 1};
        memcpy(data, original, sizeof data);
        data[places[i]] ^= 1;
        assert_int_equal(maker_check_bytes(data, sizeof data, &facts, &err), -1);
        assert_int_equal(err.kind, ERR_CORRUPT);
        assert_true(str_starts(err.text, "the database's SHA-256 must be "));
    }
    for (size_t cut = 1; cut < 512; cut++) {
        if (cut == SHA256_DIGEST_LENGTH)
            continue;
        assert_int_equal(maker_check_bytes(original, sizeof original - cut, &facts, &err), -1);
        assert_non_null(strstr(err.text, "bytes cannot be a database with its SHA-256 behind it"));
    }
    assert_int_equal(maker_check_bytes(original, DATABASE - 512, &facts, &err), -1);
    assert_string_equal(err.text, "the database was cut: its pages take 110592 bytes, found 110080");
}

static void test_a_damaged_meta_page_is_a_fact(void **state)
{
    static unsigned char data[DATABASE];
    (void)state;
    for (int page = 0; page < 2; page++) {
        AUTO_DATABASE_FACTS struct database_facts facts;
        AUTO_ERR struct sc_err err = {0};
        memcpy(data, original, sizeof data);
        memset(data + page * PAGE, 0, PAGE);
        assert_int_equal(maker_check_bytes(data, sizeof data, &facts, &err), 0);
        assert_int_equal(facts.damaged_meta, page);
        facts.damaged_meta = DATABASE_META_GOOD;
        expect_original_facts(&facts);
    }
}

static void test_files_that_cannot_be_read(void **state)
{
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    struct database_facts facts;
    AUTO_ERR struct sc_err err = {0};
    (void)state;
    assert_int_equal(database_check_file(&ctx, -1, NULL, &facts, &err), -1);
    assert_int_equal(err.kind, ERR_SYSTEM);
    AUTO_CLOSE int folder = open("/", O_RDONLY | O_CLOEXEC);
    assert_int_equal(database_check_file(&ctx, folder, NULL, &facts, &err), -1);
    assert_string_equal(err.text, "the snapshot is not a regular file");
    char path[] = "/tmp/snapctl-test.XXXXXX";
    AUTO_CLOSE int empty = mkostemp(path, O_CLOEXEC);
    unlink(path);
    assert_int_equal(database_check_file(&ctx, empty, NULL, &facts, &err), -1);
    assert_string_equal(err.text, "0 bytes are too few for a database");
}

/* Before the walk of the tree, and before the hash is compared, which is wrong here. */
static void test_it_can_be_ended(void **state)
{
    static unsigned char data[sizeof original];
    struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE, .cancel = cancel_new()};
    struct database_facts facts;
    AUTO_ERR struct sc_err err = {0};
    (void)state;
    memcpy(data, original, DATABASE);
    cancel_fire(ctx.cancel);
    for (size_t hash = 0; hash <= SHA256_DIGEST_LENGTH; hash += SHA256_DIGEST_LENGTH) {
        assert_int_equal(database_check(&ctx, data, DATABASE + hash, &facts, &err), -1);
        assert_int_equal(err.kind, ERR_CANCELLED);
    }
    cancel_free(ctx.cancel);
}

/* A copy that is damaged and mended again. Its memory ends where the file ends. */
struct victim {
    unsigned char *data;
    size_t len;
    uint64_t noise;
};

static struct victim victim_new(void)
{
    struct victim v = {.data = malloc(sizeof original), .len = sizeof original, .noise = 1};
    assert_non_null(v.data);
    memcpy(v.data, original, sizeof original);
    return v;
}

static size_t below(struct victim *v, size_t n)
{
    v->noise = v->noise * 6364136223846793005U + 1442695040888963407U;
    return (size_t)((v->noise >> 33) % n);
}

static int check(struct victim *v, struct database_facts *facts, struct sc_err *err)
{
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    SHA256(v->data, DATABASE, v->data + DATABASE);
    int result = database_check(&ctx, v->data, v->len, facts, err);
    maker_expect_sifted_same(v->data, v->len, result, facts, err);
    if (result < 0 && (err->kind != ERR_CORRUPT || !err->text || facts->members || facts->total_keys))
        fail_msg("kind %d: %s", (int)err->kind, err->text);
    return result;
}

/* The number of the page that is named; 0 if none is. */
static size_t page_named(const struct sc_err *err)
{
    return str_starts(err->text, "page ") ? strtoul(err->text + 5, NULL, 10) : 0;
}

static void flip_bit(struct victim *v)
{
    v->data[below(v, DATABASE)] ^= (unsigned char)(1U << below(v, 8));
}

static void zero_page(struct victim *v)
{
    memset(v->data + below(v, DATABASE / PAGE) * PAGE, 0, PAGE);
}

static void copy_page_to(struct victim *v, size_t from, size_t to)
{
    memmove(v->data + to * PAGE, v->data + from * PAGE, PAGE);
}

static void copy_page(struct victim *v)
{
    copy_page_to(v, below(v, DATABASE / PAGE), below(v, DATABASE / PAGE));
}

/* Numbers at the edges, where headers and elements have numbers. */
static void write_number(struct victim *v)
{
    static const uint64_t numbers[] = {0,          1,          2,        15,        16,
                                       27,         28,         PAGE,     0x7fff,    0xffff,
                                       0x7fffffff, 0xffffffff, DATABASE, INT64_MAX, UINT64_MAX};
    static const unsigned widths[] = {1, 2, 4, 8};
    size_t at = below(v, DATABASE / PAGE) * PAGE + 2 * below(v, 400);
    maker_store(v->data + at, numbers[below(v, sizeof numbers / sizeof *numbers)], widths[below(v, 4)]);
}

/* Headers are where most is read. */
static void flip_bit_of_a_header(struct victim *v)
{
    size_t page = below(v, DATABASE / PAGE);
    v->data[page * PAGE + below(v, 96)] ^= (unsigned char)(1U << below(v, 8));
}

/* A page that nothing uses any more may look so, and reach over others. */
static void pretend(struct victim *v)
{
    size_t page = 2 + below(v, DATABASE / PAGE - 2);
    copy_page_to(v, below(v, DATABASE / PAGE), page);
    maker_store(v->data + page * PAGE, page, 8);
    maker_store(v->data + page * PAGE + 12, below(v, 6), 4);
}

static void cut(struct victim *v)
{
    /* What is cut off the front's end may look like a hash. */
    v->len = below(v, 2) ? below(v, sizeof original) : below(v, DATABASE / 512) * 512;
}

static void test_10000_mutations(void **state)
{
    static void (*const mutations[])(struct victim *) = {
        flip_bit, flip_bit_of_a_header, write_number, zero_page, copy_page, pretend, cut};
    enum { KINDS = sizeof mutations / sizeof *mutations };
    (void)state;
    size_t refused = 0;
    struct victim v = victim_new();
    for (size_t i = 0; i < 10000; i++) {
        AUTO_DATABASE_FACTS struct database_facts facts;
        AUTO_ERR struct sc_err err = {0};
        void (*mutate)(struct victim *) = mutations[i % KINDS];
        mutate(&v);
        if (i % 4 == 0)
            mutate(&v);
        if (v.len < sizeof original) {
            unsigned char *shorter = malloc(v.len ? v.len : 1);
            memcpy(shorter, v.data, v.len);
            struct victim cut_off = {.data = shorter, .len = v.len};
            const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
            assert_int_equal(database_check(&ctx, cut_off.data, cut_off.len, &facts, &err), -1);
            assert_int_equal(err.kind, ERR_CORRUPT);
            free(shorter);
            refused++;
        } else {
            refused += check(&v, &facts, &err) < 0;
        }
        memcpy(v.data, original, sizeof original);
        v.len = sizeof original;
    }
    free(v.data);
    /* The rest hit values, or pages that hold nothing. */
    assert_in_range(refused, 4000, 8000);
}

enum use { UNUSED, HEAD, TAIL };

/* What a page holds: a zeroed one is named if it has a header. Else it belongs to the page that is named, or
 * a value is all that it has, which no structure tells from another. */
static enum use use_of(struct victim *v, size_t page)
{
    AUTO_DATABASE_FACTS struct database_facts facts;
    AUTO_ERR struct sc_err err = {0};
    memset(v->data + page * PAGE, 0, PAGE);
    int result = check(v, &facts, &err);
    memcpy(v->data, original, sizeof original);
    if (result == 0)
        return facts.hash == HASH ? UNUSED : TAIL;
    size_t named = page_named(&err);
    if (named != page) {
        assert_in_range(page - named, 1, 2);
        return TAIL;
    }
    assert_non_null(strstr(err.text, "its header says that it is another page"));
    return HEAD;
}

static void test_zeroed_and_swapped_pages_are_named(void **state)
{
    enum { PAGES = DATABASE / PAGE };
    enum use uses[PAGES] = {UNUSED};
    size_t counts[3] = {0};
    struct victim v = victim_new();
    (void)state;
    for (size_t page = 2; page < PAGES; page++)
        counts[uses[page] = use_of(&v, page)]++;
    assert_int_equal(counts[HEAD], 14);
    assert_int_equal(counts[TAIL], 4);
    for (size_t a = 2; a < PAGES; a++)
        for (size_t b = a + 1; b < PAGES; b++) {
            AUTO_DATABASE_FACTS struct database_facts facts;
            AUTO_ERR struct sc_err err = {0};
            memcpy(v.data + a * PAGE, original + b * PAGE, PAGE);
            memcpy(v.data + b * PAGE, original + a * PAGE, PAGE);
            int result = check(&v, &facts, &err);
            if (uses[a] == HEAD || uses[b] == HEAD)
                assert_int_equal(result, -1);
            /* A tail may be named by its head. */
            size_t named = result < 0 ? page_named(&err) : 0;
            if (result < 0 && uses[a] != TAIL && uses[b] != TAIL)
                assert_true((named == a && uses[a] == HEAD) || (named == b && uses[b] == HEAD));
            memcpy(v.data, original, sizeof original);
        }
    free(v.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_etcd_wrote),
        cmocka_unit_test(test_what_stands_behind_the_database),
        cmocka_unit_test(test_a_damaged_meta_page_is_a_fact),
        cmocka_unit_test(test_files_that_cannot_be_read),
        cmocka_unit_test(test_it_can_be_ended),
        cmocka_unit_test(test_10000_mutations),
        cmocka_unit_test(test_zeroed_and_swapped_pages_are_named),
    };
    return cmocka_run_group_tests(tests, read_original, NULL);
}
