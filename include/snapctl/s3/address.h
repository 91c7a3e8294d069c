/* Where a bucket is: endpoint, bucket and region become a URL, the Host header and the region that signs; a
 * folder and a snapshot's name become a key. Pure.
 *
 * Source: Amazon S3 User Guide, "Virtual hosting of buckets" and "Methods for accessing a bucket"; RKE's own
 * rules: virtual host for amazonaws.com and its kin, path style for everything else and for buckets with dots
 * on TLS. */
#ifndef SNAPCTL_S3_ADDRESS_H
#define SNAPCTL_S3_ADDRESS_H

#include <stdbool.h>

#include "snapctl/base/err.h"

enum {
    S3_BUCKET_MAX = 63,
    S3_KEY_MAX = 1024, /* bytes of UTF-8 */
};

enum s3_lookup { S3_LOOKUP_AUTO, S3_LOOKUP_DNS, S3_LOOKUP_PATH };

enum s3_region_source {
    S3_REGION_GIVEN,
    S3_REGION_ENDPOINT, /* read from the endpoint's name */
    S3_REGION_ASSUMED,  /* us-east-1, until the store says otherwise */
    S3_REGION_STORE,    /* the store said so */
};

struct s3_address_setup {
    const char *endpoint; /* "[https://]host[:port]", IPv6 in brackets; NULL or "": s3.amazonaws.com */
    const char *bucket;
    const char *region;          /* flag or file; NULL or "": none */
    const char *region_fallback; /* the environment's, used when the endpoint's name has none; NULL: none */
    enum s3_lookup lookup;
    bool plain_http;
};

struct s3_address {
    bool tls;
    bool virtual_host;
    char *bucket;
    char *endpoint; /* "host[:port]" without the bucket: where a region is in the name, that of the region */
    char *host;     /* the Host header: with the bucket in front for virtual host, without a default port */
    char *base;     /* "https://" and host: a path follows */
    char *prefix;   /* of every path: "" or "/bucket" */
    char *region;
    enum s3_region_source region_source;
    bool global; /* the endpoint is AWS's global one: its host follows the region */
};

/* ERR_CONFIG, with a hint, for everything that cannot work: an endpoint with a path, http:// without
 * plain_http, an impossible bucket name or region. */
int s3_address_init(struct s3_address *address, const struct s3_address_setup *setup,
                    struct sc_err *err) WARN_UNUSED;
void s3_address_free(struct s3_address *address);

/* The store told the region. -1 if that is no region's name, or the one it had. */
int s3_address_set_region(struct s3_address *address, const char *region) WARN_UNUSED;

/* The host that is connected to (IPv6 without brackets), and its port. The caller frees it. */
char *s3_address_peer(const struct s3_address *address, int *port) WARN_UNUSED;

/* The URL's path of a key, or of the bucket if key is NULL; encoded once, as S3 wants it. */
char *s3_address_path(const struct s3_address *address, const char *key) WARN_UNUSED;

/* "folder/", *out is NULL for none: all keys of that folder begin with it. As s3_address_key. */
int s3_address_folder(const char *folder, char **out, struct sc_err *err) WARN_UNUSED;

/* "folder/NAME.zip". Slashes at the folder's ends are dropped and runs of them become one, as RKE's restore
 * looks for it. ERR_CONFIG if the folder has "." or ".." as a segment, control characters or invalid UTF-8,
 * or if the key is longer than S3_KEY_MAX. */
int s3_address_key(const char *folder, const char *name, char **out, struct sc_err *err) WARN_UNUSED;

/* The same for a file of any name: "folder/FILE". */
int s3_address_file(const char *folder, const char *file, char **out, struct sc_err *err) WARN_UNUSED;

#endif
