#include "store.h"

#include <stdlib.h>

#include "snapctl/base/str.h"

struct store {
    const struct store_options *options;
    struct s3_address address; /* until the client has it */
    struct credentials_setup chain;
    struct http *http;
    struct s3_client *client; /* NULL: no credentials yet */
    const char *provider;
    char *key;
};

const char *store_status_name(enum store_status status)
{
    static const char *const names[] = {"skipped", "uploaded", "failed"};
    return names[status];
}

static const char *ask_environment(const struct store_options *o, const char *name)
{
    const char *value = o->env ? o->env(o->env_arg, name) : NULL;
    return value && *value ? value : NULL;
}

static const char *environment_region(const struct store_options *o)
{
    const char *region = ask_environment(o, "AWS_REGION");
    return region ? region : ask_environment(o, "AWS_DEFAULT_REGION");
}

static int fill(struct store *s, const char *name, struct sc_err *err)
{
    const struct store_options *o = s->options;
    const struct s3_address_setup where = {
        .endpoint = o->endpoint,
        .bucket = o->bucket,
        .region = o->region,
        .region_fallback = environment_region(o),
        .lookup = o->lookup,
        .plain_http = o->plain_http,
    };
    const struct http_setup http = {
        .ca_pem = o->ca_pem, .skip_tls_verify = o->skip_tls_verify, .proxy = o->proxy};
    s->chain = (struct credentials_setup){
        .flags = o->flags,
        .cluster_file = o->cluster_file,
        .env = o->env,
        .env_arg = o->env_arg,
        .home = o->home,
        .region = o->region,
        .proxy = o->proxy,
    };
    if (s3_address_init(&s->address, &where, err) < 0 || s3_address_key(o->folder, name, &s->key, err) < 0 ||
        http_new(&http, &s->http, err) < 0)
        return -1;
    return 0;
}

int store_new(const struct store_options *options, const char *name, struct store **out, struct sc_err *err)
{
    struct store *s = mem_calloc(1, sizeof *s);
    s->options = options;
    if (fill(s, name, err) < 0) {
        store_free(s);
        return -1;
    }
    *out = s;
    return 0;
}

void store_free(struct store *s)
{
    if (!s)
        return;
    s3_client_free(s->client);
    http_free(s->http);
    s3_address_free(&s->address);
    free(s->key);
    free(s);
}

static int refresh(void *arg, const struct ctx *ctx, struct credentials *c, struct sc_err *err)
{
    struct store *s = arg;
    return credentials_refresh(&s->chain, ctx, c, err);
}

static int find_keys(struct store *s, const struct ctx *ctx, struct sc_err *err)
{
    AUTO_CREDENTIALS struct credentials found = {0};
    if (credentials_find(&s->chain, ctx, &found, err) < 0)
        return -1;
    /* The region beside the keys is the profile's or the instance's: better than none at all. */
    if (found.region && s->address.region_source == S3_REGION_ASSUMED &&
        s3_address_set_region(&s->address, found.region) < 0)
        ctx_log(ctx, LOG_DEBUG, "the region beside the credentials is of no use: %s", found.region);
    s->provider = credentials_provider_name(found.provider);
    s->client = s3_client_new(&(struct s3_client_setup){.http = s->http,
                                                        .address = &s->address,
                                                        .credentials = &found,
                                                        .refresh = refresh,
                                                        .refresh_arg = s});
    return 0;
}

static int refuse_taken(const struct store *s, const struct s3_object *object, struct sc_err *err)
{
    AUTO_FREE char *size = str_bytes(object->bytes);
    const char *when = object->modified ? object->modified : "date unknown";
    err_set(err, ERR_REFUSED, "s3://%s/%s exists (%s, %s)", s->options->bucket, s->key, size, when);
    return err_hint(err, "choose another name, or --force to replace it");
}

int store_ask(struct store *s, const struct ctx *ctx, bool replace, struct sc_err *err)
{
    AUTO_OBJECT struct s3_object object = {0};
    enum s3_name name;
    if (!s->client && find_keys(s, ctx, err) < 0)
        return -1;
    if (s3_object_probe(s->client, ctx, s->key, &name, &object, err) < 0)
        return -1;
    ctx_log(ctx, LOG_DEBUG, "S3: region %s, credentials from %s", s3_client_address(s->client)->region,
            s->provider);
    return name == S3_NAME_TAKEN && !replace ? refuse_taken(s, &object, err) : 0;
}

bool store_is_outage(enum err_kind kind)
{
    return kind == ERR_NETWORK || kind == ERR_TIMEOUT || kind == ERR_STORE;
}

struct s3_client *store_client(const struct store *s)
{
    return s->client;
}

const char *store_key(const struct store *s)
{
    return s->key;
}

void store_describe(const struct store *s, struct store_result *result)
{
    const struct s3_address *where = s->client ? s3_client_address(s->client) : &s->address;
    const char *const texts[] = {where->endpoint, where->bucket, s->key, where->region};
    char **const fields[] = {&result->endpoint, &result->bucket, &result->key, &result->region};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        free(*fields[i]);
        *fields[i] = str_dup(texts[i]);
    }
    result->credentials = s->provider;
}

void store_result_free(struct store_result *r)
{
    if (!r)
        return;
    char *const texts[] = {r->endpoint, r->bucket, r->key, r->region, r->source_node, r->etag, r->version_id};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    err_clear(&r->err);
    *r = (struct store_result){0};
}
