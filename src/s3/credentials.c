#include "snapctl/s3/credentials.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "provider.h"
#include "snapctl/base/str.h"

enum { EXPIRY_MARGIN_S = 300, KEY_MAX = 16 * 1024 };

static const struct provider {
    const char *name;
    provider_ask *ask;
    const char *title; /* in the list of what was asked */
} providers[CREDENTIALS_PROVIDERS] = {
    [CREDENTIALS_FLAGS] = {"flags",        provider_flags,        "the flags"               },
    [CREDENTIALS_CLUSTER_FILE] = {"cluster.yml",  provider_cluster_file, "cluster.yml"             },
    [CREDENTIALS_ENVIRONMENT] = {"environment",  provider_environment,  "the environment"         },
    [CREDENTIALS_WEB_IDENTITY] = {"web-identity", provider_web_identity, "web identity"            },
    [CREDENTIALS_PROFILE] = {"profile",      provider_profile,      "AWS's shared files"      },
    [CREDENTIALS_CONTAINER] = {"container",    provider_container,    "the container's role"    },
    [CREDENTIALS_NODE_ROLE] = {"node-role",    provider_node_role,    "the etcd node's IAM role"},
    [CREDENTIALS_MACHINE_ROLE] = {"machine-role", provider_machine_role, "this machine's IAM role" },
};

const char *credentials_provider_name(enum credentials_provider provider)
{
    return providers[provider].name;
}

void credentials_free(struct credentials *c)
{
    free(c->access_key);
    secret_free(c->secret_key);
    secret_free(c->session_token);
    free(c->region);
    *c = (struct credentials){0};
}

/* Both go into a header: a newline that came along with a pasted key would end it. */
static bool is_header_text(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isgraph((unsigned char)text[i]))
            return false;
    return len > 0 && len <= KEY_MAX;
}

static int check(const struct provider *p, const struct credentials *c, struct sc_err *err)
{
    const char *bad = NULL;
    if (!is_header_text(c->access_key, strlen(c->access_key)))
        bad = "access key";
    else if (!is_header_text(secret_data(c->secret_key), secret_len(c->secret_key)))
        bad = "secret key";
    else if (c->session_token && !is_header_text(secret_data(c->session_token), secret_len(c->session_token)))
        bad = "session token";
    if (!bad)
        return 0;
    return err_set(
        err, ERR_CONFIG,
        "%s: the %s is empty, too long, or has a blank, a line break or a character that is not ASCII",
        p->title, bad);
}

/* 0 with keys in out, or 0 with out empty and the reason in search->why. */
static int ask(struct search *search, enum credentials_provider which, struct credentials *out,
               struct sc_err *err)
{
    const struct provider *p = &providers[which];
    AUTO_CREDENTIALS struct credentials found = {.expires = CREDENTIALS_NEVER, .provider = which};
    *out = (struct credentials){0};
    buf_reset(&search->why);
    int rc = p->ask(search, &found, err);
    log_redact(search->ctx->log, found.secret_key);
    log_redact(search->ctx->log, found.session_token);
    if (rc < 0 || (found.access_key && check(p, &found, err) < 0))
        return err_wrap(err, "credentials for S3");
    if (!found.access_key) {
        ctx_log(search->ctx, LOG_DEBUG, "credentials for S3: none from %s: %s", p->title,
                buf_text(&search->why));
        return 0;
    }
    ctx_log(search->ctx, LOG_DEBUG, "credentials for S3: from %s", p->title);
    *out = found;
    found = (struct credentials){0};
    return 0;
}

static int ask_in_turn(struct search *search, struct buf *answers, struct credentials *out,
                       struct sc_err *err)
{
    for (enum credentials_provider i = 0; i < CREDENTIALS_PROVIDERS; i++) {
        if (ask(search, i, out, err) < 0)
            return -1;
        if (out->access_key)
            return 0;
        buf_printf(answers, "\n  %s: %s", providers[i].title, buf_text(&search->why));
    }
    err_set(err, ERR_AUTH, "no credentials for S3 were found");
    return err_hint(err, "these places were asked:%s", buf_text(answers));
}

int credentials_find(const struct credentials_setup *setup, const struct ctx *ctx, struct credentials *out,
                     struct sc_err *err)
{
    struct search search = {.setup = setup, .ctx = ctx};
    AUTO_BUF struct buf answers = {0};
    int rc = ask_in_turn(&search, &answers, out, err);
    buf_free(&search.why);
    return rc;
}

int credentials_refresh(const struct credentials_setup *setup, const struct ctx *ctx, struct credentials *c,
                        struct sc_err *err)
{
    struct search search = {.setup = setup, .ctx = ctx};
    struct credentials fresh = {0};
    int rc = ask(&search, c->provider, &fresh, err);
    if (rc == 0 && !fresh.access_key)
        rc = err_set(err, ERR_AUTH, "credentials for S3: %s has no more: %s", providers[c->provider].title,
                     buf_text(&search.why));
    buf_free(&search.why);
    if (rc < 0)
        return -1;
    credentials_free(c);
    *c = fresh;
    return 0;
}

bool credentials_expiring(const struct credentials *c, int64_t now)
{
    return c->expires != CREDENTIALS_NEVER && c->expires - now < EXPIRY_MARGIN_S;
}
