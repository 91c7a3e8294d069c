#include "database_buckets.h"

#include <string.h>

#include "database_member.h"
#include "database_mvcc.h"

/* etcd before 3.5 leaves the members of before each restore in the bucket, which grows. */
enum { MEMBERS_MAX = 1024, MEMBERS_STEP = 64 };

static int see_revision(struct database_facts *facts, const struct database_element *e, struct sc_err *err)
{
    struct database_revision revision;
    if (database_mvcc_revision(e->key, e->key_len, &revision, err) < 0 ||
        database_mvcc_check(e->value, e->value_len, &revision, err) < 0)
        return -1;
    facts->revision = revision.main;
    return 0;
}

/* They were read when the digest was made. */
static int see_revisions(struct database_facts *facts, const struct database_digest *digest,
                         struct sc_err *err)
{
    struct database_revision last;
    if (database_mvcc_revision(digest->last, digest->last_len, &last, err) < 0)
        return -1;
    facts->revision = last.main;
    return 0;
}

static int see_lease(struct database_facts *facts, const struct database_element *e, struct sc_err *err)
{
    (void)e;
    (void)err;
    facts->leases++;
    return 0;
}

static int see_leases(struct database_facts *facts, const struct database_digest *digest, struct sc_err *err)
{
    (void)err;
    facts->leases += digest->count;
    return 0;
}

static int see_auth(struct database_facts *facts, const struct database_element *e, struct sc_err *err)
{
    static const char key[] = "authEnabled";
    (void)err;
    if (e->key_len == sizeof key - 1 && memcmp(e->key, key, e->key_len) == 0)
        facts->auth_enabled = e->value_len == 1 && e->value[0] == 1;
    return 0;
}

static int see_member(struct database_facts *facts, const struct database_element *e, struct sc_err *err)
{
    if (facts->n_members == MEMBERS_MAX)
        return err_set(err, ERR_CORRUPT, "the bucket \"members\" has more than %d members", MEMBERS_MAX);
    if (facts->n_members % MEMBERS_STEP == 0)
        facts->members = mem_realloc(facts->members, facts->n_members + MEMBERS_STEP, sizeof *facts->members);
    if (database_member_parse(e->key, e->key_len, e->value, e->value_len, &facts->members[facts->n_members],
                              err) < 0)
        return -1;
    facts->n_members++;
    return 0;
}

/* A revision is never a member's id, 17 digits are too many, so this refuses the first. */
static int see_members(struct database_facts *facts, const struct database_digest *digest, struct sc_err *err)
{
    const struct database_element first = {.key = digest->first, .key_len = digest->first_len};
    return see_member(facts, &first, err);
}

static int see_many(struct database_facts *facts, const struct database_digest *digest, struct sc_err *err)
{
    (void)facts;
    (void)digest;
    (void)err;
    return 0;
}

static int see_any(struct database_facts *facts, const struct database_element *e, struct sc_err *err)
{
    (void)facts;
    (void)e;
    (void)err;
    return 0;
}

/* etcd makes the buckets it misses; but where the first two are missing, no etcd has ever been. Entries that
 * look like revisions can come by the digest in any bucket. */
static const struct {
    const char *name;
    bool needed;
    int (*see)(struct database_facts *facts, const struct database_element *e, struct sc_err *err);
    int (*see_digest)(struct database_facts *facts, const struct database_digest *digest, struct sc_err *err);
} table[] = {
    {"key",     true,  see_revision, see_revisions},
    {"meta",    true,  see_any,      see_many     },
    {"lease",   false, see_lease,    see_leases   },
    {"auth",    false, see_auth,     see_many     },
    {"members", false, see_member,   see_members  },
    {NULL,      false, see_any,      see_many     },
};
enum { OTHER = sizeof table / sizeof *table - 1 };

static int bucket_begins(void *arg, const struct database_element *e, struct sc_err *err)
{
    struct database_buckets *b = arg;
    (void)err;
    for (b->current = 0; b->current < OTHER; b->current++)
        if (strlen(table[b->current].name) == e->key_len &&
            memcmp(table[b->current].name, e->key, e->key_len) == 0)
            break;
    b->seen |= 1U << b->current;
    crc32c_update(&b->crc, e->key, e->key_len);
    return 0;
}

/* To etcd a bucket within a bucket is a key without a value. */
static int entry_seen(void *arg, const struct database_element *e, struct sc_err *err)
{
    struct database_buckets *b = arg;
    crc32c_update(&b->crc, e->key, e->key_len + (e->bucket ? 0 : e->value_len));
    b->facts->total_keys++;
    return table[b->current].see(b->facts, e, err);
}

static int digest_seen(void *arg, const struct database_digest *digest, struct sc_err *err)
{
    struct database_buckets *b = arg;
    crc32c_append(&b->crc, digest->crc, digest->bytes);
    b->facts->total_keys += digest->count;
    return table[b->current].see_digest(b->facts, digest, err);
}

void database_buckets_init(struct database_buckets *buckets, struct database_facts *facts)
{
    buckets->facts = facts;
    buckets->current = OTHER;
    buckets->seen = 0;
    crc32c_init(&buckets->crc);
}

struct database_visitor database_buckets_visitor(struct database_buckets *buckets)
{
    return (struct database_visitor){
        .bucket = bucket_begins, .entry = entry_seen, .digest = digest_seen, .arg = buckets};
}

int database_buckets_finish(struct database_buckets *buckets, struct sc_err *err)
{
    buckets->facts->hash = buckets->crc.value;
    for (size_t i = 0; i < OTHER; i++)
        if (table[i].needed && !(buckets->seen & 1U << i))
            return err_set(err, ERR_CORRUPT, "not a database of etcd: it has no bucket \"%s\"",
                           table[i].name);
    return 0;
}
