#include "snapctl/core/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keys.h"
#include "name.h"
#include "snapctl/base/retry.h"
#include "snapctl/base/str.h"
#include "snapctl/core/save.h"

enum { STATE_MAX_BYTES = 64 << 20, FLOOR_MS = 60000, BYTES_PER_MS = 5000, RUN_BYTES = 16 };

struct plan_owned {
    struct keys *keys;
    struct known_hosts *known;
    struct ssh_host bastion;
    char *name, *run, *started, *known_hosts_file;
    bool known_hosts_given; /* it is the only one */
    struct secret *input;
    struct node_registry *registries;
};

int64_t plan_ms_for(uint64_t bytes, unsigned bytes_per_ms)
{
    return FLOOR_MS + (int64_t)((bytes < NODE_BYTES_MAX ? bytes : NODE_BYTES_MAX) / bytes_per_ms);
}

int64_t plan_timeout_ms(const struct plan *plan, uint64_t database_bytes)
{
    int64_t least = plan_ms_for(database_bytes, BYTES_PER_MS);
    int64_t wanted = (int64_t)plan->timeout_s * 1000;
    return wanted > least ? wanted : least;
}

int plan_name(struct plan *plan, const char *name, struct log *log, struct sc_err *err)
{
    bool dropped = false;
    if (!name) {
        plan->owned->name = save_make_name((int64_t)time(NULL));
        log_write(log, LOG_WARN, NULL, "no --name was given: the snapshot is called %s", plan->owned->name);
    } else {
        plan->owned->name = name_check(name, &dropped, err);
    }
    if (!plan->owned->name)
        return -1;
    if (dropped)
        log_write(log, LOG_WARN, NULL, "the ending .zip is dropped: the snapshot is called %s",
                  plan->owned->name);
    if (strchr(plan->owned->name, ':'))
        log_write(log, LOG_WARN, NULL,
                  "the name has a colon, which Windows and some object stores cannot take");
    plan->job.name = plan->owned->name;
    return 0;
}

/* RKE: cluster/state.go, GetStateFilePath: the config's name with another ending, in the config's folder. */
static char *state_path(const struct cluster *cluster)
{
    const char *path = strcmp(cluster->path, "-") == 0 ? "cluster.yml" : cluster->path;
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    return str_format("%.*s.rkestate", (int)(dot ? (size_t)(dot - path) : strlen(path)), path);
}

static int read_state(const char *path, bool required, struct log *log, struct secret **out,
                      struct sc_err *err)
{
    if (access(path, F_OK) < 0 && errno == ENOENT) {
        if (required) {
            err_set(err, ERR_CONFIG, "the state file %s does not exist", path);
            return err_hint(err, "RKE writes it beside cluster.yml; name it with --state-file");
        }
        log_write(
            log, LOG_WARN, NULL,
            "the state file %s does not exist: the snapshot is taken without it, and a restore on new nodes will "
            "need it from elsewhere",
            path);
        return 0;
    }
    if (secret_read_file(path, STATE_MAX_BYTES, 0, out, err) < 0) {
        err_wrap(err, "state file");
        return err_hint(
            err, "it holds the cluster's private keys and is part of the snapshot: make it readable, or "
                 "move it away to go without it");
    }
    if (secret_len(*out) == 0)
        return err_set(err, ERR_CONFIG, "the state file %s is empty", path);
    return 0;
}

enum plan_state plan_look_for_state(const struct cluster *cluster, const char *state_file, char **path,
                                    struct sc_err *err)
{
    AUTO_SECRET struct secret *state = NULL;
    *path = state_file ? str_dup(state_file) : state_path(cluster);
    if (read_state(*path, true, NULL, &state, err) == 0)
        return PLAN_STATE_GOOD;
    return access(*path, F_OK) < 0 && errno == ENOENT ? PLAN_STATE_MISSING : PLAN_STATE_UNREADABLE;
}

int plan_refuse_state(const char *state_file, bool required, struct sc_err *err)
{
    if (!state_file && !required)
        return 0;
    err_set(err, ERR_USAGE, "--legacy: RKE before v0.2.0 knows no state file");
    return err_hint(err,
                    "leave out --state-file and --require-state: the certificates are in " NODE_BUNDLE_FILE);
}

static struct secret *env_text(const struct cluster *cluster)
{
    size_t n = cluster->n_etcd_env;
    AUTO_FREE struct secret_part *parts = mem_calloc(4 * n + 1, sizeof *parts);
    for (size_t i = 0; i < n; i++) {
        const struct cluster_env *env = &cluster->etcd_env[i];
        parts[4 * i] = (struct secret_part){env->name, strlen(env->name)};
        parts[4 * i + 1] = (struct secret_part){"=", 1};
        parts[4 * i + 2] = (struct secret_part){secret_data(env->value), secret_len(env->value)};
        parts[4 * i + 3] = (struct secret_part){"\n", 1};
    }
    return secret_join(parts, 4 * n);
}

/* What every node is given by standard input: the environment, then the state file. */
int plan_input(struct plan *plan, const struct cluster *cluster, const char *state_file, bool required,
               struct log *log, struct sc_err *err)
{
    AUTO_SECRET struct secret *state = NULL;
    AUTO_FREE char *path = state_file ? str_dup(state_file) : state_path(cluster);
    if (!plan->job.legacy && read_state(path, required || state_file, log, &state, err) < 0)
        return -1;
    AUTO_SECRET struct secret *env = env_text(cluster);
    AUTO_SECRET struct secret *archive =
        state ? node_state_archive(plan->job.name, state) : secret_new("", 0);
    struct secret_part parts[] = {
        {secret_data(env),     secret_len(env)    },
        {secret_data(archive), secret_len(archive)},
    };
    plan->owned->input = secret_join(parts, 2);
    plan->with_state = state != NULL;
    plan->job.input = plan->owned->input;
    plan->job.env_bytes = secret_len(env);
    plan->job.state_bytes = secret_len(archive);
    return 0;
}

static int plan_auth(struct plan *plan, const struct cluster_host *from, const struct run_options *options,
                     const char *owner, struct log *log, struct ssh_host *to, struct sc_err *err)
{
    bool agent = from->auth.agent || options->ssh_agent_auth;
    *to = (struct ssh_host){.address = from->address, .port = from->port, .user = from->user};
    /* RKE, hosts/dialer.go: with an agent no key file is even read. */
    if (agent && options->agent_socket && *options->agent_socket) {
        to->agent_socket = options->agent_socket;
        return 0;
    }
    if (agent)
        log_write(log, LOG_WARN, from->address,
                  "an SSH agent is wanted, but SSH_AUTH_SOCK is not set: using the key");
    return keys_get(plan->owned->keys, &from->auth, owner, &to->key, err);
}

static int plan_bastion(struct plan *plan, const struct cluster *cluster, const struct run_options *options,
                        struct log *log, struct sc_err *err)
{
    if (!cluster->bastion)
        return 0;
    plan->bastion = &plan->owned->bastion;
    return plan_auth(plan, cluster->bastion, options, "bastion_host", log, plan->bastion, err);
}

size_t plan_order(const struct cluster *cluster, bool controlplane, size_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < cluster->n_nodes; i++)
        if (cluster->nodes[i].etcd)
            out[n++] = i;
    for (size_t i = 0; i < cluster->n_nodes && controlplane; i++)
        if (cluster->nodes[i].controlplane && !cluster->nodes[i].etcd)
            out[n++] = i;
    return n;
}

static int plan_nodes(struct plan *plan, const struct cluster *cluster, const struct run_options *options,
                      struct log *log, struct sc_err *err)
{
    static const char default_socket[] = "/var/run/docker.sock";
    AUTO_FREE size_t *order = mem_calloc(cluster->n_nodes, sizeof *order);
    size_t n = plan_order(cluster, options->controlplane, order);
    plan->nodes = mem_calloc(n, sizeof *plan->nodes);
    for (size_t i = 0; i < n; i++) {
        const struct cluster_node *from = &cluster->nodes[order[i]];
        struct plan_node *to = &plan->nodes[plan->n_nodes++];
        AUTO_FREE char *owner = str_format("node %s", from->host.address);
        if (plan_auth(plan, &from->host, options, owner, log, &to->host, err) < 0)
            return -1;
        to->bundle_only = !from->etcd;
        to->etcd_address = from->internal_address;
        to->docker_socket = str_equal(from->docker_socket, default_socket) ? NULL : from->docker_socket;
    }
    return 0;
}

int plan_read_hosts(struct plan *plan, struct log *log, struct sc_err *err)
{
    struct plan_owned *o = plan->owned;
    const char *files[] = {o->known_hosts_file, "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"};
    size_t n = o->known_hosts_given ? 1 : sizeof files / sizeof *files;
    struct known_hosts *known;
    if (known_hosts_load(files, n, log, &known, err) < 0)
        return -1;
    known_hosts_free(o->known);
    o->known = known;
    plan->policy.known = known;
    return 0;
}

static int plan_hosts(struct plan *plan, const struct run_options *options, struct log *log,
                      struct sc_err *err)
{
    struct plan_owned *o = plan->owned;
    o->known_hosts_given = options->known_hosts_file != NULL;
    o->known_hosts_file = o->known_hosts_given ? str_dup(options->known_hosts_file)
                                               : str_format("%s/.ssh/known_hosts", options->home);
    plan->policy.mode = options->host_key_mode;
    plan->policy.known_hosts_file = o->known_hosts_file;
    if (options->host_key_mode == HOST_KEY_OFF)
        log_write(
            log, LOG_WARN, NULL,
            "host keys are not checked: whoever answers gets the cluster's state file with its private keys");
    return plan_read_hosts(plan, log, err);
}

static void plan_job(struct plan *plan, const struct cluster *cluster, const struct run_options *options)
{
    struct plan_owned *o = plan->owned;
    unsigned char random[RUN_BYTES];
    struct buf run = {0};
    retry_random(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++)
        buf_printf(&run, "%02x", random[i]);
    o->run = buf_take(&run);
    o->registries = mem_calloc(cluster->n_registries, sizeof *o->registries);
    for (size_t i = 0; i < cluster->n_registries; i++) {
        const struct cluster_registry *r = &cluster->registries[i];
        o->registries[i] = (struct node_registry){r->url, r->user, r->password};
    }
    char started[32];
    struct tm tm;
    time_t now = time(NULL);
    strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
    o->started = str_dup(started);
    plan->job.run = o->run;
    plan->job.by = options->user;
    plan->job.started = o->started;
    plan->job.image = options->image ? options->image : cluster->image_tools;
    plan->job.prefix_path = cluster->prefix_path;
    plan->job.kubernetes_version = cluster->kubernetes_version;
    plan->job.ignore_docker_version = options->ignore_docker_version || cluster->ignore_docker_version;
    plan->job.registries = o->registries;
    plan->job.n_registries = cluster->n_registries;
    plan->timeout_s = cluster->snapshot_timeout_s;
}

static int plan_fill(struct plan *plan, const struct cluster *cluster, const struct run_options *options,
                     struct log *log, struct sc_err *err)
{
    plan_job(plan, cluster, options);
    if (plan->job.image && !node_image_valid(plan->job.image))
        return err_set(err, ERR_USAGE, "\"%s\" cannot be the name of an image", plan->job.image);
    if (plan_hosts(plan, options, log, err) < 0 || plan_bastion(plan, cluster, options, log, err) < 0)
        return -1;
    return plan_nodes(plan, cluster, options, log, err);
}

int plan_make(const struct cluster *cluster, const struct run_options *options, const struct run_ui *ui,
              struct log *log, struct plan **out, struct sc_err *err)
{
    struct plan *plan = mem_calloc(1, sizeof *plan);
    plan->owned = mem_calloc(1, sizeof *plan->owned);
    plan->owned->keys = keys_new(cluster->path, ui, log);
    plan->policy.bastion_gate = ssh_gate_new();
    plan->no_sha256 = options->no_sha256;
    if (plan_fill(plan, cluster, options, log, err) < 0) {
        plan_free(plan);
        return -1;
    }
    *out = plan;
    return 0;
}

void plan_free(struct plan *plan)
{
    if (!plan)
        return;
    struct plan_owned *o = plan->owned;
    keys_free(o->keys);
    known_hosts_free(o->known);
    secret_free(o->input);
    char *texts[] = {o->name, o->run, o->started, o->known_hosts_file};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    free(o->registries);
    free(o);
    ssh_gate_free(plan->policy.bastion_gate);
    free(plan->nodes);
    free(plan);
}
