#include "snapctl/net/ssh_key.h"

#include <stdlib.h>
#include <string.h>

#include "certificate.h"
#include "key.h"
#include "key_probe.h"
#include "key_text.h"
#include "snapctl/base/str.h"
#include "snapctl/net/known_hosts.h"
#include "wire.h"

struct ssh_key {
    char *label;
    struct key_text text;      /* its blob is empty until it is known */
    struct secret *passphrase; /* NULL: none, or not given yet */
    bool locked;
    bool certified;
    struct certificate certificate;
    char *type; /* NULL until it is known */
    char *line;
};

static const char *const supported[] = {
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
};

static const struct {
    const char *start, *why;
} unsupported[] = {
    {"ssh-dss", "it is a DSA key, which SSH servers refuse"                    },
    {"sk-",     "it needs a security key to be touched, which is not supported"},
};

static bool is_supported(const char *type)
{
    for (size_t i = 0; i < sizeof supported / sizeof *supported; i++)
        if (strcmp(type, supported[i]) == 0)
            return true;
    return false;
}

static int refuse_type(const char *type, struct sc_err *err)
{
    for (size_t i = 0; i < sizeof unsupported / sizeof *unsupported; i++)
        if (str_starts(type, unsupported[i].start))
            return err_set(err, ERR_CONFIG, "%s", unsupported[i].why);
    AUTO_FREE char *visible = str_visible(type, strlen(type), false);
    return err_set(err, ERR_CONFIG, "it is of the type %s, which is not supported", visible);
}

/* The public key is known: what can be said of it, and of the certificate that came with it. */
static int accept_blob(struct ssh_key *key, struct sc_err *err)
{
    const struct buf *blob = &key->text.blob;
    AUTO_FREE char *type = known_hosts_key_type(blob->data, blob->len);
    if (!type)
        return err_set(err, ERR_CONFIG, "it is damaged: its public key has no type");
    if (!is_supported(type))
        return refuse_type(type, err);
    const struct certificate *c = &key->certificate;
    if (key->certified && (c->key.len != blob->len || memcmp(c->key.data, blob->data, blob->len) != 0))
        return err_set(err, ERR_CONFIG, "it does not belong to its certificate, which certifies another key");
    const struct buf *offered = key->certified ? &c->blob : blob;
    AUTO_FREE char *base64 = wire_to_base64(offered->data, offered->len);
    free(key->type);
    free(key->line);
    key->type = key->certified ? str_dup(c->type) : mem_take(&type);
    key->line = str_format("%s %s", key->type, base64);
    return 0;
}

static int init(struct ssh_key *key, const struct secret *pem, const char *certificate, struct sc_err *err)
{
    if (secret_len(pem) > SSH_KEY_MAX_BYTES)
        return err_set(err, ERR_CONFIG, "it is larger than %d bytes", SSH_KEY_MAX_BYTES);
    if (certificate && certificate_read(certificate, &key->certificate, err) < 0)
        return err_wrap(err, "the certificate given with it");
    key->certified = certificate != NULL;
    if (key_text_read(secret_data(pem), secret_len(pem), &key->text, err) < 0)
        return -1;
    key->locked = key->text.encrypted;
    if (key->text.blob.len && accept_blob(key, err) < 0)
        return -1;
    if (key->locked)
        return 0;
    buf_reset(&key->text.blob);
    if (!key_probe(key->text.pem, "", &key->text.blob))
        return err_set(err, ERR_CONFIG, "it is damaged, or of a type that is not supported");
    return accept_blob(key, err);
}

int ssh_key_new(const char *label, const struct secret *pem, const char *certificate, struct ssh_key **out,
                struct sc_err *err)
{
    struct ssh_key *key = mem_calloc(1, sizeof *key);
    key->label = str_dup(label);
    if (init(key, pem, certificate, err) < 0) {
        ssh_key_free(key);
        return err_wrap(err, "private key %s", label);
    }
    *out = key;
    return 0;
}

void ssh_key_free(struct ssh_key *key)
{
    if (!key)
        return;
    secret_free(key->text.pem);
    secret_free(key->passphrase);
    buf_free(&key->text.blob);
    certificate_free(&key->certificate);
    free(key->label);
    free(key->type);
    free(key->line);
    free(key);
}

bool ssh_key_locked(const struct ssh_key *key)
{
    return key->locked;
}

int ssh_key_unlock(struct ssh_key *key, const struct secret *passphrase, struct sc_err *err)
{
    AUTO_BUF struct buf blob = {0};
    if (!key->locked)
        return 0;
    if (secret_len(passphrase) == 0 || !key_probe(key->text.pem, secret_data(passphrase), &blob))
        return err_set(err, ERR_AUTH, "private key %s: the passphrase is wrong", key->label);
    buf_reset(&key->text.blob);
    buf_append(&key->text.blob, blob.data, blob.len);
    if (accept_blob(key, err) < 0)
        return err_wrap(err, "private key %s", key->label);
    key->passphrase = secret_dup(passphrase);
    key->locked = false;
    return 0;
}

const char *ssh_key_label(const struct ssh_key *key)
{
    return key->label;
}

const char *ssh_key_type(const struct ssh_key *key)
{
    return key->type ? key->type : "type unknown until unlocked";
}

const struct secret *key_pem(const struct ssh_key *key)
{
    return key->text.pem;
}

const char *key_passphrase(const struct ssh_key *key)
{
    return key->passphrase ? secret_data(key->passphrase) : "";
}

const char *key_public_line(const struct ssh_key *key)
{
    return key->line;
}

char *key_certificate_problem(const struct ssh_key *key, const char *user, int64_t now)
{
    return key->certified ? certificate_problem(&key->certificate, user, now) : NULL;
}

char *key_fingerprint(const struct ssh_key *key)
{
    return known_hosts_fingerprint(key->text.blob.data, key->text.blob.len);
}
