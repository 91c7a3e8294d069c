#include "snapctl/s3/address.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/s3/sigv4.h"

#define GLOBAL_ENDPOINT "s3.amazonaws.com"
#define DEFAULT_REGION "us-east-1"

enum { TLS_PORT = 443, PLAIN_PORT = 80 };

static const char lower[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
static const char any_case[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";

/* Stores that want the bucket in the host's name, and those whose region stands before the suffix. */
static const struct {
    const char *suffix;
    bool virtual_host, region;
} stores[] = {
    {".vpce.amazonaws.com",    true,  true },
    {".amazonaws.com",         true,  true },
    {".amazonaws.com.cn",      true,  true },
    {"storage.googleapis.com", true,  false},
    {".aliyuncs.com",          true,  false},
    {".wasabisys.com",         false, true },
    {".backblazeb2.com",       false, true },
    {".scw.cloud",             false, true },
    {".io.cloud.ovh.net",      false, true },
};

/* ---- the endpoint's parts ---- */

struct endpoint {
    char *host; /* lower case, IPv6 with its brackets */
    int port;   /* 0: the scheme's own */
    bool tls;
};

static int bad_endpoint(const char *given, const char *why, struct sc_err *err)
{
    AUTO_FREE char *seen = str_visible(given, strlen(given), false);
    err_set(err, ERR_CONFIG, "S3 endpoint \"%s\": %s", seen, why);
    err_hint(err, "it is HOST or HOST:PORT, for instance s3.eu-central-1.amazonaws.com or [fd00::1]:9000");
    return -1;
}

static int parse_scheme(const char **rest, bool plain_http, bool *tls, struct sc_err *err)
{
    bool https = strncasecmp(*rest, "https://", 8) == 0, http = strncasecmp(*rest, "http://", 7) == 0;
    *tls = !plain_http;
    if (http && !plain_http) {
        err_set(err, ERR_CONFIG, "S3 endpoint %s asks for plain HTTP", *rest);
        err_hint(err,
                 "with --s3-plain-http it is used so: keys stay secret, the snapshot can be read on the way");
        return -1;
    }
    if (https && plain_http)
        return bad_endpoint(*rest, "it asks for TLS, --s3-plain-http for none", err);
    *rest += https ? 8 : http ? 7 : 0;
    return 0;
}

static bool host_is_valid(const char *host, size_t len)
{
    if (len > 2 && host[0] == '[')
        return host[len - 1] == ']' && strspn(host + 1, "0123456789abcdefABCDEF:.") == len - 2;
    return len > 0 && len <= 253 && strspn(host, any_case) >= len && host[0] != '.' && host[0] != '-';
}

static int parse_endpoint(const char *given, bool plain_http, struct endpoint *out, struct sc_err *err)
{
    const char *rest = given;
    if (parse_scheme(&rest, plain_http, &out->tls, err) < 0)
        return -1;
    AUTO_FREE char *host = str_dup(rest);
    size_t len = strlen(host);
    if (len && host[len - 1] == '/')
        host[--len] = '\0';
    if (strpbrk(host, "/?#@"))
        return bad_endpoint(given, "only host and port may stand there", err);
    char *bracket = strrchr(host, ']'), *colon = strchr(bracket ? bracket : host, ':');
    if (colon && !bracket && strchr(colon + 1, ':'))
        return bad_endpoint(given, "an IPv6 address needs brackets", err);
    int64_t port = 0;
    if (colon) {
        *colon = '\0';
        if (!str_to_int(colon + 1, 1, 65535, &port))
            return bad_endpoint(given, "the port is not a number from 1 to 65535", err);
    }
    if (!host_is_valid(host, strlen(host)))
        return bad_endpoint(given, "that is no host's name or address", err);
    for (char *p = host; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    out->port = port == (out->tls ? TLS_PORT : PLAIN_PORT) ? 0 : (int)port;
    out->host = mem_take(&host);
    return 0;
}

/* ---- region ---- */

static bool region_is_valid(const char *region)
{
    size_t len = strlen(region);
    return len > 0 && len <= 64 && strspn(region, any_case) == len;
}

/* The label before a known suffix: "s3.eu-west-1.amazonaws.com", "s3-eu-west-1.amazonaws.com". */
static char *region_of_host(const char *host)
{
    static const char *const prefixes[] = {"s3-fips-", "s3-"};
    for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
        if (!stores[i].region || !str_ends(host, stores[i].suffix))
            continue;
        size_t end = strlen(host) - strlen(stores[i].suffix);
        const char *dot = memrchr(host, '.', end);
        const char *label = dot ? dot + 1 : host;
        size_t len = end - (size_t)(label - host);
        for (size_t j = 0; j < sizeof prefixes / sizeof *prefixes; j++)
            if (len > strlen(prefixes[j]) && str_starts(label, prefixes[j])) {
                label += strlen(prefixes[j]);
                len = end - (size_t)(label - host);
            }
        AUTO_FREE char *region = str_dup_n(label, len);
        /* "s3" and "dualstack" are no regions, nor what follows "s3-": "accelerate", "fips". */
        bool named = strchr(region, '-') || str_starts(host, "s3.");
        if (!named || strcmp(region, "s3") == 0 || strcmp(region, "dualstack") == 0 ||
            str_starts(region, "external-"))
            return NULL;
        return mem_take(&region);
    }
    return NULL;
}

static int choose_region(struct s3_address *a, const struct s3_address_setup *setup, const char *host,
                         struct sc_err *err)
{
    const char *given = setup->region && *setup->region ? setup->region : NULL;
    const char *fallback = setup->region_fallback && *setup->region_fallback ? setup->region_fallback : NULL;
    AUTO_FREE char *named = region_of_host(host);
    if (!given && !named)
        given = fallback;
    a->region = str_dup(given ? given : named ? named : DEFAULT_REGION);
    a->region_source = given ? S3_REGION_GIVEN : named ? S3_REGION_ENDPOINT : S3_REGION_ASSUMED;
    if (region_is_valid(a->region))
        return 0;
    AUTO_FREE char *seen = str_visible(a->region, strlen(a->region), false);
    return err_set(err, ERR_CONFIG, "S3 region \"%s\" is no region's name", seen);
}

/* ---- bucket ---- */

static int check_bucket(const char *bucket, struct sc_err *err)
{
    size_t len = bucket ? strlen(bucket) : 0;
    if (len == 0) {
        err_set(err, ERR_CONFIG, "no S3 bucket is named");
        return err_hint(err,
                        "give --bucket-name, or bucket_name in services.etcd.backup_config.s3backupconfig");
    }
    if (len >= 3 && len <= S3_BUCKET_MAX && strspn(bucket, any_case) == len &&
        isalnum((unsigned char)*bucket) && isalnum((unsigned char)bucket[len - 1]) && !strstr(bucket, ".."))
        return 0;
    AUTO_FREE char *seen = str_visible(bucket, len, false);
    err_set(err, ERR_CONFIG, "\"%s\" cannot be a bucket's name", seen);
    return err_hint(err, "3 to 63 of a-z, 0-9, - and ., without the folder: that has a setting of its own");
}

static int choose_style(struct s3_address *a, const struct s3_address_setup *setup, const struct endpoint *e,
                        struct sc_err *err)
{
    bool is_name = e->host[0] != '[' && e->host[strspn(e->host, "0123456789.")] != '\0';
    bool fits = is_name && strspn(a->bucket, lower) == strlen(a->bucket);
    if (setup->lookup == S3_LOOKUP_DNS && !fits) {
        err_set(err, ERR_CONFIG, "bucket %s at %s cannot be addressed by a host's name", a->bucket, e->host);
        return err_hint(err, "use --s3-bucket-lookup auto or path");
    }
    bool kin = false;
    for (size_t i = 0; i < sizeof stores / sizeof *stores; i++)
        kin = kin || (stores[i].virtual_host && str_ends(e->host, stores[i].suffix));
    /* The certificates are for one label in front: a dot in the bucket's name makes two. */
    bool dotted = strchr(a->bucket, '.') && e->tls;
    a->virtual_host =
        setup->lookup == S3_LOOKUP_DNS || (setup->lookup == S3_LOOKUP_AUTO && kin && fits && !dotted);
    return 0;
}

/* ---- the whole ---- */

static void replace(char **slot, char *text)
{
    free(*slot);
    *slot = text;
}

/* The global endpoint serves no region that is younger than 2019, so the region's own is used. */
static void follow_region(struct s3_address *a)
{
    if (!a->global || strcmp(a->region, DEFAULT_REGION) == 0)
        return;
    replace(&a->endpoint,
            str_format("s3.%s.amazonaws.com%s", a->region, str_starts(a->region, "cn-") ? ".cn" : ""));
}

static void compose(struct s3_address *a)
{
    follow_region(a);
    replace(&a->host, a->virtual_host ? str_format("%s.%s", a->bucket, a->endpoint) : str_dup(a->endpoint));
    replace(&a->base, str_format("%s://%s", a->tls ? "https" : "http", a->host));
    replace(&a->prefix, a->virtual_host ? str_dup("") : str_format("/%s", a->bucket));
}

int s3_address_init(struct s3_address *address, const struct s3_address_setup *setup, struct sc_err *err)
{
    struct endpoint e = {0};
    const char *given = setup->endpoint && *setup->endpoint ? setup->endpoint : GLOBAL_ENDPOINT;
    *address = (struct s3_address){0};
    if (check_bucket(setup->bucket, err) < 0 || parse_endpoint(given, setup->plain_http, &e, err) < 0)
        return -1;
    AUTO_FREE char *host = e.host;
    address->bucket = str_dup(setup->bucket);
    address->tls = e.tls;
    address->global = e.port == 0 && strcmp(host, GLOBAL_ENDPOINT) == 0;
    address->endpoint = e.port ? str_format("%s:%d", host, e.port) : str_dup(host);
    if (choose_region(address, setup, host, err) < 0 || choose_style(address, setup, &e, err) < 0) {
        s3_address_free(address);
        return -1;
    }
    compose(address);
    return 0;
}

void s3_address_free(struct s3_address *address)
{
    free(address->bucket);
    free(address->endpoint);
    free(address->host);
    free(address->base);
    free(address->prefix);
    free(address->region);
    *address = (struct s3_address){0};
}

int s3_address_set_region(struct s3_address *address, const char *region)
{
    if (!region_is_valid(region) || strcmp(region, address->region) == 0)
        return -1;
    replace(&address->region, str_dup(region));
    address->region_source = S3_REGION_STORE;
    if (address->global && strcmp(region, DEFAULT_REGION) == 0)
        replace(&address->endpoint, str_dup(GLOBAL_ENDPOINT));
    compose(address);
    return 0;
}

char *s3_address_peer(const struct s3_address *address, int *port)
{
    bool bracket = address->host[0] == '[';
    const char *host = address->host + bracket;
    size_t len = strcspn(host, bracket ? "]" : ":");
    const char *rest = host + len + bracket;
    int64_t number = address->tls ? TLS_PORT : PLAIN_PORT;
    if (*rest == ':' && !str_to_int(rest + 1, 1, 65535, &number))
        abort();
    *port = (int)number;
    return str_dup_n(host, len);
}

char *s3_address_path(const struct s3_address *address, const char *key)
{
    struct buf path = {0};
    buf_puts(&path, address->prefix);
    if (key || path.len == 0)
        buf_puts(&path, "/");
    if (key)
        sigv4_encode_path(&path, key);
    return buf_take(&path);
}

/* ---- key ---- */

static bool text_is_plain(const char *text)
{
    size_t len = strlen(text);
    AUTO_FREE char *visible = str_visible(text, len, false);
    return strcmp(text, visible) == 0;
}

/* With a slash behind each segment. */
static int append_folder(struct buf *key, const char *folder, struct sc_err *err)
{
    for (const char *at = folder ? folder : ""; *at;) {
        at += strspn(at, "/");
        size_t len = strcspn(at, "/");
        if ((len == 1 && *at == '.') || (len == 2 && memcmp(at, "..", 2) == 0))
            return err_set(err, ERR_CONFIG, "S3 folder %s: \".\" and \"..\" cannot be part of it", folder);
        if (len) {
            buf_append(key, at, len);
            buf_puts(key, "/");
        }
        at += len;
    }
    return 0;
}

static int check_key(const struct buf *key, struct sc_err *err)
{
    if (key->truncated)
        return err_set(err, ERR_CONFIG, "S3 folder and name together are longer than %d bytes", S3_KEY_MAX);
    if (!text_is_plain(buf_text(key)))
        return err_set(err, ERR_CONFIG, "S3 folder or name has control characters or is no valid UTF-8");
    return 0;
}

int s3_address_folder(const char *folder, char **out, struct sc_err *err)
{
    AUTO_BUF struct buf key = {.max = S3_KEY_MAX};
    if (append_folder(&key, folder, err) < 0 || check_key(&key, err) < 0)
        return -1;
    *out = key.len ? buf_take(&key) : NULL;
    return 0;
}

int s3_address_file(const char *folder, const char *file, char **out, struct sc_err *err)
{
    AUTO_BUF struct buf key = {.max = S3_KEY_MAX};
    if (append_folder(&key, folder, err) < 0)
        return -1;
    buf_puts(&key, file);
    if (check_key(&key, err) < 0)
        return -1;
    *out = buf_take(&key);
    return 0;
}

int s3_address_key(const char *folder, const char *name, char **out, struct sc_err *err)
{
    AUTO_FREE char *file = str_format("%s.zip", name);
    return s3_address_file(folder, file, out, err);
}
