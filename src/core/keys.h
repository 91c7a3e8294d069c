/* The private keys of a run: each is read once, and its passphrase asked for once, however many nodes use it.
 */
#ifndef SNAPCTL_CORE_KEYS_PRIVATE_H
#define SNAPCTL_CORE_KEYS_PRIVATE_H

#include "snapctl/config/cluster.h"
#include "snapctl/core/run.h"

struct keys;

/* label and the other pointers outlive the keys. */
struct keys *keys_new(const char *config_path, const struct run_ui *ui, struct log *log) WARN_UNUSED;
void keys_free(struct keys *keys);

/* The key that auth names; owner ("node 10.0.0.1") stands in the label of an inline one. */
int keys_get(struct keys *keys, const struct cluster_auth *auth, const char *owner,
             const struct ssh_key **out, struct sc_err *err) WARN_UNUSED;

#endif
