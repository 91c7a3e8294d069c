/* An upload as a sink: nothing is visible in the bucket before finish, and nothing is left of it after abort.
 *
 * Up to S3_PUT_MAX bytes are kept and PUT by finish. More goes as a multipart upload: a thread of the
 * upload's own sends parts (hashed as they were written), several at a time, while later bytes are still
 * written; write waits when concurrency + 1 parts are in memory. Memory: at most 1 MiB + max(S3_PUT_MAX,
 * (concurrency + 1) × part size), and what libcurl and TLS take. finish asks (HEAD) whether the name is still
 * free, completes, and reads size, ETag and mark back. */
#ifndef SNAPCTL_S3_UPLOAD_H
#define SNAPCTL_S3_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/stream.h"
#include "snapctl/s3/multipart.h"

enum {
    S3_CONCURRENCY = 4,
    S3_CONCURRENCY_MAX = 64,
    S3_PART_MIN = 16 << 20, /* as RKE's own; a store has work of its own with each part */
    S3_ABORT_MS = 3000,     /* for AbortMultipartUpload, whatever cancelled the rest */
};
#define S3_OBJECT_MAX ((uint64_t)5 << 40)

struct s3_upload_setup {
    struct s3_client *client; /* used by the upload alone until finish or abort has returned */
    struct s3_write write;    /* what it points to is kept until then, too; a mark that is "" is made here */
    uint64_t total;           /* bytes that will be written: finish refuses any other number */
    unsigned concurrency;     /* 0: S3_CONCURRENCY */
    /* Told in finish, from its thread, when more bytes have arrived, and before the object is made visible;
     * may be NULL. */
    void (*progress)(void *arg, bool completing);
    void *progress_arg;
    uint64_t part_size; /* 0: s3_upload_part_size. Smaller ones than 5 MiB are refused by most stores */
};

struct s3_upload_facts {
    uint64_t bytes;
    unsigned parts;   /* 1 for a single PUT */
    char *etag;       /* NULL: the store tells none */
    char *version_id; /* NULL: no versions */
    bool read_back;   /* HEAD agreed; false: it was not allowed or got no answer, which was logged */
};

struct s3_upload;

/* S3_PART_MIN, or as many whole MiB as S3_PARTS_MAX parts need. */
uint64_t s3_upload_part_size(uint64_t total);

/* Begins; CreateMultipartUpload runs while the first bytes are written. ctx gives the log, and the deadline
 * of all that is sent but Complete; the rest of the time is the ctx's of write and finish, which stop it, as
 * abort does. ERR_CONFIG if total or options cannot be. */
int s3_upload_new(const struct ctx *ctx, const struct s3_upload_setup *setup, struct s3_upload **out,
                  struct sc_err *err) WARN_UNUSED;

/* Its abort breaks off what is in flight and aborts the multipart upload (a Create under way is awaited
 * first), within S3_GRACE_MS + S3_ABORT_MS. Where the store refuses that, a warning names the upload id. */
struct sink *s3_upload_sink(struct s3_upload *upload);

/* Breaks off what is in flight, so that the client can be given another way (s3_client_use) before abort. */
void s3_upload_stop(struct s3_upload *upload);

/* Kept as metadata of the object that this upload makes: see struct s3_write. */
const char *s3_upload_mark(const struct s3_upload *upload);

/* After a finish that succeeded. */
const struct s3_upload_facts *s3_upload_facts(const struct s3_upload *upload);

/* Parts that arrived so far, in bytes. From any thread. */
uint64_t s3_upload_sent(const struct s3_upload *upload);

/* After finish or abort. NULL is allowed. */
void s3_upload_free(struct s3_upload *upload);

#endif
