#include "script.h"

#include <stdlib.h>
#include <string.h>

#include "node_scripts.h"
#include "snapctl/base/buf.h"
#include "snapctl/base/str.h"
#include "snapctl/node/docker_version.h"
#include "snapctl/node/files.h"
#include "tool.h"

enum { FIRST_MINOR_WITH_LABEL_TYPE = 22 };

char *script_image_registry(const char *image)
{
    const char *slash = strchr(image, '/');
    if (!slash)
        return str_dup("");
    char *first = str_dup_n(image, (size_t)(slash - image));
    /* Docker's rule: a first part with a dot or a port, or localhost, is a registry. */
    if (!strpbrk(first, ".:") && strcmp(first, "localhost") != 0)
        first[0] = '\0';
    return first;
}

/* cluster.yml may have the registry with a scheme and a path. */
static char *bare_url(const char *url)
{
    const char *scheme = strstr(url, "://");
    const char *host = scheme ? scheme + 3 : url;
    return str_dup_n(host, strcspn(host, "/"));
}

const struct node_registry *script_registry(const struct node *node)
{
    if (!node->facts.image)
        return NULL;
    AUTO_FREE char *wanted = script_image_registry(node->facts.image);
    for (size_t i = 0; i < node->job->n_registries; i++) {
        const struct node_registry *r = &node->job->registries[i];
        AUTO_FREE char *url = bare_url(r->url);
        bool hub = !*wanted && (strcmp(url, "docker.io") == 0 || !*url);
        if (r->user && r->password && (hub || strcmp(url, wanted) == 0))
            return r;
    }
    return NULL;
}

/* Where RKE puts its files on systems whose root cannot be written (rancher/rke, hosts/hosts.go). */
static const struct {
    const char *system;
    const char *prefix;
} prefixes[] = {
    {"Boot2Docker", "/mnt/sda1/rke"},
    {"RancherOS",   "/opt/rke"     },
    {"CoreOS",      "/opt/rke"     },
    {"Flatcar",     "/opt/rke"     },
};

char *script_kubernetes_folder(const struct node *node)
{
    const char *prefix = node->job->prefix_path;
    for (size_t i = 0; !prefix && i < sizeof prefixes / sizeof *prefixes; i++)
        if (node->facts.system && strstr(node->facts.system, prefixes[i].system))
            prefix = prefixes[i].prefix;
    size_t len = prefix ? strlen(prefix) : 0;
    while (len && prefix[len - 1] == '/')
        len--;
    return str_format("%.*s/etc/kubernetes", (int)len, prefix ? prefix : "");
}

static void set(struct buf *out, const char *variable, const char *value)
{
    buf_printf(out, "%s=", variable);
    str_quote_shell(out, value ? value : "");
    buf_puts(out, "\n");
}

static void set_number(struct buf *out, const char *variable, size_t value)
{
    buf_printf(out, "%s=%zu\n", variable, value);
}

/* What common.sh wants. */
static void set_common(struct buf *out, const struct node *node)
{
    AUTO_FREE char *kubernetes = script_kubernetes_folder(node);
    bool old = docker_version_kubernetes_minor(node->job->kubernetes_version) < FIRST_MINOR_WITH_LABEL_TYPE;
    set(out, "docker", node->facts.docker);
    set(out, "uid", node->facts.uid);
    set(out, "image", node->facts.image);
    set(out, "kubernetes", kubernetes);
    set(out, "security", !old && node->facts.selinux ? "label=type:rke_container_t" : "");
    set(out, "z", old ? "z" : "");
}

static void set_probe(struct buf *out, const struct node *node)
{
    set(out, "wanted", node->job->image);
    set(out, "identify", node->job->identify ? "1" : NULL);
    set_number(out, "reads", node->job->reads);
}

static void set_run(struct buf *out, const struct node *node)
{
    set(out, "run", node->job->run);
}

/* The run, and the word by which others see that a shell of it is at work. */
static void set_worker(struct buf *out, const struct node *node)
{
    set_run(out, node);
    set(out, "worker", node->job->run);
}

char *script_new_bundle(const struct node *node)
{
    return str_format("." NODE_BUNDLE_FILE ".%s", node->job->run);
}

/* What wait.sh, work.sh and release.sh are about: the snapshot's file, and whether there is a bundle. */
static void set_made(struct buf *out, const struct node *node)
{
    const struct node_job *job = node->job;
    AUTO_FREE char *archive = str_format("%s%s", job->name, job->legacy ? "" : ".zip");
    set(out, "archive", archive);
    set_number(out, "legacy", job->legacy);
    set_number(out, "bundle", job->bundle);
}

static void set_pull(struct buf *out, const struct node *node)
{
    const struct node_registry *r = script_registry(node);
    AUTO_FREE char *registry = script_image_registry(node->facts.image ? node->facts.image : "");
    set_worker(out, node);
    set(out, "registry", registry);
    set(out, "login", r ? r->user : "");
}

/* What a dead run left under the lock's name. */
static void set_dead(struct buf *out, const struct node_lock *lock)
{
    set(out, "dead", lock->id);
    set(out, "dead_run", lock->run);
    set(out, "dead_name", lock->run ? lock->snapshot : NULL);
    set_number(out, "dead_owned", lock->failed && lock->started);
}

static void set_work(struct buf *out, const struct node *node)
{
    const struct node_job *job = node->job;
    bool ipv6 = strchr(node->etcd_address, ':') != NULL;
    AUTO_FREE char *endpoint = str_format(ipv6 ? "[%s]:2379" : "%s:2379", node->etcd_address);
    set_worker(out, node);
    set_made(out, node);
    set_number(out, "bundle_only", node->bundle_only);
    set(out, "tool", tool_words(job));
    set(out, "by", job->by);
    set(out, "started", job->started);
    set(out, "endpoint", endpoint);
    set_number(out, "env_bytes", job->env_bytes);
    set_number(out, "state_bytes", job->state_bytes);
    set_number(out, "force", job->force);
    set_number(out, "visible", node->facts.visible);
    set_dead(out, &node->facts.lock);
}

static void set_resume(struct buf *out, const struct node *node)
{
    set_worker(out, node);
    set_made(out, node);
}

static void set_read(struct buf *out, const struct node *node)
{
    set_worker(out, node);
    set(out, "reader", "cat");
    set(out, "ending", node->job->legacy ? "" : ".zip");
}

/* Another file than the snapshot's. */
static void set_other(struct buf *out, const struct node *node, const char *file)
{
    set_worker(out, node);
    set(out, "reader", "cat");
    set(out, "name", file);
    set(out, "ending", "");
}

static void set_new_bundle(struct buf *out, const struct node *node)
{
    AUTO_FREE char *file = script_new_bundle(node);
    set_other(out, node, file);
}

static void set_bundle(struct buf *out, const struct node *node)
{
    set_other(out, node, NODE_BUNDLE_FILE);
}

static void set_copy(struct buf *out, const struct node *node)
{
    set_worker(out, node);
    set(out, "ending", node->copy->plain ? "" : ".zip");
    set_number(out, "first", (size_t)node->copy->from + 1);
}

static void set_tail(struct buf *out, const struct node *node)
{
    AUTO_FREE char *reader = str_format("tail -c %d", NODE_TAIL_BYTES);
    set_worker(out, node);
    set(out, "reader", reader);
    set(out, "ending", ".zip");
}

static void set_cleanup(struct buf *out, const struct node *node)
{
    size_t half = strlen(node->job->run) / 2;
    AUTO_FREE char *first = str_dup_n(node->job->run, half);
    set(out, "worker_a", first);
    set(out, "worker_b", node->job->run + half);
    set_made(out, node);
    set(out, "identity", node->identity);
    set_number(out, "owned", node->started);
    set_number(out, "released", node->released);
    set_number(out, "again", node->cleaned);
}

static void set_release(struct buf *out, const struct node *node)
{
    set_run(out, node);
    set_made(out, node);
    set(out, "container", node->container);
    set(out, "identity", node->identity);
    set(out, "bundle_identity", node->bundle_identity);
    set_number(out, "force", node->job->force);
    set_number(out, "visible", node->facts.visible);
}

static void set_list(struct buf *out, const struct node *node)
{
    set_run(out, node);
    set_number(out, "head_bytes", NODE_HEAD_BYTES);
    set_number(out, "end_bytes", NODE_END_BYTES);
}

/* Whether there is a way to see what only root may see. */
static bool can_look(const struct node_facts *f)
{
    return str_equal(f->uid, "0") || (f->image && !f->pull);
}

static void set_health(struct buf *out, const struct node *node)
{
    const struct node_facts *f = &node->facts;
    bool tool = f->image && !f->pull && !node->bundle_only;
    set_run(out, node);
    set_number(out, "look", can_look(f));
    set_number(out, "etcd", f->etcd_running);
    set(out, "tool", tool ? tool_command(node->job) : NULL);
    set_number(out, "bundle", node->job->bundle);
}

static void set_fix(struct buf *out, const struct node *node)
{
    set_run(out, node);
    set(out, "by", node->job->by);
    set(out, "started", node->job->started);
    set_number(out, "look", can_look(&node->facts));
    set_dead(out, &node->facts.lock);
}

static void set_remove(struct buf *out, const struct node *node)
{
    set_run(out, node);
    set(out, "files", node->removal);
}

enum { MAX_PARTS = 5 };

static const struct {
    const char *name; /* for ps on the node, and the trace of commands */
    void (*set)(struct buf *out, const struct node *node);
    const char *parts[MAX_PARTS];
} scripts[] = {
    [SCRIPT_PROBE] = {"probe",   set_probe,      {script_probe}                                                       },
    [SCRIPT_LOOK] = {"look",    set_run,        {script_common, script_look}                                         },
    [SCRIPT_PULL] = {"pull",    set_pull,       {script_common, script_pull}                                         },
    [SCRIPT_WORK] = {"work",    set_work,       {script_common, script_undo, script_bundle, script_wait, script_work}},
    [SCRIPT_RESUME] = {"resume",  set_resume,     {script_common, script_wait, script_resume}                          },
    [SCRIPT_READ_ALL] = {"read",    set_read,       {script_common, script_read}                                         },
    [SCRIPT_READ_TAIL] = {"read",    set_tail,       {script_common, script_read}                                         },
    [SCRIPT_READ_NEW_BUNDLE] = {"read",    set_new_bundle, {script_common, script_read}                                         },
    [SCRIPT_READ_BUNDLE] = {"read",    set_bundle,     {script_common, script_read}                                         },
    [SCRIPT_COPY] = {"copy",    set_copy,       {script_common, script_copy}                                         },
    [SCRIPT_CLEANUP] = {"cleanup", set_cleanup,    {script_common, script_undo, script_cleanup}                         },
    [SCRIPT_RELEASE] = {"release", set_release,    {script_common, script_release}                                      },
    [SCRIPT_LIST] = {"list",    set_list,       {script_common, script_list}                                         },
    [SCRIPT_HEALTH] = {"health",  set_health,     {script_common, script_leftovers, script_health}                     },
    [SCRIPT_FIX] = {"fix",     set_fix,        {script_common, script_undo, script_leftovers, script_fix}           },
    [SCRIPT_REMOVE] = {"remove",  set_remove,     {script_common, script_remove}                                       },
};

char *script_command(const struct node *node, enum script_kind kind)
{
    AUTO_BUF struct buf text = {0};
    buf_printf(&text, ": snapctl %s\n", scripts[kind].name);
    set(&text, "socket", node->docker_socket);
    set(&text, "backup", NODE_SNAPSHOT_FOLDER);
    set(&text, "name", node->job->name);
    if (kind != SCRIPT_PROBE)
        set_common(&text, node);
    scripts[kind].set(&text, node);
    for (size_t i = 0; i < MAX_PARTS && scripts[kind].parts[i]; i++)
        buf_puts(&text, scripts[kind].parts[i] + 1); /* each begins with a newline */
    struct buf command = {0};
    /* exec: no shell of the user's stays above ours, so the one that cleanup.sh finds is ours. */
    buf_puts(&command, "exec sh -c ");
    str_quote_shell(&command, buf_text(&text));
    return buf_take(&command);
}
