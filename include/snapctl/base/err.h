/* What went wrong, and what a person can do about it.
 *
 * A function that can fail returns 0 or -1 and then has filled the struct sc_err it was given. On the way up
 * the text is wrapped with what was being done; it is printed once, in cli. */
#ifndef SNAPCTL_BASE_ERR_H
#define SNAPCTL_BASE_ERR_H

#include <stdbool.h>

#include "snapctl/base/mem.h"

/* Each kind has a row in err.c: its name in JSON, and whether trying again may help. */
enum err_kind {
    ERR_NONE,
    ERR_USAGE,       /* the command line */
    ERR_CONFIG,      /* cluster.yml or a file it names; S3: a bucket or setting that cannot work */
    ERR_REFUSED,     /* well-formed, but would do harm: a taken name, a running snapshot */
    ERR_HOST_KEY,    /* unknown, changed or revoked */
    ERR_AUTH,        /* SSH user authentication; S3: keys or rights */
    ERR_NETWORK,     /* resolve, connect, connection lost */
    ERR_TIMEOUT,     /* a deadline passed */
    ERR_CANCELLED,   /* SIGINT or SIGTERM */
    ERR_DOCKER,      /* the Docker engine or its CLI on a node */
    ERR_IMAGE,       /* the tools image is missing and cannot be pulled */
    ERR_ETCD,        /* etcd is not running or not healthy */
    ERR_BUSY,        /* another snapshot runs on the node */
    ERR_SPACE,       /* not enough room on a disk, or in a quota */
    ERR_SNAPSHOT,    /* the snapshot tool failed */
    ERR_CORRUPT,     /* an archive that is not what it must be */
    ERR_SYSTEM,      /* this machine: files, memory, threads */
    ERR_CERTIFICATE, /* of a TLS server: unknown CA, expired, another host's */
    ERR_STORE,       /* the object store is overloaded, fails, or answers what it must not */
};

struct sc_err {
    enum err_kind kind;
    char *text; /* one line, no full stop */
    char *hint; /* what would help; NULL if nothing is known; may have several lines */
};

#define AUTO_ERR CLEANUP(err_clear)

/* The kind's name in JSON ("host-key"), and whether running again unchanged may succeed. */
const char *err_kind_name(enum err_kind kind);
bool err_kind_retryable(enum err_kind kind);

/* Whether errno is one of those that tell of no room for a file: on the disk, by a quota, or by a limit of
 * its size. */
bool err_is_no_room(int number);

/* Fills err (which may be NULL, and may hold an older error, which is dropped) and returns -1. */
int err_set(struct sc_err *err, enum err_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);

/* As err_set, with ": " and the text of errno behind. */
int err_set_errno(struct sc_err *err, enum err_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "<format>: " before the text and returns -1. */
int err_wrap(struct sc_err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Sets the hint (replacing an older one) and returns -1. */
int err_hint(struct sc_err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Copies an error into another, as err_set does. */
void err_copy(struct sc_err *to, const struct sc_err *from);

/* Moves an error: *to owns it, *from is empty. */
void err_move(struct sc_err *to, struct sc_err *from);

/* Frees what err holds and empties it. */
void err_clear(struct sc_err *err);

#endif
