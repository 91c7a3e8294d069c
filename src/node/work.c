#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certificates.h"
#include "reason.h"
#include "script.h"
#include "snapctl/base/str.h"
#include "snapctl/node/node.h"
#include "tool.h"

enum {
    STATUS_NO_CREATE = 125,
    STATUS_NO_COPY = 126,
    STATUS_NO_START = 127,
    CONTAINER_ID = 64,
    IDENTITY = 63,
    LOG_LINES = 10
};

/* How the script that looks at the name under the lock ends. */
enum { TAKEN_EXISTS = 17, TAKEN_NOT_MOVED = 18 };

#define ALPHANUMERIC "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* A letter or digit first, then of those and the others. */
static bool is_word(const char *text, const char *all)
{
    return *text && strchr(ALPHANUMERIC, *text) && strspn(text, all) == strlen(text);
}

bool node_name_valid(const char *name)
{
    return is_word(name, ALPHANUMERIC "._+:-") && strlen(name) <= NODE_NAME_MAX;
}

char *node_snapshot_of(const char *file, bool *zip)
{
    bool ends = str_ends(file, ".zip");
    AUTO_FREE char *name = str_dup_n(file, strlen(file) - (ends ? strlen(".zip") : 0));
    if (zip)
        *zip = ends;
    return node_name_valid(name) ? mem_take(&name) : NULL;
}

bool node_file_name_valid(const char *file)
{
    AUTO_FREE char *name = node_snapshot_of(file, NULL);
    return name != NULL;
}

bool node_image_valid(const char *image)
{
    return is_word(image, ALPHANUMERIC "._/:@-");
}

char *node_archive_path(const struct node_job *job)
{
    return str_format("%s/%s%s", NODE_SNAPSHOT_FOLDER, job->name, job->legacy ? "" : ".zip");
}

static int run(const struct node *node, struct ssh *ssh, const struct ctx *ctx, enum script_kind kind,
               struct source *input, struct ssh_output *output, struct sc_err *err)
{
    AUTO_FREE char *command = script_command(node, kind);
    return ssh_run(ssh, ctx, command, input, output, err);
}

int node_pull(struct node *node, struct ssh *ssh, const struct ctx *ctx, struct sc_err *err)
{
    const struct node_registry *registry = script_registry(node);
    struct source_memory password;
    if (registry)
        source_memory_init(&password, secret_data(registry->password), secret_len(registry->password));
    struct ssh_output output = {0};
    int result = run(node, ssh, ctx, SCRIPT_PULL, registry ? &password.source : NULL, &output, err);
    if (result == 0 && output.status != 0) {
        AUTO_FREE char *reason = reason_of(&output.err);
        result = err_set(err, ERR_IMAGE, "cannot pull the image %s: %s", node->facts.image, reason);
        err_hint(
            err,
            "check system_images.alpine and private_registries in cluster.yml, or name an image that the "
            "node has with --image");
    }
    ssh_output_free(&output);
    return result;
}

/* A file that was made. */
struct made {
    int64_t mode; /* -1: not said; octal digits read as decimal */
    uint64_t bytes;
    char identity[IDENTITY + 1];
};

/* What the scripts work.sh and resume.sh said. */
struct outcome {
    char container[CONTAINER_ID + 1]; /* "": not said */
    bool gone, unstarted, started, removed, unanswered, unbundled;
    int64_t taken;        /* 0: not said */
    int64_t status;       /* -1: not said */
    int64_t certificates; /* that are elsewhere, as there is nothing to be bundled; -1: not said */
    struct made archive, bundle;
    const char *log; /* within the output; NULL: none */
};

/* "KEY MODE BYTES IDENTITY" */
static void parse_made(const char *line, const char *key, struct made *made)
{
    char identity[IDENTITY + 1] = "";
    long long mode;
    unsigned long long bytes;
    if (!str_starts(line, key) ||
        sscanf(line + strlen(key), "%5lld %20llu %63[0-9.]", &mode, &bytes, identity) != 3)
        return;
    made->mode = mode;
    made->bytes = bytes;
    memcpy(made->identity, identity, sizeof identity);
}

static struct outcome parse_outcome(const char *text)
{
    struct outcome o = {.status = -1, .certificates = -1, .archive.mode = -1, .bundle.mode = -1};
    while (*text) {
        AUTO_FREE char *line = str_next_line(&text);
        char id[CONTAINER_ID + 1] = "";
        if (sscanf(line, "created %64[0-9a-f]", id) == 1)
            memcpy(o.container, id, sizeof id);
        o.gone |= strcmp(line, "gone") == 0;
        o.unstarted |= strcmp(line, "unstarted") == 0;
        o.started |= strcmp(line, "started") == 0;
        o.removed |= strcmp(line, "removed") == 0;
        o.unanswered |= strcmp(line, "unanswered") == 0;
        o.unbundled |= strcmp(line, "unbundled") == 0;
        parse_made(line, "archive ", &o.archive);
        parse_made(line, "bundle ", &o.bundle);
        if (str_starts(line, "taken "))
            str_to_int(line + strlen("taken "), 1, 255, &o.taken);
        else if (str_starts(line, "exit "))
            str_to_int(line + strlen("exit "), 0, 255, &o.status);
        else if (str_starts(line, "certificates "))
            str_to_int(line + strlen("certificates "), 0, INT32_MAX, &o.certificates);
        else if (strcmp(line, "log") == 0) {
            o.log = text;
            break;
        }
    }
    return o;
}

/* What the tool said, for --debug: the whole of it, a line each. */
static void log_all(const struct ctx *ctx, const char *log)
{
    while (*log) {
        size_t len = strcspn(log, "\n");
        ctx_log(ctx, LOG_DEBUG, "snapshot container: %.*s", (int)len, log);
        log += len + (log[len] == '\n');
    }
}

static int fail_create(const struct ssh_output *output, struct sc_err *err)
{
    AUTO_FREE char *reason = reason_of(&output->err);
    if (strstr(buf_text(&output->err), "is already in use")) {
        err_set(err, ERR_BUSY, "another snapshot was begun on this node meanwhile: %s", reason);
        return err_hint(err, "wait for it to end, then try again");
    }
    return err_set(err, ERR_DOCKER, "cannot create the snapshot container: %s", reason);
}

static int fail_begin(const struct ssh_output *output, struct sc_err *err)
{
    AUTO_FREE char *reason = reason_of(&output->err);
    if (output->status == STATUS_NO_COPY)
        return err_set(err, ERR_DOCKER, "cannot place the state file on the node: %s", reason);
    if (output->status == STATUS_NO_START)
        return err_set(err, ERR_DOCKER, "cannot start the snapshot container: %s", reason);
    return err_set(err, ERR_DOCKER, "the work on the node ended with status %d: %s", output->status, reason);
}

static int fail_taken(const struct node *node, const struct outcome *o, const struct ssh_output *output,
                      struct sc_err *err)
{
    if (o->taken == TAKEN_EXISTS) {
        err_set(err, ERR_REFUSED, "a snapshot named %s came to be on this node meanwhile", node->job->name);
        return err_hint(err, "choose another --name, or --force to replace it");
    }
    AUTO_FREE char *reason = reason_of(&output->err);
    if (o->taken == TAKEN_NOT_MOVED)
        return err_set(err, ERR_SPACE, "the old snapshot of this name could not be moved aside: %s", reason);
    return err_set(err, ERR_DOCKER, "cannot look into %s by a container: %s", NODE_SNAPSHOT_FOLDER, reason);
}

static int fail_snapshot(const struct node *node, const struct ctx *ctx, const struct outcome *o,
                         struct sc_err *err)
{
    const char *log = o->log ? o->log : "";
    if (o->removed)
        return err_set(err, ERR_SNAPSHOT,
                       "the snapshot container was removed while it ran, by RKE or by docker rm");
    AUTO_FREE char *reason = reason_of_log(log);
    AUTO_FREE char *end = reason_log_end(log, LOG_LINES);
    log_all(ctx, log);
    if (tool_is_of_another_era(node, log, err))
        return -1;
    err_set(err, ERR_SNAPSHOT, "the snapshot container ended with status %" PRId64 "%s: %s", o->status,
            o->status ? "" : " and left no snapshot", reason);
    return *end ? err_hint(err, "the end of its log:\n%s", end) : -1;
}

static int judge_mode(const char *path, const struct made *made, struct sc_err *err)
{
    if (made->mode == 600)
        return 0;
    return err_set(err, ERR_CORRUPT,
                   "%s has mode %03" PRId64 ", not 600: others could read the cluster's secrets", path,
                   made->mode);
}

static int judge_archive(const struct node *node, const struct outcome *o, struct sc_err *err)
{
    AUTO_FREE char *path = node_archive_path(node->job);
    if (o->archive.mode < 0)
        return err_set(err, ERR_CORRUPT,
                       "the container ended well, but %s is not there or could not be flushed", path);
    if (o->archive.bytes > NODE_BYTES_MAX)
        return err_set(err, ERR_CORRUPT, "%s cannot have %" PRIu64 " bytes", path, o->archive.bytes);
    return judge_mode(path, &o->archive, err);
}

static int judge_bundle(const struct node *node, const struct outcome *o, const struct ssh_output *output,
                        struct sc_err *err)
{
    if (o->bundle.mode >= 0)
        return judge_mode(NODE_BUNDLE_FILE, &o->bundle, err);
    if (o->certificates >= 0)
        return certificates_fail(node, o->certificates, err);
    if (!o->unbundled)
        return fail_begin(output, err);
    AUTO_FREE char *reason = reason_of(&output->err);
    return err_set(err, ERR_SNAPSHOT, NODE_BUNDLE_FILE " could not be made: %s", reason);
}

static void keep(char **slot, const char *text)
{
    free(*slot);
    *slot = str_dup(text);
}

/* The snapshot's container, from its start to what it left. */
static int judge_container(const struct node *node, const struct ctx *ctx, const struct outcome *o,
                           const struct ssh_output *output, struct sc_err *err)
{
    if (!o->started)
        return fail_begin(output, err);
    if (o->status < 0 && !o->removed) {
        AUTO_FREE char *reason = reason_of(&output->err);
        return err_set(err, ERR_DOCKER, "the snapshot container's end was not told: %s", reason);
    }
    /* The tool of RKE before v0.2.0 ends with 0 whatever happens. */
    bool left_nothing = node->job->legacy && o->archive.mode < 0;
    return o->status != 0 || left_nothing ? fail_snapshot(node, ctx, o, err) : judge_archive(node, o, err);
}

static int judge_outcome(struct node *node, const struct ctx *ctx, const struct ssh_output *output,
                         struct node_archive *archive, struct sc_err *err)
{
    struct outcome o = parse_outcome(buf_text(&output->out));
    node->started |= o.started;
    if (o.unanswered)
        return err_set(err, ERR_DOCKER,
                       "Docker does not answer, so what became of the snapshot is not known");
    if (o.taken)
        return fail_taken(node, &o, output, err);
    if (output->status == STATUS_NO_CREATE && !*o.container)
        return fail_create(output, err);
    if (node->job->bundle && judge_bundle(node, &o, output, err) < 0)
        return -1;
    if (!node->bundle_only && judge_container(node, ctx, &o, output, err) < 0)
        return -1;
    keep(&node->container, o.container);
    keep(&node->identity, o.archive.identity);
    keep(&node->bundle_identity, o.bundle.identity);
    archive->bytes = o.archive.bytes;
    return 0;
}

static int begin(struct node *node, struct ssh *ssh, const struct ctx *ctx, struct ssh_output *output,
                 struct sc_err *err)
{
    struct source_memory input;
    source_memory_init(&input, secret_data(node->job->input), secret_len(node->job->input));
    node->cleaned = false;
    return run(node, ssh, ctx, SCRIPT_WORK, &input.source, output, err);
}

/* Takes up what goes on. What was cut off before its start is undone and begun anew. */
static int take_up(struct node *node, struct ssh *ssh, const struct ctx *ctx, struct ssh_output *output,
                   struct sc_err *err)
{
    if (run(node, ssh, ctx, SCRIPT_RESUME, NULL, output, err) < 0)
        return -1;
    struct outcome o = parse_outcome(buf_text(&output->out));
    if (!o.gone && !o.unstarted)
        return 0;
    AUTO_FREE char *left = NULL;
    if (node_cleanup(node, ssh, ctx, &left, err) < 0)
        return -1;
    if (left)
        return err_set(err, ERR_DOCKER, "what the lost connection left could not be undone: %s", left);
    ssh_output_free(output);
    return begin(node, ssh, ctx, output, err);
}

int node_snapshot(struct node *node, struct ssh *ssh, const struct ctx *ctx, bool resume,
                  struct node_archive *archive, struct sc_err *err)
{
    struct ssh_output output = {0};
    int result = resume ? take_up(node, ssh, ctx, &output, err) : begin(node, ssh, ctx, &output, err);
    if (result == 0)
        result = judge_outcome(node, ctx, &output, archive, err);
    ssh_output_free(&output);
    return result;
}

int node_open_archive(struct node *node, struct ssh *ssh, const struct ctx *ctx, enum node_read what,
                      struct ssh_stream **out, struct sc_err *err)
{
    static const enum script_kind kinds[] = {
        [NODE_READ_ALL] = SCRIPT_READ_ALL,
        [NODE_READ_TAIL] = SCRIPT_READ_TAIL,
        [NODE_READ_NEW_BUNDLE] = SCRIPT_READ_NEW_BUNDLE,
        [NODE_READ_BUNDLE] = SCRIPT_READ_BUNDLE,
    };
    AUTO_FREE char *command = script_command(node, kinds[what]);
    return ssh_stream_open(ssh, ctx, command, out, err);
}

int node_open_copy(const struct node *node, struct ssh *ssh, const struct ctx *ctx,
                   const struct node_copy *copy, struct ssh_stream **out, struct sc_err *err)
{
    struct node_job job = *node->job;
    struct node other = *node;
    job.name = copy->name;
    other.job = &job;
    other.copy = copy;
    AUTO_FREE char *command = script_command(&other, SCRIPT_COPY);
    return ssh_stream_open(ssh, ctx, command, out, err);
}

int node_read_identity(struct ssh_stream *stream, const struct ctx *ctx, char **identity, struct sc_err *err)
{
    struct source *source = ssh_stream_source(stream);
    char line[IDENTITY + 1];
    for (size_t len = 0, got = 1; len < sizeof line; len += got) {
        if (source->read(source, ctx, &line[len], 1, &got, err) < 0)
            return -1;
        if (got && line[len] == '\n') {
            *identity = str_visible(line, len, false);
            return 0;
        }
        if (!got)
            break;
    }
    return err_set(err, ERR_DOCKER, "the node's answer cannot be read: it does not tell which file it sends");
}

/* "left WHAT" lines, joined; NULL if there are none. */
static char *parse_left(const char *text)
{
    struct buf out = {0};
    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n"), head = strlen("left ");
        AUTO_FREE char *what = len > head ? str_visible(line + head, len - head, false) : NULL;
        if (what && str_starts(line, "left "))
            buf_printf(&out, "%s%s", out.len ? ", " : "", what);
        line += len + (line[len] == '\n');
    }
    return out.len ? buf_take(&out) : NULL;
}

static int finish(const struct node *node, struct ssh *ssh, const struct ctx *ctx, enum script_kind kind,
                  struct ssh_output *output, char **left, struct sc_err *err)
{
    if (run(node, ssh, ctx, kind, NULL, output, err) < 0)
        return -1;
    *left = parse_left(buf_text(&output->out));
    if (output->status == 0)
        return 0;
    AUTO_FREE char *reason = reason_of(&output->err);
    return err_set(err, ERR_DOCKER, "cleaning up failed: %s", reason);
}

int node_release(struct node *node, struct ssh *ssh, const struct ctx *ctx, char **left, struct sc_err *err)
{
    struct ssh_output output = {0};
    int result = finish(node, ssh, ctx, SCRIPT_RELEASE, &output, left, err);
    if (result == 0 && str_starts(buf_text(&output.out), "replaced")) {
        result =
            err_set(err, ERR_CORRUPT, "another file came into the archive's place while it was read back");
        err_hint(err, "does RKE, or another tool, write snapshots of the same name?");
    } else if (result == 0 && str_starts(buf_text(&output.out), "unbundled")) {
        result = err_set(err, ERR_CORRUPT, NODE_BUNDLE_FILE " could not be put in its place");
        err_hint(err, "is there a folder of that name, or does another tool write it?");
    }
    node->released |= result == 0 || err->kind != ERR_CORRUPT;
    ssh_output_free(&output);
    return result;
}

int node_cleanup(struct node *node, struct ssh *ssh, const struct ctx *ctx, char **left, struct sc_err *err)
{
    struct ssh_output output = {0};
    int result = finish(node, ssh, ctx, SCRIPT_CLEANUP, &output, left, err);
    node->cleaned = true;
    ssh_output_free(&output);
    return result;
}

char *node_leftovers(const struct node *node)
{
    const struct node_job *job = node->job;
    AUTO_FREE char *kubernetes = script_kubernetes_folder(node);
    struct buf out = {0};
    AUTO_FREE char *archive = node_archive_path(job);
    AUTO_FREE char *bundle = script_new_bundle(node);
    buf_puts(&out, "container etcd-snapshot-once");
    if (job->bundle)
        buf_printf(&out, ", %s/%s", NODE_SNAPSHOT_FOLDER, bundle);
    if (node->bundle_only)
        return buf_take(&out);
    buf_printf(&out, ", %s", archive);
    if (job->state_bytes)
        buf_printf(&out, ", %s/%s.rkestate", kubernetes, job->name);
    if (job->force)
        buf_printf(&out, "; a snapshot that was to be replaced is %s/.%s.%s.before-force",
                   NODE_SNAPSHOT_FOLDER, archive + strlen(NODE_SNAPSHOT_FOLDER "/"), job->run);
    return buf_take(&out);
}

char *node_commands(const struct node *node, bool verify_all)
{
    const struct {
        enum script_kind kind;
        bool used;
    } steps[] = {
        {SCRIPT_PROBE,           true                             },
        {SCRIPT_PULL,            node->facts.pull                 },
        {SCRIPT_WORK,            true                             },
        {SCRIPT_READ_NEW_BUNDLE, node->job->bundle                },
        {SCRIPT_READ_ALL,        verify_all && !node->bundle_only },
        {SCRIPT_READ_TAIL,       !verify_all && !node->bundle_only},
        {SCRIPT_RELEASE,         true                             },
        {SCRIPT_CLEANUP,         true                             },
    };
    struct buf out = {0};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        AUTO_FREE char *command = steps[i].used ? script_command(node, steps[i].kind) : NULL;
        if (command)
            buf_printf(&out, "%s\n", command);
    }
    return buf_take(&out);
}
