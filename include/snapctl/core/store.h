/* The store that a snapshot is uploaded to: what is asked for, and what came of it. */
#ifndef SNAPCTL_CORE_STORE_H
#define SNAPCTL_CORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/err.h"
#include "snapctl/s3/address.h"
#include "snapctl/s3/credentials.h"
#include "snapctl/s3/sigv4.h"
#include "snapctl/snapshot/archive.h"

/* How S3 is connected to. auto: from here, but from an etcd node when its role's keys are used, or when S3
 * cannot be reached from here; never without TLS. */
enum store_via { STORE_VIA_AUTO, STORE_VIA_LOCAL, STORE_VIA_NODE };

/* As the command line and cluster.yml say. NULL, 0 and false where they say nothing. All outlives the run. */
struct store_options {
    const char *endpoint; /* NULL: s3.amazonaws.com */
    const char *bucket;   /* never NULL */
    const char *folder, *region;
    enum s3_lookup lookup;
    enum store_via via;
    bool plain_http, skip_tls_verify;
    const char *ca_pem; /* adds to the system's roots */
    const char *proxy;  /* NULL: the environment's */
    int timeout_s; /* of an upload, or of reading an object, as a whole; 0: as long as its size asks for */
    unsigned concurrency; /* parts in flight; 0: S3_CONCURRENCY */
    const char *sse, *kms_key;
    bool checksum_sha256;
    const char *lock_mode; /* "GOVERNANCE", "COMPLIANCE"; NULL: none */
    int lock_days;
    const struct sigv4_field *tags;
    size_t n_tags;
    struct credentials_keys flags, cluster_file; /* each flag overrides its field of the file */
    const char *(*env)(void *arg, const char *name);
    void *env_arg;
    const char *home;
};

/* skipped: nothing was there to be uploaded. */
enum store_status { STORE_SKIPPED, STORE_UPLOADED, STORE_FAILED };

/* "skipped", "uploaded", "failed", as in JSON. */
const char *store_status_name(enum store_status status);

/* What came of an upload. Strings are owned; NULL where unknown. */
struct store_result {
    enum store_status status;
    char *endpoint, *bucket, *key, *region;
    char *folder;               /* "folder/": all keys begin with it; NULL: none */
    char *source_node;          /* whose archive it is */
    const char *credentials;    /* the provider's name; a literal */
    const char *via;            /* "local", "node"; a literal */
    struct archive_facts facts; /* of what was uploaded */
    bool read_back;             /* the store told the size and ETag that it has */
    unsigned parts;
    char *etag, *version_id;
    char *bundle_key; /* of the bundle that was uploaded beside it; NULL: none was */
    char *bundle_etag;
    uint64_t bundle_bytes;
    int64_t duration_ms; /* from the first byte to the end */
    struct sc_err err;
};
void store_result_free(struct store_result *result); /* NULL is allowed */

#endif
