#include "wire.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/secret.h"
#include "snapctl/base/str.h"

static bool wire_number(struct wire *w, size_t size, uint64_t *value)
{
    if (w->left < size)
        return false;
    *value = 0;
    for (size_t i = 0; i < size; i++)
        *value = *value << 8 | w->at[i];
    w->at += size;
    w->left -= size;
    return true;
}

bool wire_u32(struct wire *w, uint32_t *value)
{
    uint64_t wide;
    if (!wire_number(w, sizeof *value, &wide))
        return false;
    *value = (uint32_t)wide;
    return true;
}

bool wire_u64(struct wire *w, uint64_t *value)
{
    return wire_number(w, sizeof *value, value);
}

bool wire_string(struct wire *w, struct wire *value)
{
    struct wire rest = *w;
    uint32_t len;
    if (!wire_u32(&rest, &len) || rest.left < len)
        return false;
    *value = (struct wire){rest.at, len};
    *w = (struct wire){rest.at + len, rest.left - len};
    return true;
}

bool wire_skip_strings(struct wire *w, size_t n)
{
    struct wire rest = *w, ignored;
    while (n--)
        if (!wire_string(&rest, &ignored))
            return false;
    *w = rest;
    return true;
}

bool wire_skip_bytes(struct wire *w, size_t n)
{
    if (w->left < n)
        return false;
    *w = (struct wire){w->at + n, w->left - n};
    return true;
}

bool wire_equal(const struct wire *value, const char *text)
{
    return value->left == strlen(text) && memcmp(value->at, text, value->left) == 0;
}

char *wire_text(const struct wire *value)
{
    if (value->left && memchr(value->at, '\0', value->left))
        return NULL;
    return str_dup_n((const char *)value->at, value->left);
}

void wire_put_u32(struct buf *out, uint32_t value)
{
    unsigned char bytes[] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                             (unsigned char)(value >> 8), (unsigned char)value};
    buf_append(out, bytes, sizeof bytes);
}

void wire_put_string(struct buf *out, const void *data, size_t len)
{
    wire_put_u32(out, (uint32_t)len);
    buf_append(out, data, len);
}

bool wire_from_base64(const char *text, size_t len, struct buf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t padding = 0;
    while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
        padding++;
    if (len == 0 || len % 4 || len > INT_MAX / 2)
        return false;
    for (size_t i = 0; i < len - padding; i++)
        if (!text[i] || !strchr(digits, text[i]))
            return false;
    size_t room = len / 4 * 3;
    unsigned char *bytes = mem_calloc(room, 1);
    int n = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len);
    bool ok = n >= 0 && buf_append(out, bytes, (size_t)n - padding);
    secret_wipe(bytes, room);
    free(bytes);
    return ok;
}

char *wire_to_base64(const void *data, size_t len)
{
    char *text = mem_calloc(len / 3 * 4 + 5, 1);
    EVP_EncodeBlock((unsigned char *)text, data, (int)len);
    return text;
}
