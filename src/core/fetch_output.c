#include "fetch_output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapctl/base/descriptor.h"
#include "snapctl/base/str.h"

/* Many times what etcd can hold, and what an RKE state file has. */
static const uint64_t bytes_max[] = {[FETCH_ZIP] = (uint64_t)64 << 30,
                                     [FETCH_DATABASE] = (uint64_t)64 << 30,
                                     [FETCH_STATE] = (uint64_t)64 << 20};

struct fetch_output {
    const struct fetch_options *options;
    char *name;
    bool folder; /* options->to is one, or NULL */
    bool standard;
    struct descriptor_sink descriptor;
    bool plain; /* the copy that is under way */
    /* In the order in which they get their names: whoever sees the last one sees all. NULL: none. */
    struct new_file *state, *main;
};

static bool is_folder(const char *path)
{
    struct stat st;
    return str_ends(path, "/") || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

static char *path_of(const struct fetch_output *o, enum fetch_kind kind)
{
    static const char *const endings[] = {
        [FETCH_ZIP] = ".zip", [FETCH_DATABASE] = "", [FETCH_STATE] = ".rkestate"};
    const char *to = o->options->to;
    if (!o->folder)
        return str_format("%s%s", to, kind == FETCH_STATE ? endings[kind] : "");
    const char *slash = !to || str_ends(to, "/") ? "" : "/";
    return str_format("%s%s%s%s", to ? to : "", slash, o->name, endings[kind]);
}

static int open_one(const struct fetch_output *o, enum fetch_kind kind, struct new_file **file,
                    struct sc_err *err)
{
    AUTO_FREE char *path = path_of(o, kind);
    if (new_file_open(path, o->options->replace, bytes_max[kind], file, err) == 0)
        return 0;
    if (err && err->kind == ERR_REFUSED && !o->options->replace)
        err_hint(err, "--force replaces a file; another one is named with -o");
    return -1;
}

static enum fetch_kind main_kind(const struct fetch_output *o)
{
    return o->options->extract || o->plain ? FETCH_DATABASE : FETCH_ZIP;
}

static int open_files(struct fetch_output *o, struct sc_err *err)
{
    if (open_one(o, main_kind(o), &o->main, err) < 0)
        return -1;
    return o->options->extract && !o->plain ? open_one(o, FETCH_STATE, &o->state, err) : 0;
}

int fetch_output_new(const struct fetch_options *options, const char *name, struct fetch_output **out,
                     struct sc_err *err)
{
    struct fetch_output *o = mem_calloc(1, sizeof *o);
    o->options = options;
    o->name = str_dup(name);
    o->standard = str_equal(options->to, "-");
    o->folder = !options->to || is_folder(options->to);
    if (o->standard)
        descriptor_sink_init(&o->descriptor, STDOUT_FILENO, "standard output");
    else if (open_files(o, err) < 0) {
        fetch_output_free(o);
        return -1;
    }
    fetch_output_drop(o);
    *out = o;
    return 0;
}

void fetch_output_free(struct fetch_output *o)
{
    if (!o)
        return;
    fetch_output_drop(o);
    free(o->name);
    free(o);
}

int fetch_output_begin(struct fetch_output *o, bool plain, struct inspect_to *to, struct sc_err *err)
{
    *to = (struct inspect_to){0};
    o->plain = plain;
    if (o->standard) {
        to->archive = &o->descriptor.sink;
        return 0;
    }
    if (open_files(o, err) < 0)
        return -1;
    to->state = o->state ? new_file_sink(o->state) : NULL;
    if (main_kind(o) == FETCH_DATABASE)
        to->database = o->main;
    else
        to->archive = new_file_sink(o->main);
    return 0;
}

static void note(struct fetch_result *r, enum fetch_kind kind, const char *path, uint64_t bytes)
{
    r->files[r->n_files++] = (struct fetch_file){.kind = kind, .path = str_dup(path), .bytes = bytes};
}

static void warn_of_stale_state(const struct fetch_output *o, const struct ctx *ctx)
{
    AUTO_FREE char *path = path_of(o, FETCH_STATE);
    if (access(path, F_OK) == 0)
        ctx_log(ctx, LOG_WARN, "%s is another snapshot's: this one has no state file", path);
}

int fetch_output_keep(struct fetch_output *o, const struct ctx *ctx, bool state, struct fetch_result *result,
                      struct sc_err *err)
{
    struct new_file *files[FETCH_FILES_MAX];
    size_t n = 0;
    if (ctx_check(ctx, err) < 0)
        return -1;
    if (o->standard) {
        note(result, main_kind(o), NULL, o->descriptor.bytes);
        return 0;
    }
    if (o->state && state)
        files[n++] = o->state;
    files[n++] = o->main;
    if (new_files_keep(files, n, err) < 0)
        return -1;
    note(result, main_kind(o), new_file_path(o->main), new_file_bytes(o->main));
    if (n > 1)
        note(result, FETCH_STATE, new_file_path(o->state), new_file_bytes(o->state));
    else if (o->options->extract)
        warn_of_stale_state(o, ctx);
    fetch_output_drop(o);
    return 0;
}

void fetch_output_drop(struct fetch_output *o)
{
    new_file_free(o->state);
    new_file_free(o->main);
    o->state = o->main = NULL;
}

bool fetch_output_spent(const struct fetch_output *o)
{
    return o->descriptor.bytes > 0;
}
