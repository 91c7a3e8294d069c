#include "host_key.h"

#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"

struct key {
    const char *blob;
    size_t len;
    char *type, *fingerprint;
};

static void key_free(struct key *key)
{
    free(key->type);
    free(key->fingerprint);
}

/* How ssh-keyscan -t calls the types. */
static const char *scan_type(const char *type)
{
    return strcmp(type, "ssh-rsa") == 0 ? "rsa" : strcmp(type, "ssh-ed25519") == 0 ? "ed25519" : "ecdsa";
}

/* The line that adds the key. Only the bastion may be able to ask a host behind it. */
static void append_scan(struct buf *out, const struct ssh_policy *policy, const struct key *key,
                        const struct ssh_host *host, const struct ssh_host *bastion)
{
    if (bastion) {
        AUTO_FREE char *login = str_format("%s@%s", bastion->user, bastion->address);
        buf_printf(out, "ssh -p %d ", bastion->port);
        str_quote_shell(out, login);
        buf_puts(out, " ");
    }
    buf_printf(out, "ssh-keyscan -t %s -p %d ", scan_type(key->type), host->port);
    str_quote_shell(out, host->address);
    buf_puts(out, " >> ");
    str_quote_shell(out, policy->known_hosts_file ? policy->known_hosts_file : "known_hosts");
}

static int fail_unknown(const struct ssh_policy *policy, const struct key *key, const struct ssh_host *host,
                        const struct ssh_host *bastion, struct sc_err *err)
{
    AUTO_BUF struct buf scan = {0};
    append_scan(&scan, policy, key, host, bastion);
    err_set(err, ERR_HOST_KEY, "the host key is unknown: %s %s", key->type, key->fingerprint);
    return err_hint(
        err,
        "compare the fingerprint on the host itself: ssh-keygen -lf /etc/ssh/ssh_host_%s_key.pub\n"
        "if it is the same, add the key: %s\n"
        "or give --host-key-checking accept-new to trust every host that is seen for the first time",
        scan_type(key->type), buf_text(&scan));
}

static int fail_changed(const struct known_hosts_answer *found, const struct key *key,
                        const struct ssh_host *host, struct sc_err *err)
{
    AUTO_FREE char *name = known_hosts_name(host->address, host->port);
    AUTO_BUF struct buf remove = {0};
    buf_puts(&remove, "ssh-keygen -R ");
    str_quote_shell(&remove, name);
    buf_puts(&remove, " -f ");
    str_quote_shell(&remove, found->file);
    if (found->verdict == KNOWN_HOSTS_CHANGED)
        err_set(err, ERR_HOST_KEY,
                "THE HOST KEY HAS CHANGED: the server shows %s %s, and %s:%zu has another key", key->type,
                key->fingerprint, found->file, found->line);
    else
        err_set(err, ERR_HOST_KEY,
                "the host is known with keys of other types only (%s:%zu), and now shows %s %s", found->file,
                found->line, key->type, key->fingerprint);
    return err_hint(err,
                    "somebody may be in between: compare the fingerprint on the host itself: "
                    "ssh-keygen -lf /etc/ssh/ssh_host_%s_key.pub\n"
                    "if the host was set up anew, remove the old key: %s",
                    scan_type(key->type), buf_text(&remove));
}

static int fail_revoked(const struct known_hosts_answer *found, const struct key *key, struct sc_err *err)
{
    err_set(err, ERR_HOST_KEY, "the host key is revoked: %s %s, by %s:%zu", key->type, key->fingerprint,
            found->file, found->line);
    return err_hint(err, "whoever has this key may pretend to be the host: give the host new keys first");
}

static int ask(const struct ctx *ctx, const struct ssh_policy *policy, const struct key *key,
               const struct ssh_host *host, const struct ssh_host *bastion, struct sc_err *err)
{
    struct host_key_question question = {host->address, host->port, key->type, key->fingerprint};
    if (!policy->confirm)
        return fail_unknown(policy, key, host, bastion, err);
    if (policy->confirm(policy->arg, ctx, &question))
        return 0;
    if (ctx_check(ctx, err) < 0)
        return -1;
    return err_set(err, ERR_HOST_KEY, "the host key was not trusted: %s %s", key->type, key->fingerprint);
}

/* A file that cannot be written is no reason not to go on: the host was trusted. */
static int add(const struct ssh *ssh, const struct ctx *ctx, const struct ssh_policy *policy,
               const struct key *key, const struct ssh_host *host, struct sc_err *err)
{
    const char *file = policy->known_hosts_file;
    if (!file)
        return 0;
    if (known_hosts_add(file, host->address, host->port, key->blob, key->len, err) < 0) {
        if (err->kind == ERR_HOST_KEY)
            return -1;
        ctx_log(ctx, LOG_WARN, "%s: the host key is trusted for this run only: %s", ssh->name, err->text);
        err_clear(err);
        return 0;
    }
    ctx_log(ctx, LOG_INFO, "%s: added the host key %s %s to %s", ssh->name, key->type, key->fingerprint,
            file);
    return 0;
}

static int judge_unknown(const struct ssh *ssh, const struct ctx *ctx, const struct ssh_policy *policy,
                         const struct key *key, const struct ssh_host *host, const struct ssh_host *bastion,
                         struct sc_err *err)
{
    switch (policy->mode) {
    case HOST_KEY_OFF:
        return 0;
    case HOST_KEY_STRICT:
        return fail_unknown(policy, key, host, bastion, err);
    case HOST_KEY_ASK:
        if (ask(ctx, policy, key, host, bastion, err) < 0)
            return -1;
        break;
    case HOST_KEY_ACCEPT_NEW:
        break;
    }
    return add(ssh, ctx, policy, key, host, err);
}

int host_key_check(struct ssh *ssh, const struct ctx *ctx, const struct ssh_policy *policy,
                   const struct ssh_host *host, const struct ssh_host *bastion, struct sc_err *err)
{
    CLEANUP(key_free) struct key key = {0};
    key.blob = buf_text(&ssh->host_key);
    key.len = ssh->host_key.len;
    key.type = key.len ? known_hosts_key_type(key.blob, key.len) : NULL;
    if (!key.type)
        return err_set(err, ERR_HOST_KEY, "the server showed no host key");
    key.fingerprint = known_hosts_fingerprint(key.blob, key.len);
    ctx_log(ctx, LOG_DEBUG, "%s: host key %s %s", ssh->name, key.type, key.fingerprint);
    struct known_hosts_answer found =
        known_hosts_check(policy->known, host->address, host->port, key.blob, key.len);
    switch (found.verdict) {
    case KNOWN_HOSTS_MATCH:
        return 0;
    case KNOWN_HOSTS_REVOKED:
        return fail_revoked(&found, &key, err);
    case KNOWN_HOSTS_CHANGED:
    case KNOWN_HOSTS_OTHER:
        return fail_changed(&found, &key, host, err);
    case KNOWN_HOSTS_UNKNOWN:
        break;
    }
    return judge_unknown(ssh, ctx, policy, &key, host, bastion, err);
}
