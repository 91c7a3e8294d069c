#include "database_mvcc.h"

#include <endian.h>
#include <inttypes.h>
#include <string.h>

/* main '_' sub, big-endian, and a 't' for a tombstone. */
enum { SEPARATOR = 8, SUB = 9, REVISION_BYTES = 17, MARK = 17 };

static int64_t big_endian(const unsigned char *p)
{
    uint64_t n;
    memcpy(&n, p, sizeof n);
    return (int64_t)be64toh(n);
}

int database_mvcc_revision(const unsigned char *key, size_t len, struct database_revision *revision,
                           struct sc_err *err)
{
    bool tombstone = len == REVISION_BYTES + 1 && key[MARK] == 't';
    if ((len != REVISION_BYTES && !tombstone) || key[SEPARATOR] != '_')
        return err_set(err, ERR_CORRUPT, "a key of %zu bytes in the bucket \"key\" is not a revision", len);
    *revision = (struct database_revision){
        .main = big_endian(key), .sub = big_endian(key + SUB), .tombstone = tombstone};
    if (revision->main < 0 || revision->sub < 0)
        return err_set(err, ERR_CORRUPT, "the revision 0x%016" PRIx64 " in the bucket \"key\" cannot be",
                       (uint64_t)revision->main);
    return 0;
}

/* Fields of mvccpb.KeyValue, and how protobuf writes them. */
enum field { KEY = 1, CREATE_REVISION, MOD_REVISION, VERSION, VALUE, LEASE, FIELDS };
enum wire { VARINT = 0, BYTES = 2 };
static const unsigned char wires[FIELDS] = {
    [KEY] = BYTES,   [CREATE_REVISION] = VARINT, [MOD_REVISION] = VARINT, [VERSION] = VARINT, [VALUE] = BYTES,
    [LEASE] = VARINT};

/* At most 64 bits, 7 in a byte, the lowest first. */
static bool take_varint(const unsigned char **p, const unsigned char *end, uint64_t *n)
{
    *n = 0;
    for (unsigned shift = 0; shift < 64 && *p < end; shift += 7) {
        unsigned char byte = *(*p)++;
        *n |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return shift < 63 || byte < 2;
    }
    return false;
}

/* The number, or the length of the bytes, that the field has. */
static bool take_field(const unsigned char **p, const unsigned char *end, uint64_t numbers[FIELDS])
{
    uint64_t tag, number;
    if (!take_varint(p, end, &tag) || tag >> 3 == 0 || tag >> 3 >= FIELDS || (tag & 7) != wires[tag >> 3] ||
        !take_varint(p, end, &number))
        return false;
    numbers[tag >> 3] = number;
    if ((tag & 7) == VARINT)
        return true;
    if (number > (size_t)(end - *p))
        return false;
    *p += number;
    return true;
}

int database_mvcc_check(const unsigned char *value, size_t len, const struct database_revision *revision,
                        struct sc_err *err)
{
    uint64_t numbers[FIELDS] = {0};
    const unsigned char *p = value, *end = value + len;
    while (p < end)
        if (!take_field(&p, end, numbers))
            return err_set(err, ERR_CORRUPT, "revision %" PRId64 " holds %zu bytes that etcd cannot read",
                           revision->main, len);
    if (!revision->tombstone && numbers[MOD_REVISION] != (uint64_t)revision->main)
        return err_set(err, ERR_CORRUPT, "revision %" PRId64 " holds what says that it is revision %" PRIu64,
                       revision->main, numbers[MOD_REVISION]);
    return 0;
}
