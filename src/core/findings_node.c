#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/core/findings.h"
#include "snapctl/node/docker_version.h"

enum { QUOTA_PERCENT = 80, SHORT_ID = 12 };

struct subject {
    struct findings *findings;
    const struct node *node;
    const struct node_health *health;
};

/* False, and a finding, if save would refuse the node because of this aspect. */
static bool passes(const struct subject *s, enum node_aspect aspect, const char *check)
{
    const struct ctx silent = {.deadline_ms = CTX_NO_DEADLINE};
    AUTO_ERR struct sc_err err = {0};
    if (node_judge_aspect(s->node, aspect, &silent, &err) == 0)
        return true;
    findings_add_error(s->findings, FINDING_FAILED, check, &err);
    return false;
}

static void look_at_engine(const struct subject *s)
{
    const struct node_facts *f = &s->node->facts;
    const char *kubernetes = s->node->job->kubernetes_version;
    enum docker_version_verdict verdict = docker_version_judge(kubernetes, f->engine);
    if (!passes(s, NODE_ENGINE, "docker"))
        return;
    AUTO_FREE char *known = docker_version_list(kubernetes);
    if (verdict == DOCKER_VERSION_GOOD)
        findings_add(s->findings, FINDING_OK, "docker", NULL, "Docker %s by `%s`", f->engine, f->docker);
    else
        findings_add(s->findings, FINDING_WARNING, "docker",
                     "save goes on; --ignore-docker-version silences it there",
                     "Docker %s is not among the versions known to be good (%s)", f->engine, known);
}

static void look_at_members(const struct subject *s)
{
    const struct node_health *h = s->health;
    if (!passes(s, NODE_ETCD, "etcd"))
        return;
    if (h->problem)
        findings_add(s->findings, FINDING_FAILED, "etcd",
                     "see `docker logs etcd` there; a member without a quorum cannot be saved",
                     "etcd runs, but does not answer: %s", h->problem);
    else if (!h->leader)
        findings_add(s->findings, FINDING_FAILED, "etcd",
                     "most members must be up and reach each other: see `docker logs etcd` on all",
                     "etcd has no leader (%zu members)", h->members);
    else if (h->unstarted)
        findings_add(s->findings, FINDING_WARNING, "etcd",
                     "start the member, or remove it with etcdctl member remove",
                     "%zu of %zu members of etcd have not joined yet", h->unstarted, h->members);
    else
        findings_add(s->findings, FINDING_OK, "etcd", NULL, "etcd %s runs, has a leader and %zu member%s",
                     h->version ? h->version : "(no version told)", h->members, h->members == 1 ? "" : "s");
}

static void look_at_alarms(const struct subject *s)
{
    const struct node_health *h = s->health;
    for (size_t i = 0; i < h->n_alarms; i++) {
        bool space = strcmp(h->alarms[i], "NOSPACE") == 0;
        findings_add(
            s->findings, space ? FINDING_WARNING : FINDING_FAILED, "alarm",
            space ? "compact and defragment etcd, or raise quota-backend-bytes; then etcdctl alarm disarm"
                  : "a member's data differs from the others': restore it from a member that is good",
            "etcd's alarm is raised: %s%s", h->alarms[i], space ? " (it takes no writes)" : "");
    }
    if (!h->n_alarms && !h->problem && s->node->facts.etcd_running)
        findings_add(s->findings, FINDING_OK, "alarm", NULL, "no alarm of etcd's is raised");
}

static void look_at_size(const struct subject *s)
{
    const struct node_health *h = s->health;
    uint64_t bytes = h->database_bytes ? h->database_bytes : s->node->facts.database_bytes;
    AUTO_FREE char *size = str_bytes(bytes), *quota = str_bytes(h->quota_bytes);
    if (!bytes)
        findings_add(s->findings, FINDING_WARNING, "database", "see the finding on etcd",
                     "the size of the database is not known, so neither is the space that a save needs");
    else if (!h->quota_bytes)
        findings_add(s->findings, FINDING_OK, "database", NULL,
                     "the database has %s (etcd tells no quota of its own)", size);
    else {
        uint64_t percent = bytes / (h->quota_bytes / 100 + 1);
        bool full = percent >= QUOTA_PERCENT;
        findings_add(s->findings, full ? FINDING_WARNING : FINDING_OK, "database",
                     full ? "compact and defragment etcd, or raise quota-backend-bytes" : NULL,
                     "the database has %s, %d %% of its quota of %s", size, (int)percent, quota);
    }
}

static void look_at_space(const struct subject *s)
{
    uint64_t bytes = s->node->facts.free_bytes;
    AUTO_FREE char *size = str_bytes(bytes);
    if (!passes(s, NODE_SPACE, "space"))
        return;
    if (bytes == UINT64_MAX)
        findings_add(s->findings, FINDING_WARNING, "space", "see `df` there",
                     "the free space of " NODE_SNAPSHOT_FOLDER " is not known");
    else
        findings_add(s->findings, FINDING_OK, "space", NULL, "%s free in " NODE_SNAPSHOT_FOLDER, size);
}

static void look_at_image(const struct subject *s)
{
    const struct node_facts *f = &s->node->facts;
    if (!passes(s, NODE_IMAGE, "image"))
        return;
    AUTO_FREE char *pull = str_format("docker pull %s", f->image);
    if (f->pull)
        findings_add(s->findings, FINDING_WARNING, "image", pull,
                     "the image %s is not on the node: save pulls it, which was not tried", f->image);
    else
        findings_add(s->findings, FINDING_OK, "image", NULL, "the image %s is on the node", f->image);
}

static void look_at_tool(const struct subject *s)
{
    AUTO_ERR struct sc_err err = {0};
    if (!s->health->tool)
        return;
    if (node_judge_tool(s->node, s->health, &err) == 0)
        findings_add(s->findings, FINDING_OK, "tool", NULL, "the image has the sub-command that %s needs",
                     s->node->job->legacy ? "save --legacy" : "save");
    else
        findings_add_error(s->findings, err.kind == ERR_IMAGE ? FINDING_FAILED : FINDING_WARNING, "tool",
                           &err);
}

static void look_at_certificates(const struct subject *s)
{
    const struct node_health *h = s->health;
    AUTO_FREE char *folder = node_certificates_folder(s->node);
    AUTO_ERR struct sc_err err = {0};
    if (!s->node->job->bundle)
        return;
    if (!h->counted)
        findings_add(s->findings, FINDING_WARNING, "pki-bundle",
                     "who is not root looks through a container of the image", "%s could not be looked into",
                     folder);
    else if (node_judge_certificates(s->node, h, &err) < 0)
        findings_add_error(s->findings, FINDING_FAILED, "pki-bundle", &err);
    else
        findings_add(s->findings, FINDING_OK, "pki-bundle", NULL,
                     "%s has %" PRId64 " certificate%s and %" PRId64 " private key%s, by their names", folder,
                     h->certificates, h->certificates == 1 ? "" : "s", h->keys, h->keys == 1 ? "" : "s");
}

/* ---- what is left of dead runs ---- */

static const struct {
    const char *text, *remedy;
} leftovers[] = {
    [NODE_LEFT_LOCK] = {"the container etcd-snapshot-once of a run that died: ",
                        "snapctl check --fix, or the next save, removes it"                                                  },
    [NODE_LEFT_STATE] = {"a state file, with private keys, of a run that died: ",
                        "snapctl check --fix removes it"                                                                     },
    [NODE_LEFT_ASIDE] = {"a snapshot that --force set aside and no run put back: ",
                        "snapctl check --fix puts it back if no other has its name; else look at both, and "
                         "remove one"                                                                                        },
    [NODE_LEFT_BUNDLE] = {"a bundle of certificates, with private keys, of a run that died: ",
                        "snapctl check --fix removes it"                                                                     },
    [NODE_LEFT_FOLDER] = {"a folder of docker login, perhaps with a password: ",
                        "snapctl check --fix removes it"                                                                     },
    [NODE_LEFT_CONTAINER] = {"a container of a run that died: ",                                  "snapctl check --fix removes it"},
};

static void look_at_leftover(const struct subject *s, const struct node_leftover *left)
{
    bool id = left->kind == NODE_LEFT_LOCK || left->kind == NODE_LEFT_CONTAINER;
    int len = id ? SHORT_ID : (int)strlen(left->what);
    findings_add(s->findings, left->removed ? FINDING_OK : FINDING_WARNING, "leftovers",
                 left->removed ? NULL : leftovers[left->kind].remedy, "%s%s%.*s",
                 left->removed ? left->kind == NODE_LEFT_ASIDE ? "put back " : "removed " : "",
                 leftovers[left->kind].text, len, left->what);
}

static void look_at_leftovers(const struct subject *s)
{
    const struct node_health *h = s->health;
    for (size_t i = 0; i < h->n_leftovers; i++)
        look_at_leftover(s, &h->leftovers[i]);
    if (h->hidden)
        findings_add(s->findings, FINDING_WARNING, "leftovers",
                     "who is not root looks through a container of the image",
                     "the node's folders could not be looked into");
    if (!passes(s, NODE_LOCK, "lock") || h->busy) {
        if (!node_lock_held(&s->node->facts.lock))
            findings_add(s->findings, FINDING_WARNING, "leftovers", "check again when it has ended",
                         "a run is at work on the node, so leftovers were not looked for");
        return;
    }
    if (!h->n_leftovers && !h->hidden)
        findings_add(s->findings, FINDING_OK, "leftovers", NULL, "nothing is left of dead runs");
}

static const struct {
    void (*look)(const struct subject *s);
    bool of_etcd; /* a node that has none is not asked */
} looks[] = {
    {look_at_engine,       false},
    {look_at_members,      true },
    {look_at_alarms,       true },
    {look_at_size,         true },
    {look_at_space,        false},
    {look_at_image,        false},
    {look_at_tool,         true },
    {look_at_certificates, false},
    {look_at_leftovers,    false},
};

void findings_of_node(struct findings *findings, const struct node *node, const struct node_health *health,
                      int64_t now)
{
    const struct subject s = {findings, node, health};
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        if (!looks[i].of_etcd || !node->bundle_only)
            looks[i].look(&s);
    if (node->facts.now && now)
        findings_of_clock(findings, "the node", node->facts.now - now,
                          "let NTP run there and here: names and ages of snapshots are told by clocks");
}
