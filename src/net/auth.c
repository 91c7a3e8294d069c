#include "auth.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent.h"
#include "key.h"
#include "snapctl/base/str.h"
#include "wire.h"

/* sshd's default MaxAuthTries is 6, and it hangs up after the sixth. */
enum { OFFERS_MAX = 5 };

/* What a libssh2 call of authentication came to. */
enum outcome { ACCEPTED, REJECTED, FAILED };

struct auth {
    struct ssh *ssh;
    const struct ctx *ctx; /* within SSH_AUTH_MS */
    const struct ssh_host *host;
    int agent_fd;
    const struct agent_identity *identity; /* the one that is offered */
    struct sc_err *agent_err;              /* why the agent did not sign; kind ERR_NONE: it did */
};

/* Servers that do not like the user hang up here ("Too many authentication failures"). */
static enum outcome judge(const struct auth *a, int rc, struct sc_err *err)
{
    if (rc == 0)
        return ACCEPTED;
    if (a->agent_err->kind != ERR_NONE) {
        err_move(err, a->agent_err);
        return FAILED;
    }
    if (rc == LIBSSH2_ERROR_AUTHENTICATION_FAILED)
        return REJECTED;
    session_fail(a->ssh, rc, "authentication", err);
    return rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED && !session_is_broken(a->ssh) ? REJECTED : FAILED;
}

static enum outcome offer_key(const struct auth *a, struct sc_err *err)
{
    const struct ssh_key *key = a->host->key;
    const char *line = key_public_line(key), *user = a->host->user;
    int rc;
    while ((rc = libssh2_userauth_publickey_frommemory(a->ssh->lib, user, strlen(user), line, strlen(line),
                                                       secret_data(key_pem(key)), secret_len(key_pem(key)),
                                                       key_passphrase(key))) == LIBSSH2_ERROR_EAGAIN)
        if (session_wait(a->ssh, a->ctx, err) < 0)
            return FAILED;
    return judge(a, rc, err);
}

/* What the server says it would accept; "" if it does not tell. Asked only after a failure: the question
 * itself counts as a try. */
static char *accepted_methods(const struct auth *a)
{
    char *list;
    while (!(list = libssh2_userauth_list(a->ssh->lib, a->host->user, (unsigned)strlen(a->host->user))) &&
           libssh2_session_last_errno(a->ssh->lib) == LIBSSH2_ERROR_EAGAIN)
        if (session_wait(a->ssh, a->ctx, NULL) < 0)
            break;
    return list ? str_visible(list, strlen(list), false) : str_dup("");
}

static int reject(const struct auth *a, const char *tried, struct sc_err *err)
{
    AUTO_FREE char *methods = accepted_methods(a);
    return err_set(err, ERR_AUTH, "the server did not accept %s (method publickey) for the user %s%s%s",
                   tried, a->host->user, *methods ? "; it would accept: " : "", methods);
}

static int reject_key(const struct auth *a, struct sc_err *err)
{
    const struct ssh_key *key = a->host->key;
    const char *user = a->host->user;
    AUTO_FREE char *fingerprint = key_fingerprint(key);
    AUTO_FREE char *tried =
        str_format("the key %s (%s %s)", ssh_key_label(key), ssh_key_type(key), fingerprint);
    AUTO_FREE char *problem = key_certificate_problem(key, user, (int64_t)time(NULL));
    reject(a, tried, err);
    if (problem)
        return err_hint(err, "%s", problem);
    if (strstr(ssh_key_type(key), "-cert-"))
        return err_hint(err,
                        "does the server trust the authority that signed the certificate "
                        "(TrustedUserCAKeys), and is %s the right user?",
                        user);
    return err_hint(
        err, "is %s the right user, and is the public part of the key in its ~/.ssh/authorized_keys there?",
        user);
}

static int with_key(const struct auth *a, struct sc_err *err)
{
    const struct ssh_key *key = a->host->key;
    if (ssh_key_locked(key))
        return err_set(err, ERR_AUTH, "the key %s has a passphrase, which was not given", ssh_key_label(key));
    switch (offer_key(a, err)) {
    case ACCEPTED:
        ctx_log(a->ctx, LOG_DEBUG, "%s: authenticated by the key %s (%s)", a->ssh->name, ssh_key_label(key),
                ssh_key_type(key));
        return 0;
    case REJECTED:
        return reject_key(a, err);
    case FAILED:
        break;
    }
    return -1;
}

/* The signature algorithm that libssh2 has chosen stands in the data to be signed (RFC 4252, section 7):
 * session id, type, user, service, method, TRUE, algorithm, blob. */
static bool wanted_algorithm(const void *data, size_t len, struct wire *algorithm)
{
    struct wire w = {data, len};
    const size_t type = 1, has_signature = 1;
    return wire_skip_strings(&w, 1) && wire_skip_bytes(&w, type) && wire_skip_strings(&w, 3) &&
           wire_skip_bytes(&w, has_signature) && wire_string(&w, algorithm);
}

static uint32_t sign_flags(const struct wire *algorithm)
{
    static const struct {
        const char *name;
        uint32_t flags;
    } rows[] = {
        {"rsa-sha2-512",                      AGENT_RSA_SHA2_512},
        {"rsa-sha2-256",                      AGENT_RSA_SHA2_256},
        {"rsa-sha2-512-cert-v01@openssh.com", AGENT_RSA_SHA2_512},
        {"rsa-sha2-256-cert-v01@openssh.com", AGENT_RSA_SHA2_256},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (wire_equal(algorithm, rows[i].name))
            return rows[i].flags;
    return 0;
}

/* An algorithm of a certificate signs as the plain one does. */
static bool same_algorithm(const struct wire *wanted, const struct buf *got)
{
    AUTO_FREE char *certified = str_format("%s-cert-v01@openssh.com", buf_text(got));
    return wire_equal(wanted, buf_text(got)) || wire_equal(wanted, certified);
}

/* libssh2's sign callback. Its session is this thread's, and stands still while the agent thinks. */
static int sign(LIBSSH2_SESSION *session, unsigned char **sig, size_t *sig_len, const unsigned char *data,
                size_t data_len, void **abstract)
{
    (void)session;
    struct auth *a = *abstract;
    AUTO_BUF struct buf algorithm = {0}, signature = {0};
    struct wire wanted;
    if (!wanted_algorithm(data, data_len, &wanted))
        return LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED;
    if (agent_sign(a->ctx, a->agent_fd, &a->identity->blob, data, data_len, sign_flags(&wanted), &algorithm,
                   &signature, a->agent_err) < 0)
        return LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED;
    if (!same_algorithm(&wanted, &algorithm))
        return LIBSSH2_ERROR_ALGO_UNSUPPORTED;
    *sig = mem_calloc(signature.len + 1, 1);
    memcpy(*sig, signature.data, signature.len);
    *sig_len = signature.len;
    return 0;
}

static enum outcome offer_identity(struct auth *a, struct sc_err *err)
{
    const struct buf *blob = &a->identity->blob;
    void *abstract = a;
    int rc;
    while ((rc = libssh2_userauth_publickey(a->ssh->lib, a->host->user, (const unsigned char *)blob->data,
                                            blob->len, sign, &abstract)) == LIBSSH2_ERROR_EAGAIN)
        if (session_wait(a->ssh, a->ctx, err) < 0)
            return FAILED;
    return judge(a, rc, err);
}

/* Security keys want to be touched, DSA is refused everywhere: they would only use up tries. */
static bool is_usable(const struct agent_identity *identity)
{
    AUTO_FREE char *type = known_hosts_key_type(identity->blob.data, identity->blob.len);
    return type && !str_starts(type, "sk-") && !str_starts(type, "ssh-dss");
}

static void describe(const struct agent_identity *identity, struct buf *out)
{
    AUTO_FREE char *type = known_hosts_key_type(identity->blob.data, identity->blob.len);
    AUTO_FREE char *fingerprint = known_hosts_fingerprint(identity->blob.data, identity->blob.len);
    buf_printf(out, "%s%s %s (%s)", out->len ? ", " : "", type, fingerprint, identity->comment);
}

static int reject_identities(const struct auth *a, const struct buf *tried, size_t left, struct sc_err *err)
{
    AUTO_FREE char *what = str_format("any key of the SSH agent that was offered: %s", buf_text(tried));
    reject(a, what, err);
    if (left)
        return err_hint(
            err,
            "the agent has %zu more key(s), but servers hang up after a few tries: give it fewer keys, "
            "or name the key with ssh_key_path",
            left);
    return err_hint(err,
                    "is %s the right user, and is one of these keys in its ~/.ssh/authorized_keys there?",
                    a->host->user);
}

static int offer_identities(struct auth *a, const struct agent_identities *identities, struct sc_err *err)
{
    AUTO_BUF struct buf tried = {0};
    size_t offers = 0, left = 0;
    for (size_t i = 0; i < identities->n; i++) {
        a->identity = &identities->list[i];
        if (!is_usable(a->identity))
            continue;
        if (offers == OFFERS_MAX) {
            left++;
            continue;
        }
        offers++;
        enum outcome outcome = offer_identity(a, err);
        if (outcome == FAILED)
            return -1;
        describe(a->identity, &tried);
        if (outcome == REJECTED)
            continue;
        ctx_log(a->ctx, LOG_DEBUG, "%s: authenticated by the SSH agent's key: %s", a->ssh->name,
                buf_text(&tried));
        return 0;
    }
    if (offers)
        return reject_identities(a, &tried, left, err);
    err_set(err, ERR_AUTH, "the SSH agent has %s", identities->n ? "no key of a supported type" : "no keys");
    return err_hint(err, "load the key into it: ssh-add KEY");
}

static int with_agent(struct auth *a, struct sc_err *err)
{
    struct agent_identities identities;
    AUTO_CLOSE int fd = -1;
    if (agent_connect(a->ctx, a->host->agent_socket, &fd, err) < 0 ||
        agent_list(a->ctx, fd, &identities, err) < 0)
        return -1;
    a->agent_fd = fd;
    int result = offer_identities(a, &identities, err);
    agent_identities_free(&identities);
    return result;
}

int auth(struct ssh *ssh, const struct ctx *ctx, const struct ssh_host *host, struct sc_err *err)
{
    AUTO_ERR struct sc_err agent_err = {0};
    struct ctx limit = ctx_within(ctx, SSH_AUTH_MS);
    struct auth a = {.ssh = ssh, .ctx = &limit, .host = host, .agent_fd = -1, .agent_err = &agent_err};
    if (!host->agent_socket && !host->key) {
        err_set(err, ERR_AUTH, "there is neither a key nor an SSH agent to authenticate with");
        return err_hint(err, "set ssh_key_path, or start an agent (SSH_AUTH_SOCK) and give --ssh-agent-auth");
    }
    int result = host->agent_socket ? with_agent(&a, err) : with_key(&a, err);
    if (result < 0)
        return session_explain_timeout(ctx, "authentication", SSH_AUTH_MS, err);
    ssh->authenticated = true;
    return 0;
}
