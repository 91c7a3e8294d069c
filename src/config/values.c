#include "values.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"

enum { MAX_HOST_NAME = 253, MAX_NUMBER = 64 };

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool only(const char *text, const char *allowed)
{
    return strspn(text, allowed) == strlen(text);
}

static bool is_ipv6(const char *text)
{
    /* A link-local address has its interface behind a %. */
    size_t len = strcspn(text, "%");
    const char *zone = text + len;
    AUTO_FREE char *bare = str_dup_n(text, len);
    struct in6_addr ignored;
    return inet_pton(AF_INET6, bare, &ignored) == 1 &&
           (!*zone || (zone[1] && only(zone + 1, LETTERS DIGITS "._-")));
}

const char *values_check_host_name(const char *text)
{
    static const char right[] = "must be a host name: letters, digits, dots and dashes";
    bool good =
        isalnum((unsigned char)*text) && strlen(text) <= MAX_HOST_NAME && only(text, LETTERS DIGITS "._-");
    return good ? NULL : right;
}

const char *values_check_address(const char *text)
{
    if (is_ipv6(text) || !values_check_host_name(text))
        return NULL;
    if (*text == '[')
        return "an IPv6 address stands without brackets, and a port in the key port";
    if (strstr(text, "://"))
        return "must be the host name or IP address alone, without ssh://";
    if (strchr(text, '@'))
        return "must be the host name or IP address alone; the user stands in the key user";
    if (strchr(text, ':') && strchr(text, ':') == strrchr(text, ':'))
        return "must be the host name or IP address alone; the port stands in the key port";
    return "must be a host name (letters, digits, dots and dashes) or an IP address";
}

const char *values_check_port(const char *text)
{
    int64_t ignored;
    return str_to_int(text, 1, 65535, &ignored) ? NULL : "must be a port number, 1 to 65535";
}

const char *values_check_user(const char *text)
{
    return *text == '-' || strpbrk(text, " \t") ? "must be a user name, without blanks" : NULL;
}

const char *values_check_role(const char *text)
{
    static const char *const roles[] = {"etcd", "controlplane", "worker"};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (strcmp(text, roles[i]) == 0)
            return NULL;
    return "must be etcd, controlplane or worker, in lower case";
}

const char *values_check_path(const char *text)
{
    if (strstr(text, "://"))
        return "must be a path alone, without unix://";
    return *text == '/' ? NULL : "must be an absolute path, beginning with /";
}

/* A key that stands in the place of its file's name would be shown when no such file is found. */
const char *values_check_file(const char *text)
{
    return strstr(text, "-----BEGIN") || strstr(text, "-cert-v01@openssh.com ")
               ? "must be the name of a file; a key itself stands in ssh_key, a certificate in ssh_cert"
               : NULL;
}

const char *values_check_mount(const char *text)
{
    if (strchr(text, ':'))
        return "must be an absolute path without colons, which Docker cannot mount";
    return values_check_path(text);
}

const char *values_check_version(const char *text)
{
    static const char right[] = "must be a version such as v1.26.4-rancher2-1";
    const char *at = text + (*text == 'v');
    size_t major = strspn(at, DIGITS);
    bool good = major && at[major] == '.' && isdigit((unsigned char)at[major + 1]);
    return good && only(at, LETTERS DIGITS ".+-_") ? NULL : right;
}

const char *values_check_image(const char *text)
{
    bool good = isalnum((unsigned char)*text) && only(text, LETTERS DIGITS "._-/:@+");
    return good ? NULL : "must be an image name such as rancher/rke-tools:v0.1.90";
}

const char *values_check_word(const char *text)
{
    return strpbrk(text, " \t") ? "must be one word, without blanks" : NULL;
}

const char *values_check_env(const char *text)
{
    size_t name = strspn(text, LETTERS DIGITS "_.-");
    return name && text[name] == '=' ? NULL : "must be NAME=value, with a name of letters, digits and _";
}

const char *values_check_timeout(const char *text)
{
    int64_t seconds;
    bool good = values_to_int(text, &seconds) && seconds >= 0 && seconds <= VALUES_MAX_TIMEOUT_S;
    return good ? NULL : "must be a number of seconds from 1 to 86400";
}

/* A first line that ends in the label, and an end mark in a later one. */
static bool is_pem(const char *text, const char *label)
{
    const char *begin = strstr(text, "-----BEGIN ");
    if (!begin)
        return false;
    size_t line = strcspn(begin, "\n");
    return memmem(begin, line, label, strlen(label)) && strstr(begin + line, "-----END ");
}

const char *values_check_key(const char *text)
{
    return is_pem(text, "PRIVATE KEY-----")
               ? NULL
               : "must be the whole text of a private key with its line breaks (as a block: ssh_key: |-); "
                 "a file's name stands in ssh_key_path";
}

const char *values_check_certificate(const char *text)
{
    return strstr(text, "-cert-v01@openssh.com ")
               ? NULL
               : "must be the text of an OpenSSH certificate (ssh-…-cert-v01@openssh.com …); a file's name "
                 "stands in ssh_cert_path";
}

const char *values_check_pem(const char *text)
{
    return is_pem(text, "CERTIFICATE-----")
               ? NULL
               : "must be the text of a PEM certificate with its line breaks (as a block: custom_ca: |-)";
}

char *values_find_control(const char *text, size_t len, bool lines)
{
    for (size_t at = 0; at < len;) {
        size_t n = str_utf8_length(text + at, len - at);
        n = n ? n : 1;
        AUTO_FREE char *visible = str_visible(text + at, n, lines);
        if (strlen(visible) != n || memcmp(visible, text + at, n) != 0)
            return mem_take(&visible);
        at += n;
    }
    return NULL;
}

bool values_to_bool(const char *text, bool *out)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {
        {"true",  true },
        {"True",  true },
        {"TRUE",  true },
        {"yes",   true },
        {"Yes",   true },
        {"YES",   true },
        {"on",    true },
        {"On",    true },
        {"ON",    true },
        {"y",     true },
        {"Y",     true },
        {"false", false},
        {"False", false},
        {"FALSE", false},
        {"no",    false},
        {"No",    false},
        {"NO",    false},
        {"off",   false},
        {"Off",   false},
        {"OFF",   false},
        {"n",     false},
        {"N",     false},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i].text) == 0) {
            *out = words[i].value;
            return true;
        }
    return false;
}

bool values_to_int(const char *text, int64_t *out)
{
    char digits[MAX_NUMBER];
    size_t n = 0;
    /* 1_000 is a number in YAML 1.1. */
    for (const char *p = text; *p && n < sizeof digits; p++)
        if (*p != '_')
            digits[n++] = *p;
    if (n == 0 || n == sizeof digits || !only(text, "+-_xX" DIGITS "abcdefABCDEF"))
        return false;
    digits[n] = '\0';
    char *end;
    errno = 0;
    /* Base 0: 0x for hexadecimal, 0 for octal numbers, as there. */
    long long value = strtoll(digits, &end, 0);
    *out = value;
    return !errno && end != digits && !*end;
}

char *values_canonical_address(const char *text)
{
    unsigned char binary[sizeof(struct in6_addr)];
    char shortest[INET6_ADDRSTRLEN];
    for (const int *family = (const int[]){AF_INET, AF_INET6, 0}; *family; family++)
        if (inet_pton(*family, text, binary) == 1 && inet_ntop(*family, binary, shortest, sizeof shortest))
            return str_dup(shortest);
    char *lower = str_dup(text);
    for (char *p = lower; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return lower;
}
