#include "verify_copy.h"

#include "snapctl/s3/download.h"
#include "verify_result.h"

int verify_copy_on_node(struct work *w, const struct ctx *ctx, struct verify_copy *copy, struct sc_err *err)
{
    struct ssh_stream *stream;
    if (node_open_copy(&w->node, w->ssh, ctx, copy->snapshot, copy->plain, &stream, err) < 0)
        return -1;
    int result = verify_read(copy, ctx, ssh_stream_source(stream), work_progress, w, err);
    ssh_stream_close(stream);
    if (result < 0)
        work_disconnect(w); /* the rest of the stream may be still on its way */
    return result;
}

int verify_copy_in_store(struct store *store, const struct ctx *ctx, struct verify_copy *copy,
                         stream_progress *progress, void *arg, struct sc_err *err)
{
    struct s3_download *download = s3_download_new(store_client(store), copy->where, copy->bytes);
    int result = verify_read(copy, ctx, s3_download_source(download), progress, arg, err);
    s3_download_free(download);
    if (result < 0 && err->kind != ERR_CORRUPT)
        store_explain(store, err);
    return result;
}
