/* Which snapshots of one place are kept, and which are removed. Pure: snapshots and a rule in, a reason for
 * each out. What is in doubt is kept, and the newest that is proven good is, whatever the rule says. */
#ifndef SNAPCTL_CORE_RETENTION_H
#define SNAPCTL_CORE_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/err.h"
#include "snapctl/core/inventory.h"

/* What any of them keeps is kept; 0: not given. Days and weeks are UTC's, weeks begin on Monday, and only
 * those count in which there is a snapshot. */
struct retention_rule {
    int keep;             /* the newest so many */
    int keep_daily;       /* the newest of each of the last so many days */
    int keep_weekly;      /* the newest of each of the last so many weeks */
    int64_t older_than_s; /* what is at most so many seconds old */
    const char *prefix;   /* only names that begin so are considered; NULL: all */
};

/* It says what is to be kept. */
bool retention_is_given(const struct retention_rule *rule);

/* ERR_USAGE if a prefix is given to no rule, or cannot begin a name. */
int retention_check(const struct retention_rule *rule, struct sc_err *err) WARN_UNUSED;

/* What is known of one before any rule. */
enum retention_state {
    RETENTION_FREE,
    RETENTION_IS_LOCKED,  /* the place does not let it go */
    RETENTION_IS_UNKNOWN, /* it has the name of a snapshot, and may be none */
    RETENTION_IS_FOREIGN, /* another cluster's, or nobody knows whose */
};

/* Why one is kept or removed. The first two are removed; up to RETENTION_LOCKED they are considered: they
 * count for the rules. */
enum retention_reason {
    RETENTION_UNWANTED, /* no rule keeps it */
    RETENTION_NAMED,    /* it was asked for by name */
    RETENTION_LAST,     /* one of the newest */
    RETENTION_DAILY,    /* the newest of its day */
    RETENTION_WEEKLY,   /* the newest of its week */
    RETENTION_YOUNG,    /* it is not old enough */
    RETENTION_GOOD,     /* the newest that is good */
    RETENTION_UNPROVEN, /* not one in this place is known to be good */
    RETENTION_LOCKED,
    RETENTION_ROLLING, /* RKE's recurring snapshots have a retention of their own */
    RETENTION_UNDATED, /* its time is not known */
    RETENTION_UNKNOWN,
    RETENTION_FOREIGN,
    RETENTION_OTHER, /* it has another name */
};

/* "unwanted", "named", "keep", "keep-daily", …, as in JSON. */
const char *retention_reason_name(enum retention_reason reason);

struct retention_entry {
    const char *name;
    enum inventory_kind kind;
    int64_t modified; /* seconds since 1970, by the clock of the place; 0 and less: not known */
    enum retention_state state;
    bool known_good;              /* it was read whole there a moment ago */
    enum retention_reason reason; /* the result */
};

bool retention_removes(const struct retention_entry *entry);

/* Whether the rule may concern it, as far as name, kind and time tell. */
bool retention_concerns(const struct retention_rule *rule, const struct retention_entry *entry);

/* Reads the entry of that index and tells whether it is good (1) or not (0). -1: nobody can tell. */
typedef int retention_proof(void *arg, size_t index);

/* Gives each of the n entries, the newest first, its reason. Where one is to be removed, they are proven,
 * beginning with the newest, until one is good, which then stays; one that is known to be good spares that.
 * -1 if the proof was: then nothing is to be removed. */
int retention_decide(const struct retention_rule *rule, int64_t now, struct retention_entry *entries,
                     size_t n, retention_proof *prove, void *arg) WARN_UNUSED;

/* The same for names instead of a rule: what has one of them is removed, whatever kind it is of. */
void retention_select(const char *const *names, size_t n_names, struct retention_entry *entries, size_t n);

#endif
