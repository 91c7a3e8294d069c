/* Rules of retention: by hand, and 200 made-up inventories against the same rules in plain words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "snapctl/base/str.h"
#include "snapctl/core/retention.h"

enum { DAY = 86400, INVENTORIES = 200, MOST = 40 };

/* 2026-11-25 12:00 UTC, a Wednesday. */
static const int64_t noon = 1795608000;

struct proofs {
    const bool *good;
    size_t asked;
    bool broken;
};

static int prove(void *arg, size_t index)
{
    struct proofs *p = arg;
    p->asked++;
    return p->broken ? -1 : p->good[index];
}

/* ---- by hand ---- */

static const bool all_good[MOST] = {
    true, true, true, true, true, true, true, true, true, true,
};

static void expect(struct retention_rule rule, struct retention_entry *entries, size_t n, const bool *good,
                   const char *wanted)
{
    struct proofs proofs = {.good = good};
    AUTO_BUF struct buf reasons = {0};
    assert_int_equal(retention_decide(&rule, noon, entries, n, prove, &proofs), 0);
    for (size_t i = 0; i < n; i++)
        buf_printf(&reasons, "%s%s", i ? " " : "", retention_reason_name(entries[i].reason));
    assert_string_equal(buf_text(&reasons), wanted);
}

static void the_newest(void **state)
{
    (void)state;
    struct retention_entry entries[] = {
        {.name = "d", .modified = noon - 1},
        {.name = "c", .modified = noon - 2},
        {.name = "b", .modified = noon - 3},
    };
    expect((struct retention_rule){.keep = 2}, entries, 3, all_good, "keep keep unwanted");
    expect((struct retention_rule){.keep = 3}, entries, 3, all_good, "keep keep keep");
}

static void days_and_weeks(void **state)
{
    (void)state;
    struct retention_entry entries[] = {
        {.name = "wednesday-2",    .modified = noon                      },
        {.name = "wednesday-1",    .modified = noon - 3600               },
        {.name = "tuesday",        .modified = noon - DAY                },
        {.name = "monday",         .modified = noon - 2 * DAY            },
        {.name = "sunday",         .modified = noon - 3 * DAY            },
        {.name = "sunday-morning", .modified = noon - 3 * DAY - 3600 * 11},
        {.name = "last-monday",    .modified = noon - 9 * DAY            },
        {.name = "sunday-before",  .modified = noon - 10 * DAY           },
    };
    expect((struct retention_rule){.keep_daily = 2}, entries, 8, all_good,
           "keep-daily unwanted keep-daily unwanted unwanted unwanted unwanted unwanted");
    expect((struct retention_rule){.keep_weekly = 2}, entries, 8, all_good,
           "keep-weekly unwanted unwanted unwanted keep-weekly unwanted unwanted unwanted");
    expect((struct retention_rule){.keep_daily = 1, .keep_weekly = 3}, entries, 8, all_good,
           "keep-daily unwanted unwanted unwanted keep-weekly unwanted unwanted keep-weekly");
}

static void age_and_its_edge(void **state)
{
    (void)state;
    struct retention_entry entries[] = {
        {.name = "future", .modified = noon + DAY    },
        {.name = "edge",   .modified = noon - DAY    },
        {.name = "older",  .modified = noon - DAY - 1},
    };
    expect((struct retention_rule){.older_than_s = DAY}, entries, 3, all_good,
           "older-than older-than unwanted");
}

static void what_is_not_considered(void **state)
{
    (void)state;
    struct retention_entry entries[] = {
        {.name = "n-rolling",            .modified = noon,          .kind = INVENTORY_ROLLING},
        {.name = "n-foreign",                              .modified = noon - 1,                                     .state = RETENTION_IS_FOREIGN},
        {.name = "n-unknown", .modified = noon - 2,.state = RETENTION_IS_UNKNOWN},
        {.name = "other",          .modified = noon - 3                },
        {.name = "n-a",                .modified = noon - 4           },
        {.name = "n-locked",                  .modified = noon - 5,        .state = RETENTION_IS_LOCKED},
        {.name = "n-b",             .modified = noon - 6},
        {.name = "n-undated",                              .modified = 0                                          },
    };
    expect((struct retention_rule){.keep = 1, .prefix = "n-"}, entries, 8, all_good,
           "rolling foreign unknown other keep locked unwanted undated");
    assert_false(retention_concerns(&(struct retention_rule){.prefix = "n-"}, &entries[0]));
    assert_true(retention_concerns(&(struct retention_rule){.prefix = "n-"}, &entries[5]));
}

static void the_newest_good_one_stays(void **state)
{
    (void)state;
    static const bool third[MOST] = {false, false, true, true}, none[MOST] = {false};
    struct retention_entry entries[] = {
        {.name = "d", .modified = noon - 1},
        {.name = "c", .modified = noon - 2},
        {.name = "b", .modified = noon - 3},
        {.name = "a", .modified = noon - 4},
    };
    expect((struct retention_rule){.keep = 1}, entries, 4, third, "keep unwanted newest-good unwanted");
    expect((struct retention_rule){.keep = 1}, entries, 4, none, "keep none-good none-good none-good");
    expect((struct retention_rule){.older_than_s = 1}, entries, 4, all_good,
           "older-than unwanted unwanted unwanted");
    expect((struct retention_rule){.older_than_s = 1}, entries + 1, 3, all_good,
           "newest-good unwanted unwanted");
}

static void nothing_is_read_without_need(void **state)
{
    (void)state;
    static const bool none[MOST] = {false};
    struct retention_entry entries[] = {
        {.name = "b", .modified = noon - 1},
        {.name = "a", .modified = noon - 2, .known_good = true},
        {.name = "0",           .modified = noon - 3                    },
    };
    struct proofs proofs = {.good = none};
    const struct retention_rule three = {.keep = 3}, one = {.keep = 1};
    assert_int_equal(retention_decide(&three, noon, entries, 3, prove, &proofs), 0);
    assert_int_equal(retention_decide(&one, noon, entries, 3, prove, &proofs), 0);
    assert_int_equal(proofs.asked, 0);
    assert_int_equal(entries[1].reason, RETENTION_GOOD);
    assert_true(retention_removes(&entries[2]));
    entries[1].known_good = false;
    proofs.broken = true;
    assert_int_equal(retention_decide(&one, noon, entries, 3, prove, &proofs), -1);
    assert_int_equal(proofs.asked, 1);
    for (size_t i = 0; i < 3; i++)
        assert_false(retention_removes(&entries[i]));
}

static void names(void **state)
{
    (void)state;
    static const char *const wanted[] = {"a", "r", "f", "l", "u"};
    struct retention_entry entries[] = {
        {.name = "a"},
        {           .name = "ab"          },
        { .name = "r",           .kind = INVENTORY_ROLLING},
        {           .name = "f",           .state = RETENTION_IS_FOREIGN},
        {           .name = "l",           .state = RETENTION_IS_LOCKED},
        {           .name = "u",           .state = RETENTION_IS_UNKNOWN},
        {          .name = "lo",           .state = RETENTION_IS_LOCKED},
    };
    static const enum retention_reason reasons[] = {RETENTION_NAMED,   RETENTION_OTHER,  RETENTION_NAMED,
                                                    RETENTION_FOREIGN, RETENTION_LOCKED, RETENTION_NAMED,
                                                    RETENTION_OTHER};
    retention_select(wanted, 5, entries, 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(entries[i].reason, reasons[i]);
}

static void rules_are_checked(void **state)
{
    (void)state;
    struct sc_err err = {0};
    assert_int_equal(retention_check(&(struct retention_rule){0}, &err), 0);
    assert_int_equal(retention_check(&(struct retention_rule){.keep = 1, .prefix = "n-"}, &err), 0);
    assert_int_equal(retention_check(&(struct retention_rule){.prefix = "n-"}, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_int_equal(retention_check(&(struct retention_rule){.keep = 1, .prefix = "*"}, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    err_clear(&err);
}

/* ---- made up ---- */

static uint64_t seed;

static unsigned roll(unsigned sides)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % sides;
}

struct made {
    struct inventory inventory;
    struct retention_entry entries[MOST];
    bool good[MOST];
    size_t n;
    struct retention_rule rule;
};

static char *make_file(size_t i)
{
    switch (roll(12)) {
    case 0: /* no snapshots */
        return str_format("notes-%zu.txt", i);
    case 1:
        return str_format("pki-%zu.bundle.tar.gz", i);
    case 2:
        return str_format(".n-%zu.zip", i);
    case 3:
        return str_format("n %zu.zip", i);
    case 4:
        return str_format("2026-11-25T01:%02zu:00Z_etcd.zip", i);
    case 5:
        return str_format("other-%zu.zip", i);
    default:
        return str_format("n-%zu.zip", i);
    }
}

static struct retention_rule make_rule(void)
{
    struct retention_rule rule = {0};
    while (!retention_is_given(&rule)) {
        rule.keep = roll(2) ? (int)roll(8) : 0;
        rule.keep_daily = roll(3) ? 0 : (int)roll(6);
        rule.keep_weekly = roll(3) ? 0 : (int)roll(5);
        rule.older_than_s = roll(3) ? 0 : (int64_t)roll(30) * DAY;
    }
    rule.prefix = roll(3) ? NULL : "n-";
    return rule;
}

static void make(struct made *m)
{
    static const unsigned odds[] = {1, 2, 20}; /* of being good: all, half, few */
    unsigned odd = odds[roll(3)], spread = 1 + roll(40);
    *m = (struct made){.inventory.n_places = 1, .rule = make_rule()};
    for (size_t i = 0, n = roll(MOST); i < n; i++) {
        AUTO_FREE char *file = make_file(i);
        const struct inventory_copy copy = {.modified = roll(25) ? noon - (int64_t)roll(spread * DAY) : 0};
        inventory_add(&m->inventory, file, &copy);
    }
    inventory_sort(&m->inventory);
    for (m->n = 0; m->n < m->inventory.n; m->n++) {
        const struct inventory_snapshot *s = &m->inventory.snapshots[m->n];
        enum retention_state state = RETENTION_FREE;
        if (roll(8) == 0)
            state = (enum retention_state)(1 + roll(3));
        m->good[m->n] = roll(odd) == 0;
        m->entries[m->n] = (struct retention_entry){
            .name = s->name, .kind = s->kind, .modified = s->modified, .state = state};
    }
}

/* The same in plain words: each snapshot for itself, by counting. */

static bool counts(const struct made *m, const struct retention_entry *e)
{
    return e->kind == INVENTORY_ONE_TIME && e->modified > 0 && e->state != RETENTION_IS_FOREIGN &&
           e->state != RETENTION_IS_UNKNOWN && (!m->rule.prefix || strncmp(e->name, m->rule.prefix, 2) == 0);
}

static bool is_newer(const struct retention_entry *a, const struct retention_entry *b)
{
    return a->modified != b->modified ? a->modified > b->modified : strcmp(a->name, b->name) < 0;
}

/* Which day, or with `week` which Monday, from its civil date. */
static int64_t period(int64_t seconds, bool week)
{
    time_t t = (time_t)seconds;
    struct tm tm;
    gmtime_r(&t, &tm);
    int64_t midnight = seconds - tm.tm_hour * 3600 - tm.tm_min * 60 - tm.tm_sec;
    return week ? midnight - (tm.tm_wday + 6) % 7 * DAY : midnight;
}

static bool is_newest_of_its_period(const struct made *m, const struct retention_entry *e, bool week,
                                    int most)
{
    int64_t mine = period(e->modified, week), seen[MOST];
    int later = 0;
    for (size_t i = 0; i < m->n; i++) {
        const struct retention_entry *o = &m->entries[i];
        if (!counts(m, o))
            continue;
        int64_t its = period(o->modified, week);
        if (its == mine && is_newer(o, e))
            return false;
        bool known = false;
        for (int k = 0; k < later; k++)
            known |= seen[k] == its;
        if (its > mine && !known)
            seen[later++] = its;
    }
    return later < most;
}

static bool wanted_by_rule(const struct made *m, const struct retention_entry *e)
{
    int newer = 0;
    for (size_t i = 0; i < m->n; i++)
        newer += counts(m, &m->entries[i]) && is_newer(&m->entries[i], e);
    return newer < m->rule.keep || is_newest_of_its_period(m, e, false, m->rule.keep_daily) ||
           is_newest_of_its_period(m, e, true, m->rule.keep_weekly) ||
           (m->rule.older_than_s && noon - e->modified <= m->rule.older_than_s);
}

static bool to_be_removed(const struct made *m, size_t index)
{
    const struct retention_entry *e = &m->entries[index];
    bool newer_good = false;
    if (!counts(m, e) || e->state == RETENTION_IS_LOCKED || wanted_by_rule(m, e))
        return false;
    bool any_good = false;
    for (size_t i = 0; i < m->n; i++) {
        bool good = counts(m, &m->entries[i]) && m->good[i];
        any_good |= good;
        newer_good |= good && is_newer(&m->entries[i], e);
    }
    return any_good && (newer_good || !m->good[index]);
}

static bool one_good_is_left(const struct made *m)
{
    bool was = false, is = false;
    for (size_t i = 0; i < m->n; i++) {
        bool good = counts(m, &m->entries[i]) && m->good[i];
        was |= good;
        is |= good && !retention_removes(&m->entries[i]);
    }
    return is || !was;
}

static void made_up_inventories(void **state)
{
    (void)state;
    size_t removed = 0, protected = 0, unproven = 0;
    for (seed = 1; seed <= INVENTORIES; seed++) {
        uint64_t before = seed;
        struct made m;
        make(&m);
        struct proofs proofs = {.good = m.good};
        assert_int_equal(retention_decide(&m.rule, noon, m.entries, m.n, prove, &proofs), 0);
        for (size_t i = 0; i < m.n; i++) {
            const struct retention_entry *e = &m.entries[i];
            if (retention_removes(e) != to_be_removed(&m, i))
                fail_msg("inventory %d: %s (%s)", (int)before, e->name, retention_reason_name(e->reason));
            assert_true(!retention_removes(e) || strncmp(e->name, "n-", 2) == 0 ||
                        strncmp(e->name, "other-", 6) == 0);
            removed += retention_removes(e);
            protected += e->reason == RETENTION_GOOD;
            unproven += e->reason == RETENTION_UNPROVEN;
        }
        assert_true(one_good_is_left(&m));
        inventory_free(&m.inventory);
        seed = before;
    }
    /* The dice showed all sides. */
    assert_true(removed > 500 && protected > 10 && unproven > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest),
        cmocka_unit_test(days_and_weeks),
        cmocka_unit_test(age_and_its_edge),
        cmocka_unit_test(what_is_not_considered),
        cmocka_unit_test(the_newest_good_one_stays),
        cmocka_unit_test(nothing_is_read_without_need),
        cmocka_unit_test(names),
        cmocka_unit_test(rules_are_checked),
        cmocka_unit_test(made_up_inventories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
