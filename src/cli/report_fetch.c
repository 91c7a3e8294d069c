#include "snapctl/cli/report_fetch.h"

#include "snapctl/base/str.h"
#include "snapctl/cli/console.h"
#include "snapctl/cli/document.h"
#include "snapctl/cli/report_verify.h"

enum { TEXT_MAX = 64 << 20 };

static void print_file(struct buf *out, const struct fetch_file *file, const char *before)
{
    AUTO_FREE char *path = console_clean(NULL, file->path ? file->path : "standard output", false);
    AUTO_FREE char *size = str_bytes(file->bytes);
    buf_printf(out, "%s%s (%s)", before, path, size);
}

static void print_fetched(struct buf *out, const struct fetch_result *r)
{
    const struct verify_copy *source = fetch_source(r);
    AUTO_FREE char *where =
        source->place == VERIFY_STORE ? str_dup("S3") : console_clean(NULL, source->where, false);
    buf_printf(out, "fetched [%s] from %s%s", r->tried.snapshot, source->place == VERIFY_NODE ? "node " : "",
               where);
    for (size_t i = 0; i < r->n_files; i++)
        print_file(out, &r->files[i], i ? " and " : " to ");
    buf_puts(out, "\n");
}

char *report_fetch_text(const struct fetch_result *r, struct log *log, bool colour)
{
    struct buf out = {.max = TEXT_MAX};
    report_verify_table(&r->tried, log, colour, &out);
    if (r->tried.n_copies)
        buf_puts(&out, "\n");
    if (r->tried.outcome == VERIFY_OK)
        print_fetched(&out, r);
    else
        buf_printf(&out, "%s[%s] was not fetched\n",
                   r->tried.outcome == VERIFY_INTERRUPTED ? "Interrupted: " : "", r->tried.snapshot);
    return buf_take(&out);
}

char *report_fetch_json(const struct fetch_result *r, struct log *log)
{
    json_t *document = report_verify_document(&r->tried, log), *files = json_array();
    for (size_t i = 0; i < r->n_files; i++) {
        json_t *file = json_object();
        document_add(file, "kind", json_string(fetch_kind_name(r->files[i].kind)));
        document_add(file, "path", document_text(r->files[i].path, NULL));
        document_add(file, "bytes", document_number(r->files[i].bytes));
        document_append(files, file);
    }
    document_add(document, "files", files);
    return document_print(document);
}
