/* A snapshot that flows by is proven, down to the database in it, of which a spool keeps what is needed until
 * it has all come. */
#ifndef SNAPCTL_SRC_CORE_INSPECT_H
#define SNAPCTL_SRC_CORE_INSPECT_H

#include "snapctl/base/new_file.h"
#include "snapctl/base/stream.h"
#include "snapctl/snapshot/archive.h"
#include "snapctl/snapshot/database.h"

struct inspect;

/* Where a snapshot goes while it is proven; NULL: nowhere. The files are not kept by it. */
struct inspect_to {
    struct sink *archive;      /* takes all of it that is not refused; neither finished nor aborted */
    struct new_file *database; /* what etcdctl wrote: takes the spool's place */
    struct sink *state;        /* the state file, as archive */
};

struct inspect_what {
    const char *name; /* of the snapshot; NULL: whichever the archive has */
    bool want_state;  /* an archive without the state file is no good */
    bool no_sha256;   /* of the archive itself: it proves nothing, and nobody looks at it */
    bool plain;       /* no archive, but what etcdctl wrote */
    bool hashed; /* … with the SHA-256 behind it, which is compared while it flows by, as an archive's is */
    struct inspect_to to;
};

struct inspect *inspect_new(const struct inspect_what *what) WARN_UNUSED;
void inspect_free(struct inspect *inspect); /* NULL is allowed */

/* Reads source to its end: the archive is good then, and nothing is known of a plain snapshot that is not
 * hashed. progress may be NULL. */
int inspect_read(struct inspect *inspect, const struct ctx *ctx, struct source *source,
                 stream_progress *progress, void *arg, struct sc_err *err) WARN_UNUSED;

/* After that: what is known of the archive. Of a plain snapshot that is not hashed these are the sizes. */
struct archive_facts inspect_archive(const struct inspect *inspect);

/* The name in the archive; NULL for a plain snapshot. */
const char *inspect_name(const struct inspect *inspect);

/* And then the database. ERR_CORRUPT; ERR_SPACE or ERR_SYSTEM if it could not be kept and nobody knows. */
int inspect_database(struct inspect *inspect, const struct ctx *ctx, struct database_facts *facts,
                     struct sc_err *err) WARN_UNUSED;

/* Tells in the log what was found in a database, and warns of what is not quite right with it. */
void inspect_tell(const struct ctx *ctx, const struct database_facts *facts);

#endif
