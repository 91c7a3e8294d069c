#include "snapctl/core/retention.h"

#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/node/node.h"

enum { DAY_S = 86400, WEEK_DAYS = 7, THURSDAY = 3 }; /* 1970 began on one; Monday is 0 */

bool retention_is_given(const struct retention_rule *rule)
{
    return rule->keep || rule->keep_daily || rule->keep_weekly || rule->older_than_s;
}

int retention_check(const struct retention_rule *rule, struct sc_err *err)
{
    if (!rule->prefix)
        return 0;
    if (!node_name_valid(rule->prefix)) {
        err_set(err, ERR_USAGE, "--prefix: no name of a snapshot begins with \"%s\"", rule->prefix);
        return err_hint(err, "names have letters, digits and . _ + -, a letter or digit first");
    }
    if (retention_is_given(rule))
        return 0;
    err_set(err, ERR_USAGE, "--prefix says which snapshots a rule is for, and there is no rule");
    return err_hint(err, "the rules are --keep, --keep-daily, --keep-weekly and --older-than");
}

const char *retention_reason_name(enum retention_reason reason)
{
    static const char *const names[] = {
        [RETENTION_UNWANTED] = "unwanted",  [RETENTION_NAMED] = "named",
        [RETENTION_LAST] = "keep",          [RETENTION_DAILY] = "keep-daily",
        [RETENTION_WEEKLY] = "keep-weekly", [RETENTION_YOUNG] = "older-than",
        [RETENTION_GOOD] = "newest-good",   [RETENTION_UNPROVEN] = "none-good",
        [RETENTION_LOCKED] = "locked",      [RETENTION_ROLLING] = "rolling",
        [RETENTION_UNDATED] = "undated",    [RETENTION_UNKNOWN] = "unknown",
        [RETENTION_FOREIGN] = "foreign",    [RETENTION_OTHER] = "other",
    };
    return names[reason];
}

bool retention_removes(const struct retention_entry *entry)
{
    return entry->reason <= RETENTION_NAMED;
}

/* It counts for the rules, once it has a reason. */
static bool is_considered(const struct retention_entry *entry)
{
    return entry->reason <= RETENTION_LOCKED;
}

/* What is not considered, and why: the first row that holds. */
static enum retention_reason set_aside(const struct retention_rule *rule, const struct retention_entry *entry)
{
    const struct {
        bool holds;
        enum retention_reason reason;
    } rows[] = {
        {rule->prefix && !str_starts(entry->name, rule->prefix), RETENTION_OTHER},
        {entry->state == RETENTION_IS_FOREIGN,                                       RETENTION_FOREIGN                },
        {entry->kind == INVENTORY_ROLLING,                                       RETENTION_ROLLING    },
        {entry->state == RETENTION_IS_UNKNOWN,                                       RETENTION_UNKNOWN            },
        {entry->modified <= 0,                                       RETENTION_UNDATED                    },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].holds)
            return rows[i].reason;
    return RETENTION_UNWANTED;
}

bool retention_concerns(const struct retention_rule *rule, const struct retention_entry *entry)
{
    return set_aside(rule, entry) == RETENTION_UNWANTED;
}

static void keep(struct retention_entry *entry, enum retention_reason reason)
{
    if (entry->reason == RETENTION_UNWANTED)
        entry->reason = reason;
}

static void keep_last(struct retention_entry *entries, size_t n, int most)
{
    for (size_t i = 0; i < n && most > 0; i++)
        if (is_considered(&entries[i])) {
            keep(&entries[i], RETENTION_LAST);
            most--;
        }
}

static int64_t day_of(int64_t seconds)
{
    return seconds / DAY_S;
}

static int64_t week_of(int64_t seconds)
{
    return (day_of(seconds) + THURSDAY) / WEEK_DAYS;
}

/* The first of each period that comes up, which is its newest. */
static void keep_periods(struct retention_entry *entries, size_t n, int most, int64_t (*period_of)(int64_t),
                         enum retention_reason reason)
{
    int64_t last = -1;
    for (size_t i = 0; i < n && most > 0; i++) {
        if (!is_considered(&entries[i]) || period_of(entries[i].modified) == last)
            continue;
        last = period_of(entries[i].modified);
        keep(&entries[i], reason);
        most--;
    }
}

static void keep_young(struct retention_entry *entries, size_t n, int64_t age_s, int64_t now)
{
    for (size_t i = 0; i < n && age_s; i++)
        if (is_considered(&entries[i]) && entries[i].modified >= now - age_s)
            keep(&entries[i], RETENTION_YOUNG);
}

static void keep_locked(struct retention_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (entries[i].state == RETENTION_IS_LOCKED && retention_removes(&entries[i]))
            entries[i].reason = RETENTION_LOCKED;
}

static bool removes_any(const struct retention_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (retention_removes(&entries[i]))
            return true;
    return false;
}

static int keep_all(struct retention_entry *entries, size_t n, int result)
{
    for (size_t i = 0; i < n; i++)
        keep(&entries[i], RETENTION_UNPROVEN);
    return result;
}

static bool keep_known(struct retention_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_considered(&entries[i]) && entries[i].known_good) {
            keep(&entries[i], RETENTION_GOOD);
            return true;
        }
    return false;
}

static int keep_good(struct retention_entry *entries, size_t n, retention_proof *prove, void *arg)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_considered(&entries[i]))
            continue;
        int good = prove(arg, i);
        if (good < 0)
            return keep_all(entries, n, -1);
        if (good) {
            keep(&entries[i], RETENTION_GOOD);
            return 0;
        }
    }
    return keep_all(entries, n, 0);
}

int retention_decide(const struct retention_rule *rule, int64_t now, struct retention_entry *entries,
                     size_t n, retention_proof *prove, void *arg)
{
    for (size_t i = 0; i < n; i++)
        entries[i].reason = set_aside(rule, &entries[i]);
    keep_last(entries, n, rule->keep);
    keep_periods(entries, n, rule->keep_daily, day_of, RETENTION_DAILY);
    keep_periods(entries, n, rule->keep_weekly, week_of, RETENTION_WEEKLY);
    keep_young(entries, n, rule->older_than_s, now);
    keep_locked(entries, n);
    if (!removes_any(entries, n) || keep_known(entries, n))
        return 0;
    return keep_good(entries, n, prove, arg);
}

static bool is_named(const struct retention_entry *entry, const char *const *names, size_t n_names)
{
    for (size_t i = 0; i < n_names; i++)
        if (strcmp(entry->name, names[i]) == 0)
            return true;
    return false;
}

void retention_select(const char *const *names, size_t n_names, struct retention_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct retention_entry *entry = &entries[i];
        entry->reason = !is_named(entry, names, n_names)       ? RETENTION_OTHER
                        : entry->state == RETENTION_IS_FOREIGN ? RETENTION_FOREIGN
                                                               : RETENTION_NAMED;
    }
    keep_locked(entries, n);
}
