#include "snapctl/core/findings.h"

#include <stdlib.h>

#include "snapctl/base/str.h"

enum { CLOCK_SECONDS = 30 }; /* a run's own waits are longer, and the way takes its time */

const char *finding_verdict_name(enum finding_verdict verdict)
{
    static const char *const names[] = {"ok", "warning", "failed"};
    return names[verdict];
}

void findings_free(struct findings *findings)
{
    for (size_t i = 0; i < findings->n; i++) {
        free(findings->items[i].text);
        free(findings->items[i].remedy);
    }
    free(findings->items);
    *findings = (struct findings){0};
}

void findings_add(struct findings *findings, enum finding_verdict verdict, const char *check,
                  const char *remedy, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = str_vformat(format, args);
    va_end(args);
    findings->items = mem_realloc(findings->items, findings->n + 1, sizeof *findings->items);
    findings->items[findings->n++] =
        (struct finding){.verdict = verdict, .check = check, .text = text, .remedy = str_dup(remedy)};
}

void findings_add_error(struct findings *findings, enum finding_verdict verdict, const char *check,
                        const struct sc_err *err)
{
    findings_add(findings, verdict, check, err->hint, "%s", err->text ? err->text : "failed");
}

size_t findings_count(const struct findings *findings, enum finding_verdict verdict)
{
    size_t n = 0;
    for (size_t i = 0; i < findings->n; i++)
        n += findings->items[i].verdict == verdict;
    return n;
}

void findings_of_clock(struct findings *findings, const char *whose, int64_t offset, const char *effect)
{
    int64_t off = offset < 0 ? -offset : offset;
    AUTO_FREE char *amount = str_duration(off > INT64_MAX / 1000 ? INT64_MAX : off * 1000);
    if (off <= CLOCK_SECONDS)
        findings_add(findings, FINDING_OK, "clock", NULL, "the clock of %s agrees with this machine's",
                     whose);
    else
        findings_add(findings, FINDING_WARNING, "clock", effect, "the clock of %s is %s %s this machine's",
                     whose, amount, offset < 0 ? "behind" : "ahead of");
}
