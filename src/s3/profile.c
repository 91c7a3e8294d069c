#include "profile.h"

#include <string.h>
#include <strings.h>

#include "snapctl/base/str.h"

static const char blanks[] = " \t\r";

static const char *const names[PROFILE_KEYS] = {
    [PROFILE_ACCESS_KEY] = "aws_access_key_id",
    [PROFILE_SECRET_KEY] = "aws_secret_access_key",
    [PROFILE_SESSION_TOKEN] = "aws_session_token",
    [PROFILE_REGION] = "region",
    [PROFILE_ROLE_ARN] = "role_arn",
    [PROFILE_CREDENTIAL_PROCESS] = "credential_process",
    [PROFILE_SSO_SESSION] = "sso_session",
    [PROFILE_SSO_START_URL] = "sso_start_url",
};

const char *profile_key_name(enum profile_key key)
{
    return names[key];
}

void profile_free(struct profile *p)
{
    for (size_t i = 0; i < PROFILE_KEYS; i++)
        secret_free(p->values[i]);
    *p = (struct profile){0};
}

/* A piece of the file; the file's bytes may be secret, so they are not copied. */
struct piece {
    const char *at;
    size_t len;
};

static bool is_blank(char c)
{
    return memchr(blanks, c, sizeof blanks - 1) != NULL;
}

static struct piece trimmed(struct piece p)
{
    while (p.len && is_blank(*p.at)) {
        p.at++;
        p.len--;
    }
    while (p.len && is_blank(p.at[p.len - 1]))
        p.len--;
    return p;
}

static bool equals(struct piece p, const char *text)
{
    return p.len == strlen(text) && memcmp(p.at, text, p.len) == 0;
}

/* The line without its comment: a whole line, or what stands behind a blank. */
static struct piece without_comment(struct piece line)
{
    for (size_t i = 0; i < line.len; i++) {
        bool mark = line.at[i] == '#' || line.at[i] == ';';
        if (mark && (i == 0 || is_blank(line.at[i - 1])))
            return (struct piece){line.at, i};
    }
    return line;
}

static struct piece unquoted(struct piece p)
{
    bool quoted = p.len >= 2 && (*p.at == '"' || *p.at == '\'') && p.at[p.len - 1] == *p.at;
    return quoted ? (struct piece){p.at + 1, p.len - 2} : p;
}

/* Whether the section "[title]" is the one of the profile. */
static bool is_section_of(struct piece title, enum profile_syntax syntax, const char *name)
{
    static const char word[] = "profile";
    const size_t word_len = sizeof word - 1;
    title = trimmed(title);
    if (syntax == PROFILE_CREDENTIALS || (strcmp(name, "default") == 0 && equals(title, name)))
        return equals(title, name);
    if (title.len <= word_len || memcmp(title.at, word, word_len) != 0 || !is_blank(title.at[word_len]))
        return false;
    return equals(unquoted(trimmed((struct piece){title.at + word_len, title.len - word_len})), name);
}

static void take_property(struct profile *p, struct piece line)
{
    const char *equal = memchr(line.at, '=', line.len);
    if (!equal)
        return;
    struct piece key = trimmed((struct piece){line.at, (size_t)(equal - line.at)});
    struct piece value = trimmed((struct piece){equal + 1, line.len - (size_t)(equal - line.at) - 1});
    for (size_t i = 0; i < PROFILE_KEYS; i++) {
        if (key.len != strlen(names[i]) || strncasecmp(key.at, names[i], key.len) != 0)
            continue;
        secret_free(p->values[i]);
        p->values[i] = value.len ? secret_new(value.at, value.len) : NULL;
    }
}

static size_t indent_of(struct piece line)
{
    size_t n = 0;
    while (n < line.len && is_blank(line.at[n]))
        n++;
    return n;
}

void profile_parse(struct profile *p, enum profile_syntax syntax, const char *name, const char *text,
                   size_t len)
{
    static const char utf8_mark[] = "\xef\xbb\xbf";
    const char *end = text + len;
    if (len >= 3 && memcmp(text, utf8_mark, 3) == 0)
        text += 3;
    bool ours = false;
    size_t indent = SIZE_MAX; /* of the property above; what stands further in belongs to that one */
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        struct piece line = without_comment((struct piece){text, (size_t)((newline ? newline : end) - text)});
        struct piece content = trimmed(line);
        text = newline ? newline + 1 : end;
        if (content.len == 0)
            continue;
        if (*content.at == '[') {
            const char *close = memchr(content.at, ']', content.len);
            struct piece title = {content.at + 1, close ? (size_t)(close - content.at) - 1 : 0};
            ours = close && is_section_of(title, syntax, name);
            p->found = p->found || ours;
            indent = SIZE_MAX;
        } else if (indent_of(line) <= indent) {
            indent = indent_of(line);
            if (ours)
                take_property(p, content);
        }
    }
}
