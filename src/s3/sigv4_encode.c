#include <stdlib.h>
#include <string.h>

#include "sigv4_canonical.h"
#include "snapctl/base/str.h"

static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
static const char unreserved_or_slash[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~/";

static void encode(struct buf *out, const char *text, const char *kept)
{
    while (*text) {
        size_t plain = strspn(text, kept);
        buf_append(out, text, plain);
        text += plain;
        if (*text)
            buf_printf(out, "%%%02X", (unsigned char)*text++);
    }
}

void sigv4_encode(struct buf *out, const char *text)
{
    encode(out, text, unreserved);
}

void sigv4_encode_path(struct buf *out, const char *path)
{
    encode(out, path, unreserved_or_slash);
}

/* A name or value encoded into a string of its own. A query can hold a session token. */
static char *encoded(const char *text)
{
    struct buf b = {.max = SIGV4_REQUEST_MAX, .wipe = true};
    sigv4_encode(&b, text);
    return buf_take(&b);
}

struct parameter {
    char *name, *value;
};

static int compare_parameters(const void *a, const void *b)
{
    const struct parameter *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : strcmp(x->value, y->value);
}

void sigv4_encode_query(struct buf *out, const struct sigv4_field *query, size_t n)
{
    AUTO_FREE struct parameter *sorted = mem_calloc(n + 1, sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        sorted[i] = (struct parameter){encoded(query[i].name), encoded(query[i].value)};
    qsort(sorted, n, sizeof *sorted, compare_parameters);
    for (size_t i = 0; i < n; i++) {
        buf_puts(out, i ? "&" : "");
        buf_puts(out, sorted[i].name);
        buf_puts(out, "=");
        buf_puts(out, sorted[i].value);
        secret_wipe(sorted[i].value, strlen(sorted[i].value));
        free(sorted[i].name);
        free(sorted[i].value);
    }
}

/* Resolves "." and "..", and takes runs of "/" for one. */
static void normalise(struct buf *out, const char *path)
{
    out->max = strlen(path) + 1;
    for (const char *at = path; *at;) {
        at += strspn(at, "/");
        size_t len = strcspn(at, "/");
        if (len == 2 && memcmp(at, "..", 2) == 0) {
            const char *slash = out->data ? memrchr(out->data, '/', out->len) : NULL;
            out->len = slash ? (size_t)(slash - out->data) : 0;
        } else if (len && !(len == 1 && *at == '.')) {
            buf_puts(out, "/");
            buf_append(out, at, len);
        }
        at += len;
    }
    if (out->len == 0 || str_ends(path, "/"))
        buf_puts(out, "/");
}

void sigv4_canonical_path(struct buf *out, const struct sigv4_service *service, const char *path)
{
    if (!service->normalise_path) {
        buf_puts(out, path);
        return;
    }
    AUTO_BUF struct buf normal = {0};
    normalise(&normal, path);
    sigv4_encode_path(out, buf_text(&normal));
}
