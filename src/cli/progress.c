#include "snapctl/cli/progress.h"

#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"

enum { RATE_MS = 1000, WIDEST_ADDRESS = 40, MINUTE_S = 60 };

struct row {
    char *address;
    const char *kind; /* "node " before an address; "" for S3 */
    bool begun, ended;
    enum run_phase phase;
    const char *outcome;
    uint64_t bytes, total;
    int64_t since_ms; /* when the phase began */
    int64_t begun_ms, ended_ms;
    int64_t sample_ms; /* the rate is that between two samples */
    uint64_t sample_bytes;
    bool sampled;
    uint64_t rate; /* bytes a second, once it is known */
};

struct progress {
    struct console *console;
    struct log *log;
    struct row *rows;
    size_t n;
    size_t widest;
    bool quiet;
};

static size_t columns_of(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void name_row(struct progress *p, struct row *row, const char *kind, const char *address)
{
    row->kind = kind;
    row->address = console_clean(p->log, address, false);
    size_t columns = columns_of(row->address);
    if (columns > p->widest)
        p->widest = columns > WIDEST_ADDRESS ? WIDEST_ADDRESS : columns;
}

struct progress *progress_new(struct console *console, struct log *log, const char *const *addresses,
                              size_t n, bool store, bool quiet)
{
    struct progress *p = mem_calloc(1, sizeof *p);
    p->console = console;
    p->log = log;
    p->rows = mem_calloc(n + 1, sizeof *p->rows);
    p->n = n + store;
    p->quiet = quiet;
    for (size_t i = 0; i < n; i++)
        name_row(p, &p->rows[i], "node ", addresses[i]);
    if (store)
        name_row(p, &p->rows[n], "", "S3");
    return p;
}

void progress_free(struct progress *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++)
        free(p->rows[i].address);
    free(p->rows);
    free(p);
}

static const char *phase_text(const struct row *row)
{
    static const char *const texts[] = {
        [RUN_CONNECT] = "connecting",  [RUN_CHECK] = "checking",
        [RUN_PREPARE] = "preparing",   [RUN_SNAPSHOT] = "snapshot running",
        [RUN_VERIFY] = "reading back", [RUN_UPLOAD] = "completing",
        [RUN_READ] = "reading",        [RUN_CLEANUP] = "cleaning up",
        [RUN_DONE] = "done",
    };
    return *row->kind || row->phase != RUN_VERIFY ? texts[row->phase] : "uploading";
}

static void start_phase(struct row *row, enum run_phase phase, int64_t now)
{
    if (!row->begun)
        row->begun_ms = now;
    row->begun = true;
    row->phase = phase;
    row->since_ms = row->sample_ms = now;
    row->bytes = row->sample_bytes = row->rate = 0;
    row->sampled = false;
}

static bool concerns_whole_run(const struct sc_err *err)
{
    return err->kind == ERR_REFUSED || err->kind == ERR_CANCELLED;
}

static void tell_end(const struct progress *p, const struct row *row, const struct run_event *event)
{
    if (event->err && !concerns_whole_run(event->err))
        console_error(p->console, p->log, *row->kind ? row->address : NULL, event->err);
    if (event->err || p->quiet || console_is_live(p->console) || !row->begun)
        return;
    AUTO_FREE char *took = str_duration(row->ended_ms - row->begun_ms);
    AUTO_FREE char *line = str_format("%s%s: %s after %s", row->kind, row->address, row->outcome, took);
    console_line(p->console, line);
}

static void tell_phase(const struct progress *p, const struct row *row)
{
    if (p->quiet || console_is_live(p->console))
        return;
    AUTO_FREE char *line = str_format("%s%s: %s", row->kind, row->address, phase_text(row));
    console_line(p->console, line);
}

void progress_event(struct progress *p, const struct run_event *event)
{
    if (event->node >= p->n)
        return;
    struct row *row = &p->rows[event->node];
    int64_t now = ctx_now_ms();
    if (event->ended) {
        row->ended = true;
        row->outcome = event->outcome;
        row->ended_ms = now;
        if (!row->begun)
            row->begun_ms = now;
        tell_end(p, row, event);
        return;
    }
    if (!row->begun || row->phase != event->phase) {
        start_phase(row, event->phase, now);
        tell_phase(p, row);
    }
    row->bytes = event->bytes;
    row->total = event->total;
}

static void sample_rate(struct row *row, int64_t now)
{
    int64_t elapsed = now - row->sample_ms;
    if (elapsed < RATE_MS)
        return;
    /* Fewer bytes than before: the archive is read from its beginning again. */
    uint64_t moved = row->bytes > row->sample_bytes ? row->bytes - row->sample_bytes : 0;
    row->rate = moved * 1000 / (uint64_t)elapsed;
    row->sampled = true;
    row->sample_ms = now;
    row->sample_bytes = row->bytes;
}

/* Cuts to so many columns. Beyond ASCII each character may take two. */
static void append_cut(struct buf *out, const char *text, size_t columns)
{
    size_t len = strlen(text), at = 0;
    while (at < len) {
        size_t n = str_utf8_length(text + at, len - at);
        size_t width = n > 1 ? 2 : 1;
        if (width > columns)
            break;
        columns -= width;
        at += n ? n : 1;
    }
    buf_append(out, text, at);
    buf_puts(out, "\n");
}

/* In whole units, as it is a guess. */
static void append_left(struct buf *line, uint64_t seconds)
{
    if (seconds < MINUTE_S)
        buf_printf(line, "  %u s left", (unsigned)seconds);
    else
        buf_printf(line, "  %llu min left", (unsigned long long)(seconds / MINUTE_S));
}

static void describe(struct buf *line, struct row *row, int64_t now)
{
    sample_rate(row, now);
    AUTO_FREE char *took = str_duration((row->ended ? row->ended_ms : now) - row->begun_ms);
    const char *what = row->ended ? row->outcome : phase_text(row);
    buf_printf(line, "%-16s  %8s", what, took);
    if (row->ended || row->phase != RUN_VERIFY)
        return;
    AUTO_FREE char *bytes = str_bytes(row->bytes), *total = str_bytes(row->total),
                   *rate = str_bytes(row->rate);
    buf_printf(line, "  %s", bytes);
    if (row->total)
        buf_printf(line, " of %s", total);
    if (row->sampled)
        buf_printf(line, "  %s/s", rate);
    if (row->rate && row->total > row->bytes)
        append_left(line, (row->total - row->bytes) / row->rate);
}

static void render_row(const struct progress *p, struct row *row, size_t columns, int64_t now,
                       struct buf *out)
{
    AUTO_BUF struct buf line = {0};
    size_t width = columns_of(row->address);
    int padding = width < p->widest ? (int)(p->widest - width) : 0;
    buf_printf(&line, "%s%*s  ", row->address, padding, "");
    if (row->begun || row->ended)
        describe(&line, row, now);
    else
        buf_puts(&line, "waiting");
    append_cut(out, buf_text(&line), columns);
}

/* Where not all nodes have room, those that are still at work are shown. */
char *progress_render(struct progress *p, size_t columns, size_t rows, int64_t now)
{
    struct buf out = {0};
    /* The last column and line stay free: writing there makes some terminals wrap and scroll. */
    size_t room = rows > 2 ? rows - 2 : 1, shown = 0;
    bool all = p->n <= room;
    if (!all)
        room--;
    for (size_t i = 0; i < p->n && shown < room; i++) {
        if (!all && p->rows[i].ended)
            continue;
        render_row(p, &p->rows[i], columns - 1, now, &out);
        shown++;
    }
    if (!all) {
        AUTO_FREE char *more = str_format("and %zu more nodes", p->n - shown);
        append_cut(&out, more, columns - 1);
    }
    return buf_take(&out);
}

void progress_tick(struct progress *p)
{
    if (p->quiet || !console_is_live(p->console))
        return;
    AUTO_FREE char *block =
        progress_render(p, console_live_columns(p->console), console_live_rows(p->console), ctx_now_ms());
    console_draw(p->console, block);
}

void progress_end(struct progress *p, bool keep)
{
    if (!keep) {
        console_draw(p->console, "");
        return;
    }
    progress_tick(p);
    console_settle(p->console);
}
