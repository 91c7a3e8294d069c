/* database_facts [--sifted] FILE: checks a snapshot and prints its facts as JSON, the first four as `etcdctl
 * snapshot status -w json` does. --sifted: what a sift keeps of it, and how much that is; the SHA-256 is not
 * looked at. For database.bats and bench/database.sh. */
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "snapctl/base/spool.h"
#include "snapctl/snapshot/database.h"

static json_t *members(const struct database_facts *facts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < facts->n_members; i++) {
        const struct database_member *member = &facts->members[i];
        char id[17];
        snprintf(id, sizeof id, "%" PRIx64, member->id);
        json_t *urls = json_array();
        for (size_t url = 0; url < member->n_peer_urls; url++)
            json_array_append_new(urls, json_string(member->peer_urls[url]));
        json_array_append_new(list,
                              json_pack("{ss ss so}", "id", id, "name", member->name, "peerURLs", urls));
    }
    return list;
}

static void print(const struct database_facts *facts, const uint64_t *kept)
{
    json_t *json =
        json_pack("{sI sI sI sI ss sI si sI sb so}", "hash", (json_int_t)facts->hash, "revision",
                  (json_int_t)facts->revision, "totalKey", (json_int_t)facts->total_keys, "totalSize",
                  (json_int_t)facts->total_bytes, "sha256", facts->sha256, "pageSize",
                  (json_int_t)facts->page_bytes, "damagedMeta", facts->damaged_meta, "leases",
                  (json_int_t)facts->leases, "authEnabled", facts->auth_enabled, "members", members(facts));
    if (kept)
        json_object_set_new(json, "keptSize", json_integer((json_int_t)*kept));
    json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(json);
}

/* -1 with err filled. */
static int sift_file(const struct ctx *ctx, int fd, struct sink *sink, struct sc_err *err)
{
    static char piece[64 << 10];
    ssize_t n;
    while ((n = read(fd, piece, sizeof piece)) > 0)
        if (sink->write(sink, ctx, piece, (size_t)n, err) < 0)
            return -1;
    return sink->finish(sink, ctx, err);
}

static int check_sifted(const struct ctx *ctx, int fd, struct database_facts *facts, uint64_t *kept,
                        struct sc_err *err)
{
    struct spool *spool = spool_new();
    struct database_sift *sift = database_sift_new(spool_sink(spool));
    int result = sift_file(ctx, fd, database_sift_sink(sift), err);
    int file = result == 0 ? spool_file(spool, err) : -1;
    if (file >= 0)
        result = database_check_sifted(ctx, sift, file, "", facts, err);
    *kept = spool_bytes(spool);
    database_sift_free(sift);
    spool_free(spool);
    return file < 0 ? -1 : result;
}

int main(int argc, char **argv)
{
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    AUTO_DATABASE_FACTS struct database_facts facts = {0};
    AUTO_ERR struct sc_err err = {0};
    bool sifted = argc == 3 && strcmp(argv[1], "--sifted") == 0;
    AUTO_CLOSE int fd = argc == 2 || sifted ? open(argv[argc - 1], O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) {
        fprintf(stderr, "usage: database_facts [--sifted] FILE\n");
        return 2;
    }
    uint64_t kept = 0;
    int result = sifted ? check_sifted(&ctx, fd, &facts, &kept, &err)
                        : database_check_file(&ctx, fd, NULL, &facts, &err);
    if (result < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    print(&facts, sifted ? &kept : NULL);
    return 0;
}
