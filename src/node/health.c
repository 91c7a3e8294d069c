#include "snapctl/node/health.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reason.h"
#include "script.h"
#include "snapctl/base/str.h"

enum { HEALTH_MAX_BYTES = 1 << 20, STATUS_LOCKED = 125 };

/* More than any etcd holds, and far from what a double cannot count exactly. */
static const double MOST_BYTES = 1e15;

void node_health_free(struct node_health *health)
{
    while (health->n_alarms)
        free(health->alarms[--health->n_alarms]);
    while (health->n_leftovers)
        free(health->leftovers[--health->n_leftovers].what);
    free(health->problem);
    free(health->version);
    free(health->tool);
    *health = (struct node_health){0};
}

static void set_problem(struct node_health *health, const char *text)
{
    if (!health->problem)
        health->problem = str_visible(text, strlen(text), false);
}

/* etcdctl's answer; what is not JSON is its error. Ids are unsigned and need not fit jansson's integers. */
static json_t *parse_answer(struct node_health *health, const char *text)
{
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
    if (!root)
        set_problem(health, *text ? text : "no answer");
    return root;
}

static uint64_t get_bytes(const json_t *object, const char *key)
{
    double bytes = json_number_value(json_object_get(object, key));
    return bytes > 0 && bytes < MOST_BYTES ? (uint64_t)bytes : 0;
}

static void on_members(struct node_health *health, const char *value)
{
    json_t *root = parse_answer(health, value);
    const json_t *members = json_object_get(root, "members");
    health->members = json_array_size(members);
    for (size_t i = 0; i < health->members; i++)
        health->unstarted += json_object_get(json_array_get(members, i), "name") == NULL;
    json_decref(root);
}

static void on_status(struct node_health *health, const char *value)
{
    json_t *root = parse_answer(health, value);
    const json_t *status = json_object_get(json_array_get(root, 0), "Status");
    const char *version = json_string_value(json_object_get(status, "version"));
    if (root && !status)
        set_problem(health, "no status");
    if (version && !health->version)
        health->version = str_visible(version, strlen(version), false);
    health->leader = json_number_value(json_object_get(status, "leader")) > 0;
    health->database_bytes = get_bytes(status, "dbSize");
    if (get_bytes(status, "dbSizeQuota"))
        health->quota_bytes = get_bytes(status, "dbSizeQuota");
    json_decref(root);
}

static bool has_alarm(const struct node_health *health, const char *name)
{
    for (size_t i = 0; i < health->n_alarms; i++)
        if (strcmp(health->alarms[i], name) == 0)
            return true;
    return false;
}

/* etcd's AlarmType (rpc.proto): NONE, NOSPACE, CORRUPT. */
static void on_alarms(struct node_health *health, const char *value)
{
    json_t *root = parse_answer(health, value);
    const json_t *alarms = json_object_get(root, "alarms");
    for (size_t i = 0; i < json_array_size(alarms); i++) {
        double kind = json_number_value(json_object_get(json_array_get(alarms, i), "alarm"));
        const char *name = kind == 1 ? "NOSPACE" : kind == 2 ? "CORRUPT" : "of an unknown kind";
        if (kind != 0 && health->n_alarms < NODE_ALARMS_MAX && !has_alarm(health, name))
            health->alarms[health->n_alarms++] = str_dup(name);
    }
    json_decref(root);
}

static void on_quota(struct node_health *health, const char *value)
{
    int64_t bytes;
    if (str_to_int(value, 1, (int64_t)MOST_BYTES, &bytes))
        health->quota_bytes = (uint64_t)bytes;
}

/* "STATUS TEXT" */
static void on_tool(struct node_health *health, const char *value)
{
    int at = 0;
    if (health->tool || sscanf(value, "%3d %n", &health->tool_status, &at) != 1 || !at)
        return;
    health->tool = str_visible(value + at, strlen(value + at), false);
}

/* "FILES CERTIFICATES KEYS ELSEWHERE" */
static void on_bundled(struct node_health *health, const char *value)
{
    health->counted = sscanf(value, "%9" SCNd64 " %9" SCNd64 " %9" SCNd64 " %9" SCNd64, &health->bundle_files,
                             &health->certificates, &health->keys, &health->certificates_elsewhere) == 4;
}

static void on_busy(struct node_health *health, const char *value)
{
    (void)value;
    health->busy = true;
}

static void on_hidden(struct node_health *health, const char *value)
{
    (void)value;
    health->hidden = true;
}

static struct node_leftover *find(struct node_health *health, enum node_leftover_kind kind, const char *what)
{
    for (size_t i = 0; i < health->n_leftovers; i++)
        if (health->leftovers[i].kind == kind && strcmp(health->leftovers[i].what, what) == 0)
            return &health->leftovers[i];
    return NULL;
}

static struct node_leftover *add(struct node_health *health, enum node_leftover_kind kind, const char *text)
{
    AUTO_FREE char *what = str_visible(text, strlen(text), false);
    struct node_leftover *known = find(health, kind, what);
    if (known || health->n_leftovers == NODE_LEFTOVERS_MAX || !*what)
        return known;
    struct node_leftover *new = &health->leftovers[health->n_leftovers++];
    *new = (struct node_leftover){.kind = kind, .what = mem_take(&what)};
    return new;
}

static const char *const kinds[] = {
    [NODE_LEFT_LOCK] = "lock ",     [NODE_LEFT_STATE] = "state ",   [NODE_LEFT_ASIDE] = "aside ",
    [NODE_LEFT_BUNDLE] = "bundle ", [NODE_LEFT_FOLDER] = "folder ", [NODE_LEFT_CONTAINER] = "container ",
};

/* "KIND WHAT". A file that was not listed, but may have been removed with a dead lock, counts only if it was.
 */
static void take_leftover(struct node_health *health, const char *text, bool removed)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!str_starts(text, kinds[i]))
            continue;
        const char *what = text + strlen(kinds[i]);
        struct node_leftover *left = removed ? find(health, (enum node_leftover_kind)i, what)
                                             : add(health, (enum node_leftover_kind)i, what);
        if (left)
            left->removed |= removed;
    }
}

static void on_removed(struct node_health *health, const char *value)
{
    take_leftover(health, value, true);
}

static const struct {
    const char *key;
    void (*take)(struct node_health *health, const char *value);
} lines[] = {
    {"members ", on_members},
    {"status ",  on_status },
    {"alarms ",  on_alarms },
    {"quota ",   on_quota  },
    {"tool ",    on_tool   },
    {"bundled ", on_bundled},
    {"busy",     on_busy   },
    {"hidden",   on_hidden },
    {"removed ", on_removed},
};

static void take_line(struct node_health *health, const char *line)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (str_starts(line, lines[i].key))
            lines[i].take(health, line + strlen(lines[i].key));
    take_leftover(health, line, false);
}

void node_parse_health(struct node_health *health, const char *text)
{
    for (char *line; (line = str_next_line(&text)); free(line))
        take_line(health, line);
}

static int run_script(struct node *node, struct ssh *ssh, const struct ctx *ctx, enum script_kind kind,
                      struct node_health *health, struct sc_err *err)
{
    AUTO_FREE char *command = script_command(node, kind);
    struct ssh_output output = {.out.max = HEALTH_MAX_BYTES};
    int result = ssh_run(ssh, ctx, command, NULL, &output, err);
    if (result == 0)
        node_parse_health(health, buf_text(&output.out));
    if (result == 0 && output.status == STATUS_LOCKED) {
        AUTO_FREE char *reason = reason_of(&output.err);
        bool busy = strstr(buf_text(&output.err), "is already in use") != NULL;
        result = err_set(err, busy ? ERR_BUSY : ERR_DOCKER, "the node cannot be locked: %s", reason);
    }
    ssh_output_free(&output);
    return result;
}

int node_ask_health(struct node *node, struct ssh *ssh, const struct ctx *ctx, struct node_health *health,
                    struct sc_err *err)
{
    const struct node_lock *lock = &node->facts.lock;
    node_health_free(health);
    if (run_script(node, ssh, ctx, SCRIPT_HEALTH, health, err) < 0)
        return err_wrap(err, "asking for etcd's health and for leftovers");
    if (node_lock_held(lock))
        health->busy = true;
    else if (lock->id)
        add(health, NODE_LEFT_LOCK, lock->id);
    return 0;
}

int node_fix(struct node *node, struct ssh *ssh, const struct ctx *ctx, struct node_health *health,
             struct sc_err *err)
{
    return run_script(node, ssh, ctx, SCRIPT_FIX, health, err);
}
