#include "database_member.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"

enum { ID_DIGITS = 16, JSON_MAX = 16 << 10, URLS_MAX = 64 };

static void decref(json_t **json)
{
    json_decref(*json);
}

/* As etcd writes it: lower case, without leading zeros. */
static bool read_id(const unsigned char *key, size_t len, uint64_t *id)
{
    static const char digits[] = "0123456789abcdef";
    if (len == 0 || len > ID_DIGITS)
        return false;
    *id = 0;
    for (size_t i = 0; i < len; i++) {
        const char *digit = memchr(digits, key[i], sizeof digits - 1);
        if (!digit)
            return false;
        *id = *id << 4 | (uint64_t)(digit - digits);
    }
    return true;
}

static char *visible(const json_t *text)
{
    return str_visible(json_string_value(text), json_string_length(text), false);
}

static bool read_urls(const json_t *urls, struct database_member *member)
{
    size_t n = json_array_size(urls);
    if (n == 0 || n > URLS_MAX)
        return false;
    member->peer_urls = mem_calloc(n, sizeof *member->peer_urls);
    for (; member->n_peer_urls < n; member->n_peer_urls++) {
        const json_t *url = json_array_get(urls, member->n_peer_urls);
        if (!json_is_string(url))
            return false;
        member->peer_urls[member->n_peer_urls] = visible(url);
    }
    return true;
}

/* Ids have 64 bits, of which jansson's integers lack one: the key has the id, too. */
static bool read_json(const unsigned char *value, size_t len, struct database_member *member)
{
    CLEANUP(decref)
    json_t *json = json_loadb((const char *)value, len, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
    const json_t *name = json_object_get(json, "name");
    if (!json_is_object(json) || (name && !json_is_string(name)) ||
        !json_is_number(json_object_get(json, "id")))
        return false;
    member->name = name ? visible(name) : str_dup("");
    return read_urls(json_object_get(json, "peerURLs"), member);
}

int database_member_parse(const unsigned char *key, size_t key_len, const unsigned char *value,
                          size_t value_len, struct database_member *member, struct sc_err *err)
{
    *member = (struct database_member){0};
    if (!read_id(key, key_len, &member->id))
        return err_set(err, ERR_CORRUPT,
                       "the bucket \"members\" has a key of %zu bytes that is no member's id", key_len);
    if (value_len > JSON_MAX || !read_json(value, value_len, member)) {
        database_member_clear(member);
        return err_set(err, ERR_CORRUPT,
                       "the bucket \"members\" must have JSON with id, name and peerURLs under %.*s",
                       (int)key_len, (const char *)key);
    }
    return 0;
}

void database_member_clear(struct database_member *member)
{
    for (size_t i = 0; i < member->n_peer_urls; i++)
        free(member->peer_urls[i]);
    free(member->peer_urls);
    free(member->name);
    *member = (struct database_member){0};
}
