/* database_facts FILE: checks a snapshot and prints its facts as JSON, the first four as `etcdctl snapshot
 * status -w json` does. For database.bats and bench/database.sh. */
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

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

static void print(const struct database_facts *facts)
{
    json_t *json =
        json_pack("{sI sI sI sI ss sI si sI sb so}", "hash", (json_int_t)facts->hash, "revision",
                  (json_int_t)facts->revision, "totalKey", (json_int_t)facts->total_keys, "totalSize",
                  (json_int_t)facts->total_bytes, "sha256", facts->sha256, "pageSize",
                  (json_int_t)facts->page_bytes, "damagedMeta", facts->damaged_meta, "leases",
                  (json_int_t)facts->leases, "authEnabled", facts->auth_enabled, "members", members(facts));
    json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(json);
}

int main(int argc, char **argv)
{
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    AUTO_DATABASE_FACTS struct database_facts facts = {0};
    AUTO_ERR struct sc_err err = {0};
    AUTO_CLOSE int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) {
        fprintf(stderr, "usage: database_facts FILE\n");
        return 2;
    }
    if (database_check_file(&ctx, fd, NULL, &facts, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    print(&facts);
    return 0;
}
