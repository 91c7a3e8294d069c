#include "snapctl/cli/report_check.h"

#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/console.h"
#include "snapctl/cli/document.h"
#include "snapctl/cli/table.h"

enum { TEXT_MAX = 64 << 20 };

typedef void finding_seen(void *arg, const char *place, const struct finding *finding);

static void each(const struct findings *findings, const char *place, finding_seen *seen, void *arg)
{
    for (size_t i = 0; i < findings->n; i++)
        seen(arg, place, &findings->items[i]);
}

/* All findings, place by place. */
static void each_place(const struct check_result *r, finding_seen *seen, void *arg)
{
    each(&r->config, "config", seen, arg);
    for (size_t i = 0; i < r->n_nodes; i++)
        each(&r->nodes[i].findings, r->nodes[i].run.address, seen, arg);
    each(&r->store, "s3", seen, arg);
}

/* ---- text ---- */

struct page {
    struct buf out;
    struct log *log;
    bool colour;
    int width; /* of the widest place */
};

static void measure(void *arg, const char *place, const struct finding *finding)
{
    struct page *page = arg;
    (void)finding;
    int len = (int)strlen(place);
    if (len > page->width)
        page->width = len;
}

static void print_remedy(struct page *page, const char *remedy)
{
    AUTO_FREE char *clean = console_clean(page->log, remedy, true);
    for (const char *line = clean; *line;) {
        size_t len = strcspn(line, "\n");
        buf_printf(&page->out, "      %*s  %.*s\n", page->width, "", (int)len, line);
        line += len + (line[len] == '\n');
    }
}

static void print_finding(void *arg, const char *place, const struct finding *finding)
{
    static const struct {
        const char *word, *colour;
    } verdicts[] = {
        [FINDING_OK] = {"OK  ", TABLE_GREEN },
        [FINDING_WARNING] = {"WARN", TABLE_YELLOW},
        [FINDING_FAILED] = {"FAIL", TABLE_RED   },
    };
    struct page *page = arg;
    AUTO_FREE char *where = console_clean(page->log, place, false);
    AUTO_FREE char *text = console_clean(page->log, finding->text, false);
    buf_printf(&page->out, "%s%s%s  %-*s  %s: %s\n", page->colour ? verdicts[finding->verdict].colour : "",
               verdicts[finding->verdict].word, page->colour ? "\033[0m" : "", page->width, where,
               finding->check, text);
    if (finding->remedy && finding->verdict != FINDING_OK)
        print_remedy(page, finding->remedy);
}

char *report_check_text(const struct check_result *r, struct log *log, bool colour)
{
    struct page page = {.out.max = TEXT_MAX, .log = log, .colour = colour};
    each_place(r, measure, &page);
    each_place(r, print_finding, &page);
    buf_printf(&page.out, "\n%zu ok, %zu warning%s, %zu failed%s\n", check_count(r, FINDING_OK),
               check_count(r, FINDING_WARNING), check_count(r, FINDING_WARNING) == 1 ? "" : "s",
               check_count(r, FINDING_FAILED), r->interrupted ? "; interrupted" : "");
    return buf_take(&page.out);
}

/* ---- JSON ---- */

struct list {
    json_t *findings;
    struct log *log;
};

static void add_finding(void *arg, const char *place, const struct finding *finding)
{
    struct list *list = arg;
    json_t *object = json_object();
    document_add(object, "place", document_text(place, NULL));
    document_add(object, "check", json_string(finding->check));
    document_add(object, "result", json_string(finding_verdict_name(finding->verdict)));
    document_add(object, "text", document_text(finding->text, list->log));
    document_add(object, "remedy", document_lines(finding->remedy, list->log));
    document_append(list->findings, object);
}

static const char *status_of(const struct check_result *r)
{
    return r->interrupted                    ? "interrupted"
           : check_count(r, FINDING_FAILED)  ? "failed"
           : check_count(r, FINDING_WARNING) ? "warnings"
                                             : "ok";
}

char *report_check_json(const struct check_result *r, struct log *log)
{
    json_t *document = document_new(status_of(r), r->started, r->duration_ms, &r->err, log);
    struct list list = {json_array(), log};
    each_place(r, add_finding, &list);
    document_add(document, "findings", list.findings);
    return document_print(document);
}
