#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reason.h"
#include "script.h"
#include "snapctl/base/str.h"
#include "snapctl/node/node.h"

enum { PROBE_MAX_BYTES = 1 << 20, TAKEN_MAX = 8, FRESH_SECONDS = 600 };

/* More than any etcd holds, and far from what a double cannot count exactly. */
static const double MOST_BYTES = 1e15;

/* The parse's own notes, beside the facts. */
struct probe {
    struct node *node;
    struct buf tried;  /* ways to run Docker that failed */
    char *sidekick;    /* image of the container service-sidekick */
    char *local;       /* the first tools image that the node has */
    bool wanted_local; /* the job's image is there */
};

static void take_text(char **slot, const char *text)
{
    free(*slot);
    *slot = str_visible(text, strlen(text), false);
}

static void on_tried(struct probe *p, const char *value)
{
    AUTO_FREE char *text = str_visible(value, strlen(value), false);
    size_t len = strlen(text);
    while (len && text[len - 1] == ' ')
        text[--len] = '\0';
    buf_printf(&p->tried, "%s%s", p->tried.len ? "; " : "", text);
}

/* "VERSION|[security options]|SYSTEM" */
static void on_engine(struct probe *p, const char *value)
{
    struct node_facts *f = &p->node->facts;
    const char *security = strchr(value, '|');
    const char *system = security ? strchr(security + 1, '|') : NULL;
    if (!system)
        return;
    AUTO_FREE char *engine = str_dup_n(value, (size_t)(security - value));
    AUTO_FREE char *options = str_dup_n(security, (size_t)(system - security));
    take_text(&f->engine, engine);
    take_text(&f->system, system + 1);
    f->selinux = strstr(options, "name=selinux") != NULL;
}

/* The words go back to the node as a command: only those of probe.sh are taken. */
static void on_docker(struct probe *p, const char *value)
{
    static const char *const known[] = {"docker", "/usr/bin/docker", "sudo -n docker"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(value, known[i]) == 0)
            take_text(&p->node->facts.docker, value);
}

static void on_uid(struct probe *p, const char *value)
{
    take_text(&p->node->facts.uid, value);
}

static void on_now(struct probe *p, const char *value)
{
    struct node_facts *f = &p->node->facts;
    if (!str_to_int(value, 0, INT64_MAX, &f->now))
        f->now = 0;
}

static void on_wanted(struct probe *p, const char *value)
{
    (void)value;
    p->wanted_local = true;
}

static void on_local(struct probe *p, const char *value)
{
    if (!p->local)
        take_text(&p->local, value);
}

static void on_alive(struct probe *p, const char *value)
{
    (void)value;
    p->node->facts.lock.alive = true;
}

static void on_database(struct probe *p, const char *value)
{
    int64_t bytes;
    if (str_to_int(value, 1, (int64_t)MOST_BYTES, &bytes))
        p->node->facts.database_bytes = (uint64_t)bytes;
}

/* Within etcdctl's answer; 64 bits without a sign, which jansson cannot read. */
static void on_cluster(struct probe *p, const char *value)
{
    static const char key[] = "\"cluster_id\":";
    const char *at = strstr(value, key);
    if (!at)
        return;
    at += strlen(key);
    errno = 0;
    uint64_t id = *at >= '1' && *at <= '9' ? strtoull(at, NULL, 10) : 0;
    p->node->facts.cluster_id = errno ? 0 : id;
}

/* etcdctl's answer; what is not JSON is its error. */
static void on_etcd(struct probe *p, const char *value)
{
    struct node_facts *f = &p->node->facts;
    /* etcd's ids are unsigned and need not fit jansson's integers; the size is far from where reals are
     * coarse. */
    json_t *root = json_loads(value, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
    const json_t *status = json_object_get(json_array_get(root, 0), "Status");
    double bytes = json_number_value(json_object_get(status, "dbSize"));
    if (bytes > 0 && bytes < MOST_BYTES)
        f->database_bytes = (uint64_t)bytes;
    else
        take_text(&f->etcd_problem, value);
    on_cluster(p, value);
    json_decref(root);
}

/* The RFC 3339 times of Docker, in UTC; -1 if it is none. */
static int64_t parse_time(const char *text)
{
    struct tm tm = {0};
    const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    return rest && tm.tm_year > 0 ? (int64_t)timegm(&tm) : -1;
}

static const char *get_string(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void take_label(char **slot, const json_t *labels, const char *key)
{
    const char *value = json_string_value(json_object_get(labels, key));
    if (value)
        take_text(slot, value);
}

static bool is_run(const char *text)
{
    return *text && strspn(text, "0123456789abcdef") == strlen(text) && strlen(text) <= 64;
}

static void on_lock(struct probe *p, const json_t *container)
{
    struct node_lock *lock = &p->node->facts.lock;
    const json_t *state = json_object_get(container, "state");
    const json_t *labels = json_object_get(container, "labels");
    const char *status = get_string(state, "Status");
    int64_t started = parse_time(get_string(state, "StartedAt"));
    int64_t created = parse_time(get_string(container, "created")), now = p->node->facts.now;
    take_text(&lock->id, get_string(container, "id"));
    take_text(&lock->since, started >= 0 ? get_string(state, "StartedAt") : get_string(container, "created"));
    take_label(&lock->by, labels, "io.snapctl.by");
    /* These become part of file names when what a dead run left is removed. */
    if (node_name_valid(get_string(labels, "io.snapctl.snapshot")))
        take_label(&lock->snapshot, labels, "io.snapctl.snapshot");
    if (is_run(get_string(labels, "io.snapctl.run")))
        take_label(&lock->run, labels, "io.snapctl.run");
    lock->running =
        strcmp(status, "running") == 0 || strcmp(status, "restarting") == 0 || strcmp(status, "paused") == 0;
    lock->started = started >= 0;
    lock->fresh = !lock->started && (!now || created < 0 || now - created < FRESH_SECONDS);
    lock->failed = !lock->started || json_integer_value(json_object_get(state, "ExitCode")) != 0;
}

static void on_container(struct probe *p, const char *value)
{
    json_t *container = json_loads(value, 0, NULL);
    const char *name = get_string(container, "name");
    if (strcmp(name, "/etcd") == 0)
        p->node->facts.etcd_running =
            json_is_true(json_object_get(json_object_get(container, "state"), "Running"));
    else if (strcmp(name, "/etcd-snapshot-once") == 0)
        on_lock(p, container);
    else if (strcmp(name, "/service-sidekick") == 0)
        take_text(&p->sidekick, get_string(container, "image"));
    json_decref(container);
}

/* "/dev/sda1 1000 500 500 50% /": the word before the percentage is what is free, in KiB. */
static void on_df(struct probe *p, const char *value)
{
    AUTO_FREE char *copy = str_dup(value);
    const char *before = NULL;
    char *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        int64_t kib;
        if (str_ends(word, "%") && before && str_to_int(before, 0, INT64_MAX / 1024, &kib))
            p->node->facts.free_bytes = (uint64_t)kib * 1024;
        before = word;
    }
}

static void on_folder(struct probe *p, const char *value)
{
    p->node->facts.visible = strcmp(value, "hidden") != 0;
}

/* "BYTES SECONDS PATH" */
static void on_taken(struct probe *p, const char *value)
{
    struct node_facts *f = &p->node->facts;
    unsigned long long bytes;
    long long modified;
    int at = 0;
    if (f->n_taken == TAKEN_MAX || sscanf(value, "%20llu %20lld %n", &bytes, &modified, &at) != 2 || !at ||
        !value[at] || bytes > NODE_BYTES_MAX)
        return;
    f->taken = mem_realloc(f->taken, f->n_taken + 1, sizeof *f->taken);
    f->taken[f->n_taken] = (struct node_taken){.bytes = bytes, .modified = modified};
    take_text(&f->taken[f->n_taken++].path, value + at);
}

static const struct {
    const char *key;
    void (*take)(struct probe *p, const char *value);
} lines[] = {
    {"tried ",     on_tried    },
    {"docker ",    on_docker   },
    {"engine ",    on_engine   },
    {"uid ",       on_uid      },
    {"now ",       on_now      },
    {"wanted ",    on_wanted   },
    {"local ",     on_local    },
    {"container ", on_container},
    {"alive",      on_alive    },
    {"database ",  on_database },
    {"etcd ",      on_etcd     },
    {"cluster ",   on_cluster  },
    {"df ",        on_df       },
    {"folder ",    on_folder   },
    {"taken ",     on_taken    },
};

static void take_line(struct probe *p, const char *line)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (str_starts(line, lines[i].key))
            lines[i].take(p, line + strlen(lines[i].key));
}

static void take_lines(struct probe *p, const char *text)
{
    for (char *line; (line = str_next_line(&text)); free(line))
        take_line(p, line);
}

/* What the job names, else what RKE left, else what is there (RKE, util/images: the tools image). */
static void choose_image(struct probe *p)
{
    struct node_facts *f = &p->node->facts;
    const char *wanted = p->node->job->image;
    const char *found = p->sidekick && node_image_valid(p->sidekick) ? p->sidekick : p->local;
    if (found && !node_image_valid(found))
        found = NULL;
    f->image = str_dup(wanted ? wanted : found);
    f->pull = wanted && !p->wanted_local;
}

bool node_uses_docker(const struct node *node)
{
    return !node->job->reads || !str_equal(node->facts.uid, "0");
}

static int judge_answers(const struct probe *p, struct sc_err *err)
{
    const struct node_facts *f = &p->node->facts;
    if (!f->uid) {
        err_set(err, ERR_DOCKER, "the node did not answer what it was asked");
        return err_hint(
            err,
            "the SSH user must have a shell that runs commands: ssh to the node, with `id -u`, tells more");
    }
    if (!node_uses_docker(p->node) || (f->docker && f->engine))
        return 0;
    err_set(err, ERR_DOCKER, "Docker cannot be used (%s)", p->tried.len ? p->tried.data : "no answer");
    return err_hint(err,
                    "the SSH user must be root, in the group docker, or allowed to run `sudo -n docker`");
}

int node_parse_probe(struct node *node, const char *text, struct sc_err *err)
{
    struct probe p = {.node = node, .tried = {.max = 2048}};
    node->facts.free_bytes = UINT64_MAX;
    take_lines(&p, text);
    choose_image(&p);
    int result = judge_answers(&p, err);
    buf_free(&p.tried);
    free(p.sidekick);
    free(p.local);
    return result;
}

static int run_probe(struct node *node, struct ssh *ssh, const struct ctx *ctx, enum script_kind kind,
                     struct ssh_output *output, struct sc_err *err)
{
    AUTO_FREE char *command = script_command(node, kind);
    output->out.max = PROBE_MAX_BYTES;
    if (ssh_run(ssh, ctx, command, NULL, output, err) < 0)
        return err_wrap(err, "asking the node for its state");
    return 0;
}

/* The folder of the snapshots can be seen by root alone: a container looks for the name, if there is an image
 * for one. */
static int look_inside(struct node *node, struct ssh *ssh, const struct ctx *ctx, struct sc_err *err)
{
    if (!node->job->name || node->facts.visible || !node->facts.image || node->facts.pull)
        return 0;
    struct ssh_output output = {0};
    int result = run_probe(node, ssh, ctx, SCRIPT_LOOK, &output, err);
    struct probe p = {.node = node};
    if (result == 0 && output.status != 0) {
        AUTO_FREE char *reason = reason_of(&output.err);
        result =
            err_set(err, ERR_DOCKER, "cannot look into %s by a container: %s", NODE_SNAPSHOT_FOLDER, reason);
    } else if (result == 0) {
        take_lines(&p, buf_text(&output.out));
    }
    ssh_output_free(&output);
    return result;
}

int node_probe(struct node *node, struct ssh *ssh, const struct ctx *ctx, struct sc_err *err)
{
    struct ssh_output output = {0};
    int result = run_probe(node, ssh, ctx, SCRIPT_PROBE, &output, err);
    if (result == 0)
        result = node_parse_probe(node, buf_text(&output.out), err);
    ssh_output_free(&output);
    return result < 0 ? -1 : look_inside(node, ssh, ctx, err);
}

void node_free(struct node *node)
{
    struct node_facts *f = &node->facts;
    char *texts[] = {f->docker,     f->uid,     f->engine,  f->system,        f->image,       f->lock.run,
                     f->lock.since, f->lock.by, f->lock.id, f->lock.snapshot, f->etcd_problem};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    for (size_t i = 0; i < f->n_taken; i++)
        free(f->taken[i].path);
    free(f->taken);
    *f = (struct node_facts){0};
    free(node->container);
    free(node->identity);
    free(node->bundle_identity);
    node->container = node->identity = node->bundle_identity = NULL;
}
