#include "name.h"

#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/node/node.h"

char *name_check(const char *name, bool *dropped, struct sc_err *err)
{
    *dropped = str_ends(name, ".zip") && strlen(name) > strlen(".zip");
    AUTO_FREE char *bare = str_dup_n(name, strlen(name) - (*dropped ? strlen(".zip") : 0));
    if (strcmp(bare, NODE_BUNDLE_FILE) == 0) {
        err_set(err, ERR_USAGE, "%s is the name of the cluster's bundle of certificates", bare);
        return NULL;
    }
    /* X.zip.zip would be the snapshot X.zip, whose plain file is the archive of X. */
    if (node_name_valid(bare) && !str_ends(bare, ".zip"))
        return mem_take(&bare);
    err_set(err, ERR_USAGE, "\"%s\" cannot be the name of a snapshot", name);
    err_hint(err, "use letters, digits and . _ + -, a letter or digit first, %d characters at most",
             NODE_NAME_MAX);
    return NULL;
}
