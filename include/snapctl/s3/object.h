/* Objects of the client's bucket: asking, putting, deleting, listing. */
#ifndef SNAPCTL_S3_OBJECT_H
#define SNAPCTL_S3_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/s3/client.h"
#include "snapctl/s3/sigv4.h"

enum {
    S3_MARK_SIZE = 33,   /* 32 hex digits and a NUL */
    S3_METADATA_MAX = 6, /* own fields of an object's metadata */
    S3_TAGS_MAX = 10,    /* S3's own limit */
    S3_GRACE_MS =
        3000, /* what an answer is awaited for after cancelling, where it decides what is in the bucket */
    S3_PUT_MAX = 16 << 20,   /* larger ones are uploaded in parts */
    S3_LISTED_MAX = 1000000, /* of one listing, of objects or of uploads */
};

struct s3_object {
    bool found;
    uint64_t bytes;
    char *etag;               /* without quotes */
    char *version_id;         /* NULL: the bucket keeps no versions */
    char *modified;           /* as the store writes it */
    char *mark;               /* whose upload made it: see struct s3_write; NULL: none of ours */
    char *sse;                /* "AES256", "aws:kms"; NULL: none */
    int64_t n_tags;           /* -1: not told */
    char *snapshot, *cluster; /* what our upload wrote down, as it stands there; NULL: nothing */
    char *lock_mode;          /* "GOVERNANCE", "COMPLIANCE"; NULL: none, or no right to see it */
    int64_t lock_until;       /* seconds since 1970; 0: not told */
    bool legal_hold;
};
void s3_object_free(struct s3_object *object);
#define AUTO_OBJECT CLEANUP(s3_object_free)

/* Before an upload, by GET of the first byte, as HEAD has no error body: are the keys good, is the bucket
 * there, is the name free? S3_NAME_UNKNOWN: the right to see it is missing (without s3:ListBucket also for a
 * free name). An outage is told after S3_PROBE_RETRY_MS. Errors: see the rows of s3/error.h. */
enum s3_name { S3_NAME_FREE, S3_NAME_TAKEN, S3_NAME_UNKNOWN };
int s3_object_probe(struct s3_client *client, const struct ctx *ctx, const char *key, enum s3_name *name,
                    struct s3_object *object, struct sc_err *err) WARN_UNUSED;

/* HEAD. A missing object is no error: found is false. */
int s3_object_head(struct s3_client *client, const struct ctx *ctx, const char *key, struct s3_object *object,
                   struct sc_err *err) WARN_UNUSED;

/* The same of many objects, a few in flight at a time, and of some with bytes, by GET. An object that the
 * store refuses to tell of has an error of its own. -1, with those that were not asked yet as they were: an
 * outage, the end of the ctx, or other bytes than were asked for (ERR_STORE). */
struct s3_head {
    const char *key; /* outlives the call */
    uint64_t from;
    size_t len; /* so many bytes from there on, which it has; 0: none */
    struct s3_object object;
    struct buf bytes;
    struct sc_err err; /* ERR_NONE: the store told */
};
int s3_object_heads(struct s3_client *client, const struct ctx *ctx, struct s3_head *heads, size_t n,
                    struct sc_err *err) WARN_UNUSED;
void s3_heads_free(struct s3_head *heads, size_t n); /* the array, too */

/* Our upload wrote down that it is of the cluster of that name. */
bool s3_object_is_of(const struct s3_object *object, const char *cluster);

/* Nobody may delete this version of it at that time. */
bool s3_object_is_locked(const struct s3_object *object, int64_t now);

/* How an object is to be written. Strings outlive the call. */
struct s3_write {
    const char *key;
    bool overwrite;           /* else it must not be there yet */
    const char *content_type; /* NULL: application/zip */
    const char *sse;          /* "AES256", "aws:kms"; NULL: the bucket's own */
    const char *kms_key;      /* with "aws:kms"; NULL: the account's */
    bool checksum_sha256;     /* x-amz-checksum-sha256 too; on by itself with lock_mode, which demands it */
    const char *lock_mode;    /* "GOVERNANCE", "COMPLIANCE"; NULL: none */
    int lock_days;
    const struct sigv4_field *metadata; /* names without "x-amz-meta-"; at most S3_METADATA_MAX */
    size_t n_metadata;
    const struct sigv4_field *tags; /* at most S3_TAGS_MAX */
    size_t n_tags;
    char mark[S3_MARK_SIZE]; /* kept as metadata, tells this upload's object from any other; of s3_write_mark
                              */
};
void s3_write_mark(struct s3_write *write);

/* ERR_CONFIG if it has too many fields, or a value that cannot be sent. */
int s3_write_check(const struct s3_write *write, struct sc_err *err) WARN_UNUSED;

struct s3_written {
    char *etag; /* without quotes; NULL: the store told none */
    char *version_id;
};
void s3_written_free(struct s3_written *written);
#define AUTO_WRITTEN CLEANUP(s3_written_free)

/* One PUT. Where the store refuses because the name is taken, or its answer was lost, HEAD tells by the mark
 * whether it was this PUT that came through. A store that knows no If-None-Match is asked by HEAD before. */
int s3_object_put(struct s3_client *client, const struct ctx *ctx, const struct s3_write *write,
                  const void *body, size_t len, struct s3_written *out, struct sc_err *err) WARN_UNUSED;

/* Deletes it, or one version of it (version_id may be NULL). One that is missing is no error. *marker (may be
 * NULL): the bucket has versions, so it is not gone, but hidden behind a delete marker. */
int s3_object_delete(struct s3_client *client, const struct ctx *ctx, const char *key, const char *version_id,
                     bool *marker, struct sc_err *err) WARN_UNUSED;

/* All objects whose key begins with prefix, and has no slash behind it, in the order of their keys; the
 * entry's strings live for the call. -1 of the callback ends it. ERR_STORE where there are more than
 * S3_LISTED_MAX. */
struct s3_entry {
    const char *key, *etag;
    int64_t modified; /* seconds since 1970; 0: not told */
    uint64_t bytes;
};
typedef int s3_entry_seen(void *arg, const struct s3_entry *entry);
int s3_object_list(struct s3_client *client, const struct ctx *ctx, const char *prefix, s3_entry_seen *seen,
                   void *arg, struct sc_err *err) WARN_UNUSED;

/* GetBucketLocation: the region as it is written in signatures ("" is us-east-1, "EU" eu-west-1). Asked once:
 * who asks can do without. */
int s3_object_region(struct s3_client *client, const struct ctx *ctx, char **region,
                     struct sc_err *err) WARN_UNUSED;

/* GetObjectLockConfiguration: whether the bucket was made with object lock. ERR_AUTH: the right to ask is
 * missing. Asked once: who asks can do without. */
int s3_object_locking(struct s3_client *client, const struct ctx *ctx, bool *locking,
                      struct sc_err *err) WARN_UNUSED;

#endif
