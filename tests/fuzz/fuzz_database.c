/* Any bytes as a database: no crash, no endless work, and what is refused is told. Most of what a fuzzer
 * invents fails at the checksum of the meta pages, so those are made right where there is room for them. What
 * a sift leaves of it is as good or as bad as all of it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/snapshot/database_meta.h"
#include "snapctl/base/descriptor.h"
#include "snapctl/base/str.h"
#include "snapctl/snapshot/database.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

static void require_visible(const char *text)
{
    AUTO_FREE char *visible = str_visible(text, strlen(text), false);
    require(strcmp(text, visible) == 0);
}

static void mend_meta(uint8_t *page)
{
    uint64_t sum = 0xcbf29ce484222325;
    for (int i = 16; i < 72; i++)
        sum = (sum ^ page[i]) * 0x100000001b3;
    for (int i = 0; i < 8; i++, sum >>= 8)
        page[72 + i] = (uint8_t)sum;
}

static void require_facts(const struct database_facts *facts, size_t size)
{
    require(facts->total_bytes <= size && facts->total_keys <= size && facts->revision >= 0);
    for (size_t i = 0; i < facts->n_members; i++) {
        require_visible(facts->members[i].name);
        require(facts->members[i].n_peer_urls > 0);
        for (size_t url = 0; url < facts->members[i].n_peer_urls; url++)
            require_visible(facts->members[i].peer_urls[url]);
    }
}

static void require_same_when_sifted(const struct ctx *ctx, const uint8_t *data, size_t size, int result,
                                     const struct database_facts *facts, const struct sc_err *why)
{
    AUTO_DATABASE_FACTS struct database_facts sifted;
    AUTO_ERR struct sc_err err = {0};
    struct descriptor_sink file;
    descriptor_sink_init(&file, memfd_create("kept", MFD_CLOEXEC), "what is kept");
    struct database_sift *sift = database_sift_new(&file.sink);
    struct sink *sink = database_sift_sink(sift);
    size_t piece = size ? 1 + data[size - 1] * 37U : 1;
    for (size_t at = 0; at < size; at += piece)
        require(sink->write(sink, ctx, data + at, size - at < piece ? size - at : piece, &err) == 0);
    require(sink->finish(sink, ctx, &err) == 0);
    require(database_check_sifted(ctx, sift, file.fd, facts->sha256, &sifted, &err) == result);
    require(result == 0 || strcmp(err.text, why->text) == 0);
    require(sifted.hash == facts->hash && sifted.revision == facts->revision &&
            sifted.total_keys == facts->total_keys && sifted.leases == facts->leases &&
            sifted.auth_enabled == facts->auth_enabled && sifted.n_members == facts->n_members &&
            sifted.page_bytes == facts->page_bytes && sifted.total_bytes == facts->total_bytes &&
            sifted.damaged_meta == facts->damaged_meta);
    database_sift_free(sift);
    close(file.fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    AUTO_DATABASE_FACTS struct database_facts facts;
    AUTO_ERR struct sc_err err = {0};
    AUTO_FREE uint8_t *copy = malloc(size ? size : 1);
    if (size)
        memcpy(copy, data, size);
    if (size >= DATABASE_META_BYTES)
        mend_meta(copy);
    int result = database_check(&ctx, copy, size, &facts, &err);
    if (result == 0) {
        require_facts(&facts, size);
    } else {
        require(err.kind == ERR_CORRUPT && !facts.members);
        require_visible(err.text);
    }
    /* Sifting does not compare the SHA-256. */
    if (result == 0 || !strstr(err.text, "SHA-256"))
        require_same_when_sifted(&ctx, copy, size, result, &facts, &err);
    return 0;
}
