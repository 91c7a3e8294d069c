#include "certificates.h"

#include <inttypes.h>
#include <stdlib.h>

#include "script.h"
#include "snapctl/base/str.h"
#include "snapctl/node/health.h"

static int advise(const struct node *node, int64_t elsewhere, struct sc_err *err)
{
    AUTO_FREE char *folder = script_kubernetes_folder(node);
    if (elsewhere > 0)
        err_hint(err,
                 "the %" PRId64
                 " .pem files in %s/ssl are not taken instead: they are this node's alone, and no "
                 "cluster can be restored from them",
                 elsewhere, folder);
    AUTO_FREE char *hint = str_dup(err->hint);
    return err_hint(err,
                    "%s%s`rke up` of RKE before v0.2.0 fills it; from v0.2.0 on the certificates are in the "
                    "state file: save without --legacy and --pki-bundle",
                    hint ? hint : "", hint ? "\n" : "");
}

char *node_certificates_folder(const struct node *node)
{
    AUTO_FREE char *folder = script_kubernetes_folder(node);
    return str_format("%s/.tmp", folder);
}

int certificates_fail(const struct node *node, int64_t elsewhere, struct sc_err *err)
{
    AUTO_FREE char *folder = node_certificates_folder(node);
    err_set(err, ERR_CONFIG,
            "there is nothing for " NODE_BUNDLE_FILE ": %s, where RKE before v0.2.0 keeps the cluster's "
            "certificates, is empty or missing",
            folder);
    return advise(node, elsewhere, err);
}

int node_judge_certificates(const struct node *node, const struct node_health *health, struct sc_err *err)
{
    if (health->bundle_files == 0)
        return certificates_fail(node, health->certificates_elsewhere, err);
    if (health->certificates && health->keys)
        return 0;
    AUTO_FREE char *folder = node_certificates_folder(node);
    err_set(err, ERR_CONFIG,
            NODE_BUNDLE_FILE " needs a certificate and a private key at least; %s has %" PRId64
                             " and %" PRId64 ", by the files' names (*.pem, *-key.pem)",
            folder, health->certificates, health->keys);
    return advise(node, health->certificates_elsewhere, err);
}
