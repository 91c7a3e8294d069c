#include "snapctl/cli/s3_settings.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/environment.h"
#include "snapctl/cli/s3_values.h"
#include "snapctl/s3/upload.h"

enum { CA_MAX_BYTES = 1 << 20, SECRET_KEY_MAX = 4096, FOLDER_MAX = 700, PORT_MAX = 65535 };

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"
#define FILE_KEYS "services.etcd.backup_config.s3backupconfig."

/* The text of one setting; the error's text is about the value alone. */
typedef int setting_check(const char *value, const struct s3_settings *settings, struct sc_err *err);

static bool is_amazon(const char *endpoint)
{
    return strstr(endpoint, "amazonaws.com") != NULL;
}

static bool only(const char *text, const char *allowed)
{
    return text[strspn(text, allowed)] == '\0';
}

static bool looks_like_ipv4(const char *text)
{
    size_t dots = 0;
    for (const char *p = text; *p; p++)
        dots += *p == '.';
    return dots == 3 && only(text, DIGIT ".");
}

/* AWS, "General purpose bucket naming rules". Other stores also take capitals and underscores. */
static int check_bucket(const char *bucket, const struct s3_settings *settings, struct sc_err *err)
{
    size_t len = strlen(bucket);
    bool strict = is_amazon(settings->endpoint);
    bool ends = len && strchr(LOWER UPPER DIGIT, bucket[0]) && strchr(LOWER UPPER DIGIT, bucket[len - 1]);
    bool good = len >= 3 && len <= 63 && ends && !strstr(bucket, "..") && !looks_like_ipv4(bucket) &&
                only(bucket, strict ? LOWER DIGIT ".-" : LOWER UPPER DIGIT "._-");
    if (good)
        return 0;
    err_set(err, ERR_USAGE, "\"%s\" cannot be the name of a bucket", bucket);
    return err_hint(err,
                    "3 to 63 %s, with a letter or digit at both ends, no two dots in a row, and not an IP "
                    "address",
                    strict ? "lower case letters, digits, dots and hyphens"
                           : "letters, digits, dots, hyphens and underscores");
}

/* Without the scheme, which RKE tolerates; *rest is what stands behind host[:port]. */
static const char *skip_scheme(const char *endpoint, size_t *len, const char **rest)
{
    static const char *const schemes[] = {"https://", "http://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncasecmp(endpoint, schemes[i], strlen(schemes[i])) == 0) {
            endpoint += strlen(schemes[i]);
            break;
        }
    *len = strcspn(endpoint, "/?#");
    *rest = endpoint + *len;
    return endpoint;
}

static bool is_host_and_port(const char *text)
{
    bool bracket = *text == '[';
    size_t host =
        bracket ? strspn(text + 1, "0123456789abcdefABCDEF:.") + 1 : strspn(text, LOWER UPPER DIGIT ".-");
    if (bracket ? host == 1 || text[host++] != ']' : host == 0 || *text == '.' || *text == '-')
        return false;
    int64_t port;
    return !text[host] || (text[host] == ':' && str_to_int(text + host + 1, 1, PORT_MAX, &port));
}

static int check_endpoint(const char *endpoint, const struct s3_settings *settings, struct sc_err *err)
{
    (void)settings;
    size_t len;
    const char *rest;
    const char *start = skip_scheme(endpoint, &len, &rest);
    AUTO_FREE char *authority = str_dup_n(start, len);
    if (is_host_and_port(authority) && (!*rest || strcmp(rest, "/") == 0))
        return 0;
    if (strchr(endpoint, '@')) /* before it stands a password, perhaps */
        err_set(err, ERR_USAGE, "an address of an S3 service has no user and password in it");
    else
        err_set(err, ERR_USAGE, "\"%s\" is not the address of an S3 service", endpoint);
    return err_hint(err, "write HOST or HOST:PORT, such as s3.eu-central-1.amazonaws.com%s",
                    *rest ? "; the bucket and the folder have options of their own" : "");
}

static int check_pem(const char *pem, size_t len, struct sc_err *err)
{
    BIO *bio = BIO_new_mem_buf(pem, (int)len);
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    bool good = certificate != NULL;
    X509_free(certificate);
    BIO_free(bio);
    ERR_clear_error();
    if (good)
        return 0;
    err_set(err, ERR_USAGE, "it holds no certificate in PEM form");
    return err_hint(err,
                    "PEM begins with -----BEGIN CERTIFICATE-----; openssl x509 -inform DER makes it of DER");
}

static int read_ca_file(struct s3_settings *settings, struct sc_err *err)
{
    if (secret_read_file(settings->endpoint_ca, CA_MAX_BYTES, 0, &settings->ca_file, err) < 0)
        return -1;
    if (check_pem(secret_data(settings->ca_file), secret_len(settings->ca_file), err) == 0)
        return 0;
    return err_wrap(err, "%s", settings->endpoint_ca);
}

static int check_ca_text(const char *pem, const struct s3_settings *settings, struct sc_err *err)
{
    (void)settings;
    return check_pem(pem, strnlen(pem, CA_MAX_BYTES), err);
}

static int check_access_key(const char *key, const struct s3_settings *settings, struct sc_err *err)
{
    (void)settings;
    for (const char *p = key; *p; p++)
        if (*p <= ' ' || *p > '~' || *p == '/' || *p == ',')
            return err_set(err, ERR_USAGE,
                           "an access key has no blanks, slashes, commas or letters beyond ASCII");
    return 0;
}

static int check_region(const char *region, const struct s3_settings *settings, struct sc_err *err)
{
    (void)settings;
    if (only(region, LOWER UPPER DIGIT "-_."))
        return 0;
    err_set(err, ERR_USAGE, "\"%s\" cannot be a region", region);
    return err_hint(err, "regions look like eu-central-1");
}

static int check_folder(const char *folder, const struct s3_settings *settings, struct sc_err *err)
{
    (void)settings;
    size_t len = strlen(folder);
    AUTO_FREE char *visible = str_visible(folder, len, false);
    if (len > FOLDER_MAX)
        return err_set(err, ERR_USAGE, "it has more than %d bytes", FOLDER_MAX);
    if (strcmp(visible, folder) != 0)
        return err_set(err, ERR_USAGE, "\"%s\" has control characters or is not UTF-8", folder);
    return 0;
}

/* Where each setting comes from: the option and the key that messages name. */
static const struct {
    const char *option, *key;
    size_t in_options, in_file, in_settings;
    setting_check *check;
} fields[] = {
    {"--s3-endpoint", "endpoint",    offsetof(struct options, s3_endpoint),
     offsetof(struct cluster_s3,                                                                        endpoint),    offsetof(struct s3_settings, endpoint),    check_endpoint  },
    {"--access-key",  "access_key",  offsetof(struct options, access_key),
     offsetof(struct cluster_s3,                                                                        access_key),  offsetof(struct s3_settings, access_key),  check_access_key},
    {"--bucket-name", "bucket_name", offsetof(struct options, bucket_name),
     offsetof(struct cluster_s3,                                                                        bucket_name), offsetof(struct s3_settings, bucket_name), check_bucket    },
    {"--folder",      "folder",      offsetof(struct options, folder),      offsetof(struct cluster_s3, folder),
     offsetof(struct s3_settings,                                                                                                                  folder),      check_folder    },
    {"--region",      "region",      offsetof(struct options, region),      offsetof(struct cluster_s3, region),
     offsetof(struct s3_settings,                                                                                                                  region),      check_region    },
};

static const char *text_at(const void *object, size_t offset)
{
    const char *text = *(const char *const *)((const char *)object + offset);
    return text && *text ? text : NULL;
}

static bool is_wanted(const struct options *options, const struct cluster *cluster, bool always)
{
    if (always)
        return true;
    if (options->no_s3 || options->s3 == SWITCH_OFF)
        return false;
    return options->s3 == SWITCH_ON || cluster->s3.present;
}

static void merge(const struct options *options, const struct cluster *cluster, struct s3_settings *out)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char *given = text_at(options, fields[i].in_options);
        const char **field = (const char **)((char *)out + fields[i].in_settings);
        *field = given ? given : text_at(&cluster->s3, fields[i].in_file);
    }
    if (!out->endpoint)
        out->endpoint = "s3.amazonaws.com";
    out->given_secret_key = out->secret_key_file ? out->secret_key_file : options->secret_key;
    out->secret_key = out->given_secret_key ? out->given_secret_key : cluster->s3.secret_key;
    out->endpoint_ca = options->s3_endpoint_ca;
    out->custom_ca = out->endpoint_ca ? NULL : cluster->s3.custom_ca;
}

static int blame_file(struct sc_err *err, const char *key)
{
    err->kind = ERR_CONFIG;
    return err_wrap(err, FILE_KEYS "%s", key);
}

static int check_fields(const struct options *options, struct s3_settings *settings, struct sc_err *err)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char *given = text_at(options, fields[i].in_options);
        const char *value = given || settings->wanted ? text_at(settings, fields[i].in_settings) : NULL;
        if (!value || fields[i].check(value, settings, err) == 0)
            continue;
        return given ? err_wrap(err, "%s", fields[i].option) : blame_file(err, fields[i].key);
    }
    if (settings->endpoint_ca && read_ca_file(settings, err) < 0) {
        err->kind = ERR_USAGE;
        return err_wrap(err, "--s3-endpoint-ca");
    }
    if (settings->wanted && settings->custom_ca && *settings->custom_ca &&
        check_ca_text(settings->custom_ca, settings, err) < 0)
        return blame_file(err, "custom_ca");
    return 0;
}

static int check_together(const struct options *options, const struct s3_settings *settings,
                          struct sc_err *err)
{
    if (options->no_s3 && options->s3 == SWITCH_ON)
        return err_set(err, ERR_USAGE, "--s3 and --no-s3 contradict each other");
    if (!settings->wanted)
        return 0;
    if (options->no_s3 || options->s3 == SWITCH_OFF)
        return err_set(err, ERR_USAGE, "upload without S3 is nothing: leave out --no-s3 and --s3=false");
    if (!settings->bucket_name) {
        err_set(err, ERR_USAGE, "no bucket is named for S3");
        return err_hint(err, "give --bucket-name, or " FILE_KEYS "bucket_name");
    }
    bool access = settings->access_key != NULL;
    bool secret = settings->secret_key && secret_len(settings->secret_key);
    if (access == secret)
        return 0;
    err_set(err, ERR_USAGE, "the S3 %s is given without the %s", access ? "access key" : "secret key",
            access ? "secret key" : "access key");
    return err_hint(err, "give both, or neither: then the environment, AWS's files and roles are asked");
}

static int read_secret_key(const struct options *options, struct s3_settings *out, struct sc_err *err)
{
    const char *path = options->secret_key_file;
    if (!path)
        return 0;
    if (options->secret_key)
        return err_set(err, ERR_USAGE, "--secret-key and --secret-key-file are two sources of the same key");
    if (secret_read_file(path, SECRET_KEY_MAX, 1, &out->secret_key_file, err) < 0) {
        err->kind = ERR_USAGE;
        return err_wrap(err, "--secret-key-file");
    }
    return 0;
}

static int read_tags(const struct options *options, struct s3_settings *out, struct sc_err *err)
{
    for (out->n_tags = 0; out->n_tags < options->s3_tags.n; out->n_tags++) {
        size_t i = out->n_tags;
        if (s3_value_tag(options->s3_tags.words[i], &out->tag_names[i], &out->tags[i], err) < 0)
            return err_wrap(err, "--s3-tag");
    }
    return 0;
}

static int read_values(const struct options *options, struct s3_settings *out, struct sc_err *err)
{
    if (options->s3_sse && s3_value_sse(options->s3_sse, &out->sse, &out->kms_key, err) < 0)
        return err_wrap(err, "--s3-sse");
    if (options->s3_object_lock &&
        s3_value_lock(options->s3_object_lock, &out->lock_mode, &out->lock_days, err) < 0)
        return err_wrap(err, "--s3-object-lock");
    return read_tags(options, out, err);
}

/* What libcurl takes; without a scheme it is an HTTP proxy. The URL may hold a password. */
static int check_proxy(const char *url, struct sc_err *err)
{
    static const char *const schemes[] = {"http://",    "https://",  "socks4://",
                                          "socks4a://", "socks5://", "socks5h://"};
    bool known = strstr(url, "://") == NULL;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        known |= strncasecmp(url, schemes[i], strlen(schemes[i])) == 0;
    if (known)
        return 0;
    err_set(err, ERR_USAGE, "--s3-proxy: its URL has a scheme that is no proxy's");
    return err_hint(err, "it is http://HOST:PORT, or one with https, socks4, socks4a, socks5 or socks5h");
}

static int check_transport(const struct options *options, struct s3_settings *out, struct log *log,
                           struct sc_err *err)
{
    size_t http = strlen("http://");
    if (options->s3_concurrency > S3_CONCURRENCY_MAX)
        return err_set(err, ERR_USAGE, "--s3-concurrency: at most %d parts at a time", S3_CONCURRENCY_MAX);
    if (options->s3_proxy && check_proxy(secret_data(options->s3_proxy), err) < 0)
        return -1;
    if (options->s3_proxy && options->s3_via == STORE_VIA_NODE)
        return err_set(err, ERR_USAGE, "--s3-proxy and --s3-via node are two ways to the same place");
    if (!out->wanted)
        return 0;
    if (strncasecmp(out->endpoint, "http://", http) == 0 && !options->s3_plain_http) {
        log_write(log, LOG_WARN, NULL,
                  "without --s3-plain-http S3 is spoken to with TLS: the http:// of %s is ignored",
                  out->endpoint);
        out->endpoint += http;
    }
    if (options->s3_plain_http)
        log_write(log, LOG_WARN, NULL,
                  "plain HTTP to S3: the snapshot, with every secret of the cluster, can be read on the way");
    if (options->s3_skip_tls_verify)
        log_write(log, LOG_WARN, NULL,
                  "the certificate of S3 is not checked: whoever answers gets the snapshot, with every "
                  "secret of the cluster");
    return 0;
}

static void warn_without_effect(const struct options *options, struct log *log)
{
    AUTO_BUF struct buf given = {0};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (text_at(options, fields[i].in_options))
            buf_printf(&given, "%s%s", given.len ? ", " : "", fields[i].option);
    if (options->secret_key)
        buf_printf(&given, "%s--secret-key", given.len ? ", " : "");
    if (options->s3_endpoint_ca)
        buf_printf(&given, "%s--s3-endpoint-ca", given.len ? ", " : "");
    if (given.len && !options->no_s3 && options->s3 == SWITCH_NOT_GIVEN)
        log_write(log, LOG_WARN, NULL, "without --s3 nothing is done in S3: no effect of %s", given.data);
}

int s3_settings_make(const struct options *options, const struct cluster *cluster, bool always,
                     struct log *log, struct s3_settings *out, struct sc_err *err)
{
    *out = (struct s3_settings){.wanted = is_wanted(options, cluster, always)};
    int result = read_secret_key(options, out, err);
    if (result == 0)
        merge(options, cluster, out);
    if (result < 0 || check_fields(options, out, err) < 0 || check_together(options, out, err) < 0 ||
        read_values(options, out, err) < 0 || check_transport(options, out, log, err) < 0) {
        s3_settings_clear(out);
        return -1;
    }
    if (!out->wanted)
        warn_without_effect(options, log);
    return 0;
}

void s3_settings_clear(struct s3_settings *settings)
{
    secret_free(settings->ca_file);
    secret_free(settings->secret_key_file);
    for (size_t i = 0; i < settings->n_tags; i++)
        free(settings->tag_names[i]);
    *settings = (struct s3_settings){0};
}

static const char *environment_of(void *arg, const char *name)
{
    (void)arg;
    return environment_get(name);
}

struct store_options s3_settings_store(const struct s3_settings *settings, const struct options *options,
                                       const struct cluster *cluster, const char *home)
{
    return (struct store_options){
        .endpoint = settings->endpoint,
        .bucket = settings->bucket_name,
        .folder = settings->folder,
        .region = settings->region,
        .lookup = (enum s3_lookup)options->s3_lookup,
        .plain_http = options->s3_plain_http,
        .skip_tls_verify = options->s3_skip_tls_verify,
        .ca_pem = settings->ca_file ? secret_data(settings->ca_file) : settings->custom_ca,
        .proxy = options->s3_proxy ? secret_data(options->s3_proxy) : NULL,
        .timeout_s = options->s3_timeout_s,
        .concurrency = (unsigned)options->s3_concurrency,
        .sse = settings->sse,
        .kms_key = settings->kms_key,
        .checksum_sha256 = options->s3_checksum == 1,
        .lock_mode = settings->lock_mode,
        .lock_days = settings->lock_days,
        .tags = settings->tags,
        .n_tags = settings->n_tags,
        .via = (enum store_via)options->s3_via,
        .flags = {text_at(options,      offsetof(struct options,    access_key)), settings->given_secret_key,
                  options->session_token                                                                          },
        .cluster_file = {text_at(&cluster->s3, offsetof(struct cluster_s3, access_key)),
                  cluster->s3.secret_key,                                                                     NULL},
        .env = environment_of,
        .home = home,
    };
}
