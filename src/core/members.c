#include "members.h"

#include <inttypes.h>
#include <string.h>

#include "snapctl/base/buf.h"

static const struct database_member *find(const struct database_facts *facts, uint64_t id)
{
    for (size_t i = 0; i < facts->n_members; i++)
        if (facts->members[i].id == id)
            return &facts->members[i];
    return NULL;
}

static bool same_urls(const struct database_member *a, const struct database_member *b)
{
    if (a->n_peer_urls != b->n_peer_urls)
        return false;
    for (size_t i = 0; i < a->n_peer_urls; i++)
        if (strcmp(a->peer_urls[i], b->peer_urls[i]) != 0)
            return false;
    return true;
}

static void tell(struct buf *out, const struct database_member *member, const char *what)
{
    buf_printf(out, "%smember %" PRIx64 " (%s) %s", out->len ? ", " : "", member->id,
               *member->name ? member->name : "never started", what);
}

char *members_differ(const struct database_facts *a, const struct database_facts *b)
{
    struct buf out = {0};
    for (size_t i = 0; i < a->n_members; i++) {
        const struct database_member *member = &a->members[i], *other = find(b, member->id);
        if (!other)
            tell(&out, member, "is missing");
        else if (!same_urls(member, other))
            tell(&out, other, "has other peer URLs");
        else if (strcmp(member->name, other->name) != 0)
            tell(&out, other, "has another name");
    }
    for (size_t i = 0; i < b->n_members; i++)
        if (!find(a, b->members[i].id))
            tell(&out, &b->members[i], "is added");
    return out.len ? buf_take(&out) : NULL;
}
