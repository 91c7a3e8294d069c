/* Proves a bundle of certificates while it flows by: what RKE before v0.2.0 kept beside its snapshots as
 * pki.bundle.tar.gz, and needs for its restore: /etc/kubernetes/.tmp/ in a tar in a gzip (rancher/rke,
 * release/v0.1, pki/deploy.go). What is in it, private keys among it, is not kept. Pure: bytes in, facts
 * out. */
#ifndef SNAPCTL_SNAPSHOT_BUNDLE_H
#define SNAPCTL_SNAPSHOT_BUNDLE_H

#include "snapctl/base/stream.h"
#include "snapctl/snapshot/archive.h"

/* Many times what the certificates of the largest cluster take. */
enum {
    BUNDLE_BYTES_MAX = 16 << 20,
    BUNDLE_UNPACKED_MAX = 64 << 20,
    BUNDLE_ENTRIES_MAX = 10000,
};

struct bundle_facts {
    uint64_t bytes;
    char sha256[SHA256_HEX]; /* of the file */
    char **certificates;     /* names of the files that hold one, sorted, without the folder; visible */
    size_t n_certificates;
    size_t n_keys; /* files that hold a private key */
};
void bundle_facts_free(struct bundle_facts *facts); /* NULL is allowed */

/* The same names in both. */
bool bundle_facts_agree(const struct bundle_facts *a, const struct bundle_facts *b);

struct bundle_check;
struct bundle_check *bundle_check_new(void) WARN_UNUSED;
void bundle_check_free(struct bundle_check *check); /* NULL is allowed */

/* write fails with ERR_CORRUPT as soon as something is wrong, finish unless all holds: gzip with its CRC-32
 * and size, tar with its checksums and end, nothing from outside the folder, at least one certificate and one
 * private key, no limit exceeded. */
struct sink *bundle_check_sink(struct bundle_check *check);

/* Once, after a finish that succeeded: the caller's, for bundle_facts_free. */
struct bundle_facts *bundle_check_take_facts(struct bundle_check *check) WARN_UNUSED;

#endif
