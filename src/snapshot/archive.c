#include "snapctl/snapshot/archive.h"

#include <stdlib.h>

#include "archive_entries.h"
#include "etcd_hash.h"
#include "sha256.h"
#include "zip_reader.h"

struct archive_check {
    struct sink sink;
    const struct ctx *ctx;                    /* of the write under way */
    struct sink *copies[ARCHIVE_ENTRY_KINDS]; /* NULL: none */
    struct archive_entries entries;
    enum archive_entry current;
    struct zip_reader *zip;
    struct sha256 *sha256; /* of the archive; NULL: left out */
    struct etcd_hash *etcd;
    uint64_t state_bytes;
    struct archive_facts facts;
};

static int entry_begins(void *arg, const struct zip_entry *entry, struct sc_err *err)
{
    struct archive_check *check = arg;
    return archive_entries_see(&check->entries, entry->name, entry->name_len, &check->current, err);
}

static int check_data(struct archive_check *check, const unsigned char *data, size_t len, struct sc_err *err)
{
    if (check->current == ARCHIVE_STATE) {
        check->state_bytes += len;
        return 0;
    }
    check->facts.etcd_bytes += len;
    if (etcd_hash_update(check->etcd, data, len, err) < 0)
        return err_wrap(err, "%s", check->entries.names[ARCHIVE_SNAPSHOT]);
    return 0;
}

static int entry_data(void *arg, const unsigned char *data, size_t len, struct sc_err *err)
{
    struct archive_check *check = arg;
    struct sink *copy = check->copies[check->current];
    if (check_data(check, data, len, err) < 0)
        return -1;
    return copy ? copy->write(copy, check->ctx, data, len, err) : 0;
}

static int entry_ends(void *arg, struct sc_err *err)
{
    struct archive_check *check = arg;
    const char *name = check->entries.names[check->current];
    if (check->current == ARCHIVE_STATE) {
        check->facts.state_file = check->state_bytes > 0;
        return check->facts.state_file ? 0 : err_set(err, ERR_CORRUPT, "%s: the state file is empty", name);
    }
    if (etcd_hash_finish(check->etcd, check->facts.etcd_sha256, err) < 0)
        return err_wrap(err, "%s", name);
    return 0;
}

static int check_write(struct sink *self, const struct ctx *ctx, const void *data, size_t len,
                       struct sc_err *err)
{
    struct archive_check *check = (struct archive_check *)self;
    check->ctx = ctx;
    check->facts.bytes += len;
    if (check->sha256)
        sha256_update(check->sha256, data, len);
    return zip_reader_push(check->zip, data, len, err);
}

static int check_finish(struct sink *self, const struct ctx *ctx, struct sc_err *err)
{
    struct archive_check *check = (struct archive_check *)self;
    unsigned char digest[SHA256_BYTES];
    (void)ctx;
    if (zip_reader_finish(check->zip, err) < 0 || archive_entries_complete(&check->entries, err) < 0)
        return -1;
    if (check->sha256) {
        sha256_finish(check->sha256, digest);
        sha256_hex(digest, check->facts.sha256);
    }
    return 0;
}

struct archive_check *archive_check_new(const char *name, bool want_state)
{
    struct archive_check *check = mem_calloc(1, sizeof *check);
    check->sink = (struct sink){.write = check_write, .finish = check_finish, .abort = sink_abort_nothing};
    archive_entries_init(&check->entries, name, want_state);
    check->zip = zip_reader_new(
        &(struct zip_visitor){.entry = entry_begins, .data = entry_data, .end = entry_ends, .arg = check});
    check->sha256 = sha256_new();
    check->etcd = etcd_hash_new();
    return check;
}

void archive_check_free(struct archive_check *check)
{
    if (!check)
        return;
    archive_entries_clear(&check->entries);
    zip_reader_free(check->zip);
    sha256_free(check->sha256);
    etcd_hash_free(check->etcd);
    free(check);
}

void archive_check_copy(struct archive_check *check, struct sink *copy)
{
    check->copies[ARCHIVE_SNAPSHOT] = copy;
}

void archive_check_copy_state(struct archive_check *check, struct sink *copy)
{
    check->copies[ARCHIVE_STATE] = copy;
}

void archive_check_leave_out_sha256(struct archive_check *check)
{
    sha256_free(check->sha256);
    check->sha256 = NULL;
}

const char *archive_check_name(const struct archive_check *check)
{
    return check->entries.name;
}

struct sink *archive_check_sink(struct archive_check *check)
{
    return &check->sink;
}

const struct archive_facts *archive_check_facts(const struct archive_check *check)
{
    return &check->facts;
}
