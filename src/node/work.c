#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reason.h"
#include "script.h"
#include "snapctl/base/str.h"
#include "snapctl/node/node.h"

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
    return str_format("%s/%s.zip", NODE_SNAPSHOT_FOLDER, job->name);
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

/* What the scripts work.sh and resume.sh said. */
struct outcome {
    char container[CONTAINER_ID + 1]; /* "": not said */
    bool gone, unstarted, started, removed, unanswered;
    char identity[IDENTITY + 1];
    int64_t taken;  /* 0: not said */
    int64_t status; /* -1: not said */
    int64_t mode;   /* -1: not said; octal digits read as decimal */
    uint64_t bytes;
    const char *log; /* within the output; NULL: none */
};

static struct outcome parse_outcome(const char *text)
{
    struct outcome o = {.status = -1, .mode = -1};
    while (*text) {
        AUTO_FREE char *line = str_next_line(&text);
        char id[CONTAINER_ID + 1] = "", identity[IDENTITY + 1] = "";
        long long mode;
        unsigned long long bytes;
        if (sscanf(line, "created %64[0-9a-f]", id) == 1)
            memcpy(o.container, id, sizeof id);
        o.gone |= strcmp(line, "gone") == 0;
        o.unstarted |= strcmp(line, "unstarted") == 0;
        o.started |= strcmp(line, "started") == 0;
        o.removed |= strcmp(line, "removed") == 0;
        o.unanswered |= strcmp(line, "unanswered") == 0;
        if (str_starts(line, "taken "))
            str_to_int(line + strlen("taken "), 1, 255, &o.taken);
        else if (str_starts(line, "exit "))
            str_to_int(line + strlen("exit "), 0, 255, &o.status);
        else if (sscanf(line, "archive %5lld %20llu %63[0-9.]", &mode, &bytes, identity) == 3) {
            o.mode = mode;
            o.bytes = bytes;
            memcpy(o.identity, identity, sizeof identity);
        } else if (strcmp(line, "log") == 0) {
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

static int fail_snapshot(const struct ctx *ctx, const struct outcome *o, struct sc_err *err)
{
    if (o->removed)
        return err_set(err, ERR_SNAPSHOT,
                       "the snapshot container was removed while it ran, by RKE or by docker rm");
    AUTO_FREE char *reason = reason_of_log(o->log ? o->log : "");
    AUTO_FREE char *end = reason_log_end(o->log ? o->log : "", LOG_LINES);
    log_all(ctx, o->log ? o->log : "");
    err_set(err, ERR_SNAPSHOT, "the snapshot container ended with status %" PRId64 ": %s", o->status, reason);
    return *end ? err_hint(err, "the end of its log:\n%s", end) : -1;
}

static int judge_archive(const struct node *node, const struct outcome *o, struct sc_err *err)
{
    AUTO_FREE char *path = node_archive_path(node->job);
    if (o->mode < 0)
        return err_set(err, ERR_CORRUPT,
                       "the container ended well, but %s is not there or could not be flushed", path);
    if (o->mode != 600)
        return err_set(err, ERR_CORRUPT,
                       "%s has mode %03" PRId64 ", not 600: others could read the cluster's secrets", path,
                       o->mode);
    return 0;
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
    if (!o.started)
        return fail_begin(output, err);
    if (o.status < 0 && !o.removed) {
        AUTO_FREE char *reason = reason_of(&output->err);
        return err_set(err, ERR_DOCKER, "the snapshot container's end was not told: %s", reason);
    }
    if (o.status != 0)
        return fail_snapshot(ctx, &o, err);
    if (judge_archive(node, &o, err) < 0)
        return -1;
    free(node->container);
    free(node->identity);
    node->container = str_dup(o.container);
    node->identity = str_dup(o.identity);
    archive->bytes = o.bytes;
    return 0;
}

static int begin(struct node *node, struct ssh *ssh, const struct ctx *ctx, struct ssh_output *output,
                 struct sc_err *err)
{
    struct source_memory input;
    source_memory_init(&input, secret_data(node->job->input), secret_len(node->job->input));
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
    AUTO_FREE char *command =
        script_command(node, what == NODE_READ_ALL ? SCRIPT_READ_ALL : SCRIPT_READ_TAIL);
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
    }
    ssh_output_free(&output);
    return result;
}

int node_cleanup(struct node *node, struct ssh *ssh, const struct ctx *ctx, char **left, struct sc_err *err)
{
    struct ssh_output output = {0};
    int result = finish(node, ssh, ctx, SCRIPT_CLEANUP, &output, left, err);
    ssh_output_free(&output);
    return result;
}

char *node_leftovers(const struct node *node)
{
    const struct node_job *job = node->job;
    AUTO_FREE char *kubernetes = script_kubernetes_folder(node);
    struct buf out = {0};
    buf_printf(&out, "container etcd-snapshot-once, %s/%s.zip", NODE_SNAPSHOT_FOLDER, job->name);
    if (job->state_bytes)
        buf_printf(&out, ", %s/%s.rkestate", kubernetes, job->name);
    if (job->force)
        buf_printf(&out, "; a snapshot that was to be replaced is %s/.%s.zip.%s.before-force",
                   NODE_SNAPSHOT_FOLDER, job->name, job->run);
    return buf_take(&out);
}

char *node_commands(const struct node *node, bool verify_all)
{
    const enum script_kind kinds[] = {
        SCRIPT_PROBE,   SCRIPT_PULL,    SCRIPT_WORK, verify_all ? SCRIPT_READ_ALL : SCRIPT_READ_TAIL,
        SCRIPT_RELEASE, SCRIPT_CLEANUP,
    };
    struct buf out = {0};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        AUTO_FREE char *command = script_command(node, kinds[i]);
        if (kinds[i] != SCRIPT_PULL || node->facts.pull)
            buf_printf(&out, "%s\n", command);
    }
    return buf_take(&out);
}
