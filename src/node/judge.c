#include <inttypes.h>

#include "snapctl/base/str.h"
#include "snapctl/node/docker_version.h"
#include "snapctl/node/node.h"

static int judge_engine(const struct node *node, const struct ctx *ctx, struct sc_err *err)
{
    const struct node_job *job = node->job;
    const char *engine = node->facts.engine;
    enum docker_version_verdict verdict = docker_version_judge(job->kubernetes_version, engine);
    AUTO_FREE char *known = docker_version_list(job->kubernetes_version);
    if (verdict == DOCKER_VERSION_GOOD ||
        (verdict == DOCKER_VERSION_UNSUPPORTED && job->ignore_docker_version))
        return 0;
    if (verdict == DOCKER_VERSION_NEWER) {
        if (!job->ignore_docker_version)
            ctx_log(ctx, LOG_WARN, "Docker %s is newer than the versions known to be good (%s)", engine,
                    known);
        return 0;
    }
    err_set(err, ERR_DOCKER,
            "Unsupported Docker version found [%s] on host [%s], supported versions are [%s]", engine,
            node->address, known);
    return err_hint(
        err, "--ignore-docker-version, or ignore_docker_version: true in cluster.yml, skips this check");
}

static int judge_etcd(const struct node *node, const struct ctx *ctx, struct sc_err *err)
{
    if (node->bundle_only)
        return 0;
    if (!node->facts.etcd_running) {
        err_set(err, ERR_ETCD, "etcd is not running on host [%s]", node->address);
        return err_hint(err, "the container etcd must run: see `docker ps -a` and `docker logs etcd` there");
    }
    if (node->facts.etcd_problem)
        ctx_log(ctx, LOG_WARN, "etcd did not tell its size, so free space is not checked: %s",
                node->facts.etcd_problem);
    return 0;
}

bool node_lock_held(const struct node_lock *lock)
{
    return lock->id && (lock->running || lock->fresh || lock->alive);
}

static int judge_lock(const struct node *node, const struct ctx *ctx, struct sc_err *err)
{
    const struct node_lock *lock = &node->facts.lock;
    (void)ctx;
    if (!node_lock_held(lock))
        return 0;
    if (lock->fresh && !lock->alive) {
        err_set(err, ERR_BUSY, "%s created the snapshot container at %s and has not started it",
                lock->by ? lock->by : "RKE or another tool", lock->since);
        return err_hint(
            err, "if that run is dead, the container is removed 10 minutes after it was created, or by: "
                 "docker rm etcd-snapshot-once");
    }
    if (lock->by)
        err_set(err, ERR_BUSY, "%s takes the snapshot %s on this node since %s", lock->by,
                lock->snapshot ? lock->snapshot : "(no name)", lock->since);
    else
        err_set(err, ERR_BUSY, "RKE or another tool takes a snapshot on this node since %s", lock->since);
    return err_hint(
        err, "wait for it to end; the container is etcd-snapshot-once (`docker logs etcd-snapshot-once`)");
}

/* The database once as it is and once more packed, and a tenth of both. */
static int judge_space(const struct node *node, const struct ctx *ctx, struct sc_err *err)
{
    (void)ctx;
    uint64_t need = node->facts.database_bytes / 10 * 22;
    if (node->facts.free_bytes >= need)
        return 0;
    AUTO_FREE char *have = str_bytes(node->facts.free_bytes);
    AUTO_FREE char *want = str_bytes(need);
    err_set(err, ERR_SPACE, "not enough room in %s: %s free, %s needed", NODE_SNAPSHOT_FOLDER, have, want);
    return err_hint(err,
                    "remove old snapshots there; a full disk would also stop etcd, which often shares it");
}

static int judge_image(const struct node *node, const struct ctx *ctx, struct sc_err *err)
{
    (void)ctx;
    if (node->facts.image)
        return 0;
    err_set(err, ERR_IMAGE, "no rancher/rke-tools image is on the node and cluster.yml names none");
    return err_hint(err, "name it with --image, or as system_images.alpine in cluster.yml");
}

int node_judge_reader(const struct node *node, const struct ctx *ctx, struct sc_err *err)
{
    if (str_equal(node->facts.uid, "0"))
        return 0;
    if (judge_image(node, ctx, err) < 0)
        return -1;
    if (!node->facts.pull)
        return 0;
    err_set(err, ERR_IMAGE, "the image %s is not on the node", node->facts.image);
    return err_hint(err, "who is not root reads archives through a container of it: name one that is there "
                         "with --image, or pull it");
}

int node_judge_aspect(const struct node *node, enum node_aspect aspect, const struct ctx *ctx,
                      struct sc_err *err)
{
    static int (*const judges[])(const struct node *, const struct ctx *, struct sc_err *) = {
        [NODE_ENGINE] = judge_engine, [NODE_ETCD] = judge_etcd,   [NODE_LOCK] = judge_lock,
        [NODE_SPACE] = judge_space,   [NODE_IMAGE] = judge_image,
    };
    return judges[aspect](node, ctx, err);
}

int node_judge(const struct node *node, const struct ctx *ctx, struct sc_err *err)
{
    for (int i = 0; i < NODE_ASPECTS; i++)
        if (node_judge_aspect(node, (enum node_aspect)i, ctx, err) < 0)
            return -1;
    return 0;
}
