/* What `check` found, one after the other. Pure: facts in, findings out. */
#ifndef SNAPCTL_CORE_FINDINGS_H
#define SNAPCTL_CORE_FINDINGS_H

#include "snapctl/base/err.h"
#include "snapctl/node/health.h"

enum finding_verdict { FINDING_OK, FINDING_WARNING, FINDING_FAILED };

/* "ok", "warning", "failed", as in JSON. */
const char *finding_verdict_name(enum finding_verdict verdict);

struct finding {
    enum finding_verdict verdict;
    const char *check; /* what was looked at: "ssh", "docker", …; a literal */
    char *text;        /* one line */
    char *remedy;      /* what would help, perhaps several lines; NULL: nothing is known, or needed */
};

struct findings {
    struct finding *items;
    size_t n;
};
void findings_free(struct findings *findings);

/* remedy may be NULL. */
void findings_add(struct findings *findings, enum finding_verdict verdict, const char *check,
                  const char *remedy, const char *format, ...) PRINTF_LIKE(5, 6);

/* An error: its text, and its hint as the remedy. */
void findings_add_error(struct findings *findings, enum finding_verdict verdict, const char *check,
                        const struct sc_err *err);

size_t findings_count(const struct findings *findings, enum finding_verdict verdict);

/* What the facts of a node mean. now: of this machine, when the node told its time. */
void findings_of_node(struct findings *findings, const struct node *node, const struct node_health *health,
                      int64_t now);

/* How far another clock is from ours: seconds, positive where it is ahead. */
void findings_of_clock(struct findings *findings, const char *whose, int64_t offset, const char *effect);

#endif
