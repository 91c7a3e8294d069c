/* A whole archive, in pieces whose sizes the first byte chooses, and its tail. The name is "snap". */
#include <stdint.h>
#include <stdlib.h>

#include "snapctl/snapshot/archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 0 and the facts if the archive is good. */
static int check(const uint8_t *data, size_t size, size_t piece, struct archive_facts *facts)
{
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    AUTO_ERR struct sc_err err = {0};
    struct archive_check *archive = archive_check_new("snap", false);
    struct sink *sink = archive_check_sink(archive);
    int result = 0;
    for (size_t at = 0; at < size && result == 0; at += piece)
        result = sink->write(sink, &ctx, data + at, size - at < piece ? size - at : piece, &err);
    if (result == 0)
        result = sink->finish(sink, &ctx, &err);
    *facts = *archive_check_facts(archive);
    archive_check_free(archive);
    if (result < 0 && (err.kind != ERR_CORRUPT || !err.text))
        abort();
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = {1, 2, 3, 7, 28, 29, 100, 4096};
    if (size == 0)
        return 0;
    size_t piece = pieces[data[0] % (sizeof pieces / sizeof *pieces)];
    struct archive_facts facts, whole, tail;
    int result = check(data + 1, size - 1, piece, &facts);
    if (result != check(data + 1, size - 1, size, &whole))
        abort();
    AUTO_ERR struct sc_err err = {0};
    int listed = archive_check_tail("snap", false, data + 1, size - 1, size - 1, &tail, &err);
    /* What is good as a whole is good from its end. */
    if (result == 0 &&
        (listed < 0 || tail.etcd_bytes != facts.etcd_bytes || tail.state_file != facts.state_file))
        abort();
    return 0;
}
