#include "store.h"

#include <stdlib.h>
#include <string.h>

#include "node_way.h"
#include "snapctl/base/str.h"
#include "snapctl/s3/object.h"

enum {
    CONNECT_MS = 5000,
    ANSWER_MS = 15000,
    LIST_MS = 120000,
    SLOW_MS = 2000, /* what takes longer to fail is not tried twice */
    IMDS_PORT = 80,
    ROUTES = 3, /* the region may be learned, and be corrected */
};

struct store {
    const struct store_options *options;
    struct run *run;           /* whose nodes can be gone through */
    struct s3_address address; /* until the client has it */
    struct credentials_setup chain;
    struct http_setup http_setup;
    struct http *http;        /* from here */
    struct node_way way;      /* from a node: to S3 */
    struct node_way imds;     /* … and to its metadata */
    struct s3_client *client; /* NULL: no credentials yet */
    enum credentials_provider provider;
    bool from_node;    /* which of the two the client uses */
    bool region_asked; /* the bucket where it is, or somebody knew before */
    char *key;
    char *folder; /* "folder/"; NULL: none */
    char *beside; /* the key of what goes beside it; NULL: nothing */
    const char *beside_mark;
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

/* HTTP to the metadata service of a node, for the chain of credentials. One that has told keys is asked for
 * the next ones as long as it is there. */
static int ask_node(void *arg, const struct ctx *ctx, struct http **http, const char **node,
                    struct sc_err *err)
{
    struct store *s = arg;
    const struct http_setup setup = {.connect_ms = CONNECT_MS};
    if (!node_way_works(&s->imds) &&
        node_way_open(&s->imds, s->run, ctx, CREDENTIALS_IMDS_HOST, IMDS_PORT, &setup, err) < 0)
        return -1;
    *http = s->imds.http;
    *node = s->imds.node;
    return 0;
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
    s->http_setup = (struct http_setup){.ca_pem = o->ca_pem,
                                        .skip_tls_verify = o->skip_tls_verify,
                                        .proxy = o->proxy,
                                        .connect_ms = CONNECT_MS};
    s->chain = (struct credentials_setup){
        .flags = o->flags,
        .cluster_file = o->cluster_file,
        .env = o->env,
        .env_arg = o->env_arg,
        .home = o->home,
        .region = o->region,
        .ca_pem = o->ca_pem,
        .proxy = o->proxy,
        .node_http = ask_node,
        .node_arg = s,
    };
    if (s3_address_init(&s->address, &where, err) < 0 || s3_address_folder(o->folder, &s->folder, err) < 0 ||
        (name && s3_address_key(o->folder, name, &s->key, err) < 0))
        return -1;
    return http_new(&s->http_setup, &s->http, err);
}

int store_new(struct run *run, const struct store_options *options, const char *name, struct store **out,
              struct sc_err *err)
{
    struct store *s = mem_calloc(1, sizeof *s);
    s->run = run;
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
    node_way_close(&s->way);
    node_way_close(&s->imds);
    http_free(s->http);
    s3_address_free(&s->address);
    free(s->key);
    free(s->folder);
    free(s->beside);
    free(s);
}

int store_use_file(struct store *s, const char *file, struct sc_err *err)
{
    free(s->key);
    s->key = NULL;
    return s3_address_file(s->options->folder, file, &s->key, err);
}

int store_use_beside(struct store *s, const char *file, const char *mark, struct sc_err *err)
{
    s->beside_mark = mark;
    return s3_address_file(s->options->folder, file, &s->beside, err);
}

/* ---- credentials ---- */

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
    s->region_asked = s->address.region_source != S3_REGION_ASSUMED;
    if (found.region && !s->region_asked) {
        s->region_asked = strcmp(found.region, s->address.region) == 0 ||
                          s3_address_set_region(&s->address, found.region) == 0;
        if (!s->region_asked)
            ctx_log(ctx, LOG_DEBUG, "the region beside the credentials is of no use: %s", found.region);
    }
    s->provider = found.provider;
    s->client = s3_client_new(&(struct s3_client_setup){.http = s->http,
                                                        .address = &s->address,
                                                        .credentials = &found,
                                                        .refresh = refresh,
                                                        .refresh_arg = s});
    return 0;
}

/* ---- the bucket ---- */

static int refuse_taken(const struct store *s, const char *key, const struct s3_object *object,
                        struct sc_err *err)
{
    AUTO_FREE char *size = str_bytes(object->bytes);
    const char *when = object->modified ? object->modified : "date unknown";
    err_set(err, ERR_REFUSED, "s3://%s/%s exists (%s, %s)", s->options->bucket, key, size, when);
    return err_hint(err, "--force replaces it; another --folder, or another name, leaves it alone");
}

/* HTTP knows nothing of the limit that is ours, nor of options. */
static int explain_ask(const struct store *s, const struct ctx *ctx, struct sc_err *err)
{
    if (err->kind == ERR_TIMEOUT && ctx_check(ctx, NULL) == 0)
        return err_set(err, ERR_TIMEOUT, "%s takes connections, but has not answered for %d s",
                       s3_client_address(s->client)->endpoint, ANSWER_MS / 1000);
    if (err->kind == ERR_NETWORK && strstr(err->text, "wrong version number")) {
        err->kind = ERR_CONFIG;
        return err_hint(err, "that port speaks no TLS: is it the right one? --s3-plain-http goes without");
    }
    if (err->kind != ERR_CERTIFICATE)
        return -1;
    AUTO_FREE char *hint = str_dup(err->hint);
    return err_hint(err, "%s%syour own CA is given by --s3-endpoint-ca, or custom_ca in cluster.yml",
                    hint ? hint : "", hint ? "\n" : "");
}

/* What the bucket is asked. */
struct question {
    store_question *ask;
    void *arg;
};

static int ask_bucket(struct store *s, const struct ctx *ctx, const struct question *question,
                      struct sc_err *err)
{
    const struct ctx limited = ctx_within(ctx, ANSWER_MS);
    if (question->ask(s->client, &limited, question->arg, err) < 0)
        return explain_ask(s, ctx, err);
    ctx_log(ctx, LOG_DEBUG, "S3: region %s, credentials from %s", s3_client_address(s->client)->region,
            credentials_provider_name(s->provider));
    return 0;
}

/* Nobody knows the bucket's region, so the bucket is asked for it, which few have the right to: what comes of
 * that is no reason to stop. -1: S3 is out of reach, and to put the question itself would take as long to
 * find that out again. */
static int learn_region(struct store *s, const struct ctx *ctx, struct sc_err *err)
{
    AUTO_FREE char *region = NULL;
    AUTO_ERR struct sc_err why = {0};
    const struct ctx limited = ctx_within(ctx, ANSWER_MS);
    int64_t start = ctx_now_ms();
    if (s->region_asked)
        return 0;
    s->region_asked = s3_object_region(s->client, &limited, &region, &why) == 0 || why.kind != ERR_NETWORK;
    if (!region) {
        if (store_is_outage(why.kind) && ctx_now_ms() - start >= SLOW_MS) {
            err_move(err, &why);
            return explain_ask(s, ctx, err);
        }
        ctx_log(ctx, LOG_DEBUG, "the bucket's region is not known: %s", why.text);
        return 0;
    }
    const struct s3_address *at = s3_client_address(s->client);
    /* An answer that came after a correction comes too late. */
    bool same = at->region_source != S3_REGION_ASSUMED || strcmp(at->region, region) == 0;
    if (!same && s3_client_set_region(s->client, region) < 0)
        ctx_log(ctx, LOG_DEBUG, "what the bucket tells is no region");
    return 0;
}

static void use_here(struct store *s)
{
    s->from_node = false;
    s3_client_use(s->client, s->http);
}

static int open_way(struct store *s, const struct ctx *ctx, struct sc_err *err)
{
    int port;
    use_here(s);
    AUTO_FREE char *peer = s3_address_peer(s3_client_address(s->client), &port);
    if (node_way_open(&s->way, s->run, ctx, peer, port, &s->http_setup, err) < 0)
        return -1;
    ctx_log(ctx, LOG_INFO, "S3 is reached through node %s", s->way.node);
    s->from_node = true;
    s3_client_use(s->client, s->way.http);
    return 0;
}

/* Where the store tells another region, the host may be another one, and so the way to it. */
static int ask_from_node(struct store *s, const struct ctx *ctx, const struct question *question,
                         struct sc_err *err)
{
    int result = -1;
    for (int i = 0; i < ROUTES; i++) {
        AUTO_FREE char *host = str_dup(s3_client_address(s->client)->host);
        if (open_way(s, ctx, err) < 0)
            return -1;
        result = learn_region(s, ctx, err);
        if (result == 0 && strcmp(s3_client_address(s->client)->host, host) != 0)
            continue;
        if (result == 0)
            result = ask_bucket(s, ctx, question, err);
        if (strcmp(s3_client_address(s->client)->host, host) == 0)
            break;
    }
    if (result < 0)
        store_explain(s, err);
    return result;
}

/* Whether S3 may be connected to from a node though nobody said so. */
static bool may_leave(const struct store_options *o)
{
    return o->via == STORE_VIA_AUTO && !o->plain_http && !o->proxy;
}

static int ask_from_here(struct store *s, const struct ctx *ctx, const struct question *question,
                         struct sc_err *err)
{
    AUTO_ERR struct sc_err here = {0};
    s3_client_has_another_way(s->client, may_leave(s->options));
    bool answered = learn_region(s, ctx, &here) == 0 && ask_bucket(s, ctx, question, &here) == 0;
    s3_client_has_another_way(s->client, false);
    if (answered)
        return 0;
    if (here.kind != ERR_NETWORK || !may_leave(s->options)) {
        err_move(err, &here);
        return -1;
    }
    ctx_log(ctx, LOG_INFO, "S3 cannot be reached from here (%s): trying it from an etcd node", here.text);
    if (ask_from_node(s, ctx, question, err) == 0)
        return 0;
    use_here(s);
    if (err->kind != ERR_NETWORK)
        return -1;
    AUTO_FREE char *there = str_dup(err->text);
    err_move(err, &here);
    AUTO_FREE char *hint = str_dup(err->hint);
    return err_hint(err, "%s%snor from an etcd node: %s", hint ? hint : "", hint ? "\n" : "", there);
}

int store_reach(struct store *s, const struct ctx *ctx, store_question *ask, void *arg, struct sc_err *err)
{
    const struct store_options *o = s->options;
    const struct question question = {ask, arg};
    if (!s->client && find_keys(s, ctx, err) < 0)
        return -1;
    bool role = s->provider == CREDENTIALS_NODE_ROLE && may_leave(o);
    if (s->from_node || role || o->via == STORE_VIA_NODE)
        return ask_from_node(s, ctx, &question, err);
    return ask_from_here(s, ctx, &question, err);
}

struct name_question {
    const char *key;
    enum s3_name name;
    struct s3_object object;
};

/* Of each, up to one without a key. */
static int ask_names(struct s3_client *client, const struct ctx *ctx, void *arg, struct sc_err *err)
{
    for (struct name_question *q = arg; q->key; q++)
        if (s3_object_probe(client, ctx, q->key, &q->name, &q->object, err) < 0)
            return -1;
    return 0;
}

static bool is_own(const struct store *s, const struct name_question *q)
{
    return q->key == s->beside && str_equal(q->object.mark, s->beside_mark);
}

int store_ask(struct store *s, const struct ctx *ctx, bool replace, struct sc_err *err)
{
    struct name_question questions[] = {{.key = s->key}, {.key = s->beside}, {.key = NULL}};
    int result = store_reach(s, ctx, ask_names, questions, err);
    for (struct name_question *q = questions; q->key; q++) {
        if (result == 0 && q->name == S3_NAME_TAKEN && !replace && !is_own(s, q))
            result = refuse_taken(s, q->key, &q->object, err);
        s3_object_free(&q->object);
    }
    return result;
}

/* Its name tells nothing, so its metadata has to. Where the keys may not tell, it was not found. */
static int find_plain(struct store *s, const struct ctx *ctx, struct s3_object *object, bool *plain,
                      struct sc_err *err)
{
    AUTO_FREE char *key = str_dup_n(s->key, strlen(s->key) - strlen(".zip"));
    AUTO_OBJECT struct s3_object found = {0};
    const char *slash = strrchr(key, '/');
    const struct ctx limited = ctx_within(ctx, ANSWER_MS);
    enum s3_name name;
    if (s3_object_probe(s->client, &limited, key, &name, &found, err) < 0) {
        store_explain(s, err);
        return -1;
    }
    *plain = str_equal(found.snapshot, slash ? slash + 1 : key);
    if (!*plain)
        return 0;
    free(s->key);
    s->key = mem_take(&key);
    *object = found;
    found = (struct s3_object){0};
    return 0;
}

int store_find(struct store *s, const struct ctx *ctx, struct s3_object *object, bool *plain,
               struct sc_err *err)
{
    struct name_question q[] = {{.key = s->key}, {.key = NULL}};
    int result = store_reach(s, ctx, ask_names, q, err);
    s3_object_free(object);
    *object = q->object;
    *plain = false;
    if (result < 0 || q->name == S3_NAME_TAKEN)
        return result;
    if (q->name == S3_NAME_FREE)
        return find_plain(s, ctx, object, plain, err);
    err_set(err, ERR_AUTH, "the keys have no right to read s3://%s/%s", s->options->bucket, s->key);
    return err_hint(err, "reading takes s3:GetObject, and s3:ListBucket to tell that there is none");
}

static int at_first(void *arg, const struct s3_entry *entry)
{
    (void)arg;
    (void)entry;
    return -1;
}

int store_ask_listing(struct s3_client *client, const struct ctx *ctx, void *arg, struct sc_err *err)
{
    return s3_object_list(client, ctx, arg, at_first, NULL, err);
}

int store_list(struct store *s, const struct ctx *ctx, const char *prefix, s3_entry_seen *seen, void *arg,
               struct sc_err *err)
{
    AUTO_FREE char *start = str_dup(prefix ? prefix : "");
    const struct ctx limited = ctx_within(ctx, LIST_MS);
    if (store_reach(s, ctx, store_ask_listing, start, err) < 0)
        return -1;
    if (s3_object_list(s->client, &limited, start, seen, arg, err) == 0)
        return 0;
    store_explain(s, err);
    return -1;
}

bool store_ready(const struct store *s)
{
    return s->client && (!s->from_node || node_way_works(&s->way));
}

bool store_uses_node(const struct store *s)
{
    return s->from_node;
}

int store_mend(struct store *s, const struct ctx *ctx, struct sc_err *err)
{
    return store_ready(s) ? 0 : open_way(s, ctx, err);
}

bool store_holds(struct store *s, const struct ctx *ctx, const char *mark, uint64_t bytes,
                 struct s3_object *object)
{
    AUTO_ERR struct sc_err err = {0};
    const struct ctx limited = ctx_within(ctx, ANSWER_MS);
    return s3_object_head(s->client, &limited, s->key, object, &err) == 0 && object->found &&
           str_equal(object->mark, mark) && object->bytes == bytes;
}

void store_explain(const struct store *s, struct sc_err *err)
{
    if (s->from_node)
        node_way_explain(&s->way, err);
}

bool store_is_outage(enum err_kind kind)
{
    return kind == ERR_NETWORK || kind == ERR_TIMEOUT || kind == ERR_STORE;
}

int64_t store_limit_ms(const struct store *s, uint64_t bytes)
{
    return s->options->timeout_s ? (int64_t)s->options->timeout_s * 1000
                                 : plan_ms_for(bytes, PLAN_SLOWEST_BYTES_PER_MS);
}

struct s3_client *store_client(const struct store *s)
{
    return s->client;
}

const char *store_key(const struct store *s)
{
    return s->key;
}

const char *store_beside(const struct store *s)
{
    return s->beside;
}

const char *store_folder(const struct store *s)
{
    return s->folder ? s->folder : "";
}

void store_describe(const struct store *s, struct store_result *result)
{
    const struct s3_address *where = s->client ? s3_client_address(s->client) : &s->address;
    const char *const texts[] = {where->endpoint, where->bucket, s->key, where->region, s->folder};
    char **const fields[] = {&result->endpoint, &result->bucket, &result->key, &result->region,
                             &result->folder};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        free(*fields[i]);
        *fields[i] = str_dup(texts[i]);
    }
    result->credentials = s->client ? credentials_provider_name(s->provider) : NULL;
    result->via = s->from_node ? "node" : "local";
}

void store_result_free(struct store_result *r)
{
    if (!r)
        return;
    char *const texts[] = {r->endpoint, r->bucket, r->key,        r->region,     r->source_node,
                           r->folder,   r->etag,   r->version_id, r->bundle_key, r->bundle_etag};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    err_clear(&r->err);
    *r = (struct store_result){0};
}
