#include "store_write.h"

struct s3_write store_write(const struct store_options *o, const char *key, bool plain,
                            const struct store_label *label, struct sigv4_field metadata[STORE_METADATA])
{
    metadata[0] = (struct sigv4_field){"snapctl-snapshot", label->snapshot};
    metadata[1] = (struct sigv4_field){"snapctl-node", label->node};
    metadata[2] = (struct sigv4_field){"snapctl-cluster", label->cluster};
    return (struct s3_write){.key = key,
                             .content_type = plain ? "application/octet-stream" : NULL,
                             .sse = o->sse,
                             .kms_key = o->kms_key,
                             .checksum_sha256 = o->checksum_sha256,
                             .lock_mode = o->lock_mode,
                             .lock_days = o->lock_days,
                             .tags = o->tags,
                             .n_tags = o->n_tags,
                             .metadata = metadata,
                             .n_metadata = STORE_METADATA - !label->cluster};
}
