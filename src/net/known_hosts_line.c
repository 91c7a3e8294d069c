#include "known_hosts_line.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/net/known_hosts.h"
#include "wire.h"

enum { SHA1_BYTES = 20, KEY_MAX_BYTES = 1 << 16 };

static const struct {
    const char *text;
    enum known_hosts_line_kind kind;
} markers[] = {
    {"@revoked",        KNOWN_HOSTS_LINE_REVOKED  },
    {"@cert-authority", KNOWN_HOSTS_LINE_AUTHORITY},
};

struct word {
    const char *data;
    size_t len;
};

static struct word next_word(const char **at, const char *end)
{
    while (*at < end && (**at == ' ' || **at == '\t'))
        (*at)++;
    struct word word = {*at, 0};
    while (*at < end && **at != ' ' && **at != '\t')
        (*at)++;
    word.len = (size_t)(*at - word.data);
    return word;
}

static enum known_hosts_line_kind marker_kind(const struct word *word)
{
    for (size_t i = 0; i < sizeof markers / sizeof *markers; i++)
        if (word->len == strlen(markers[i].text) && memcmp(word->data, markers[i].text, word->len) == 0)
            return markers[i].kind;
    return KNOWN_HOSTS_LINE_BAD;
}

static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

static const char *parse_key(struct known_hosts_line *line, const struct word *type, const struct word *key)
{
    if (!key->len)
        return "no key";
    line->blob.max = KEY_MAX_BYTES;
    if (!wire_from_base64(key->data, key->len, &line->blob))
        return "the key is not base64";
    line->type = known_hosts_key_type(line->blob.data, line->blob.len);
    if (!line->type || strlen(line->type) != type->len || memcmp(line->type, type->data, type->len) != 0)
        return "the key is not of the type that the line names";
    return NULL;
}

struct known_hosts_line known_hosts_line_parse(const char *text, size_t len, const char **why)
{
    struct known_hosts_line line = {.kind = KNOWN_HOSTS_LINE_PLAIN};
    while (len && (text[len - 1] == '\r' || text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    const char *at = text, *end = text + len;
    struct word hosts = next_word(&at, end);
    if (!hosts.len || *hosts.data == '#') {
        line.kind = KNOWN_HOSTS_LINE_EMPTY;
        return line;
    }
    if (*hosts.data == '@') {
        line.kind = marker_kind(&hosts);
        hosts = next_word(&at, end);
    }
    *why = "an unknown marker";
    if (line.kind == KNOWN_HOSTS_LINE_AUTHORITY || line.kind == KNOWN_HOSTS_LINE_BAD)
        return line;
    struct word type = next_word(&at, end), key = next_word(&at, end);
    *why = memchr(text, '\0', len) ? "a NUL byte" : parse_key(&line, &type, &key);
    if (*why) {
        known_hosts_line_free(&line);
        return (struct known_hosts_line){.kind = KNOWN_HOSTS_LINE_BAD};
    }
    line.hosts = str_dup_n(hosts.data, hosts.len);
    if (*line.hosts != '|')
        lower(line.hosts);
    return line;
}

void known_hosts_line_free(struct known_hosts_line *line)
{
    free(line->hosts);
    free(line->type);
    buf_free(&line->blob);
    line->hosts = line->type = NULL;
}

/* Whether text is pattern, where ? is any character and * any number of them. Linear in memory, and at most
 * the product of both lengths in time: a mismatch goes back to the last star only. */
static bool glob(const char *pattern, size_t len, const char *text)
{
    size_t p = 0, star = SIZE_MAX;
    const char *from = text;
    while (*text) {
        if (p < len && pattern[p] == '*') {
            star = p++;
            from = text;
        } else if (p < len && (pattern[p] == '?' || pattern[p] == *text)) {
            p++;
            text++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            text = ++from;
        } else {
            return false;
        }
    }
    while (p < len && pattern[p] == '*')
        p++;
    return p == len;
}

static bool list_matches(const char *patterns, const char *name)
{
    bool found = false;
    for (const char *at = patterns; *at;) {
        size_t len = strcspn(at, ",");
        bool negated = *at == '!';
        if (len && glob(at + negated, len - negated, name)) {
            if (negated)
                return false;
            found = true;
        }
        at += len + (at[len] == ',');
    }
    return found;
}

/* "|1|salt|HMAC-SHA1 of the name with the salt as key", both in base64. */
static bool hash_matches(const char *hosts, const char *name)
{
    AUTO_BUF struct buf salt = {0}, wanted = {0};
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned hash_len = 0;
    if (!str_starts(hosts, "|1|"))
        return false;
    const char *salt_text = hosts + 3, *bar = strchr(salt_text, '|');
    if (!bar || !wire_from_base64(salt_text, (size_t)(bar - salt_text), &salt) ||
        !wire_from_base64(bar + 1, strlen(bar + 1), &wanted) || wanted.len != SHA1_BYTES)
        return false;
    if (!HMAC(EVP_sha1(), salt.data, (int)salt.len, (const unsigned char *)name, strlen(name), hash,
              &hash_len))
        return false;
    return hash_len == wanted.len && CRYPTO_memcmp(hash, wanted.data, hash_len) == 0;
}

bool known_hosts_line_matches(const struct known_hosts_line *line, const char *name)
{
    return *line->hosts == '|' ? hash_matches(line->hosts, name) : list_matches(line->hosts, name);
}
