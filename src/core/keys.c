#include "keys.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "snapctl/base/str.h"

enum { PASSPHRASE_TRIES = 3 };

struct entry {
    char *text; /* what makes it the same key: the path, or the inline text's place in the file */
    struct ssh_key *key;
};

struct keys {
    const char *config_path;
    const struct run_ui *ui;
    struct log *log;
    struct entry *entries;
    size_t n;
};

struct keys *keys_new(const char *config_path, const struct run_ui *ui, struct log *log)
{
    struct keys *keys = mem_calloc(1, sizeof *keys);
    keys->config_path = config_path;
    keys->ui = ui;
    keys->log = log;
    return keys;
}

void keys_free(struct keys *keys)
{
    if (!keys)
        return;
    for (size_t i = 0; i < keys->n; i++) {
        free(keys->entries[i].text);
        ssh_key_free(keys->entries[i].key);
    }
    free(keys->entries);
    free(keys);
}

static char *where(const struct keys *keys, const struct cluster_mark *mark)
{
    return mark->line ? str_format("%s:%zu:%zu", keys->config_path, mark->line, mark->column)
                      : str_dup(keys->config_path);
}

static void warn_if_open(const struct keys *keys, const struct cluster_auth *auth)
{
    struct stat st;
    if (stat(auth->key_path, &st) < 0 || !S_ISREG(st.st_mode) || !(st.st_mode & 077))
        return;
    AUTO_FREE char *mark = where(keys, &auth->mark);
    log_write(keys->log, LOG_WARN, NULL,
              "%s: the private key %s can be read by others (mode %03o): chmod 600 %s", mark, auth->key_path,
              (unsigned)(st.st_mode & 0777), auth->key_path);
}

static int read_key(const struct keys *keys, const struct cluster_auth *auth, struct secret **out,
                    struct sc_err *err)
{
    if (auth->key) {
        *out = secret_dup(auth->key);
        return 0;
    }
    if (secret_read_file(auth->key_path, SSH_KEY_MAX_BYTES, 0, out, err) < 0) {
        err_hint(err,
                 "set ssh_key_path for the node or for the cluster, or use an agent with --ssh-agent-auth");
        return err_wrap(err, "private key");
    }
    warn_if_open(keys, auth);
    return 0;
}

static int read_certificate(const struct cluster_auth *auth, char **out, struct sc_err *err)
{
    AUTO_SECRET struct secret *text = NULL;
    *out = NULL;
    if (auth->certificate) {
        *out = str_dup(auth->certificate);
        return 0;
    }
    if (!auth->certificate_path)
        return 0;
    if (secret_read_file(auth->certificate_path, SSH_KEY_MAX_BYTES, 0, &text, err) < 0)
        return err_wrap(err, "SSH certificate");
    *out = str_dup_n(secret_data(text), secret_len(text));
    return 0;
}

static int unlock(const struct keys *keys, struct ssh_key *key, struct sc_err *err)
{
    if (!keys->ui->passphrase) {
        err_set(err, ERR_CONFIG, "the private key %s has a passphrase, and nobody can be asked for it",
                ssh_key_label(key));
        return err_hint(
            err, "put it into a file and name that in SNAPCTL_SSH_PASSPHRASE_FILE, or load the key into an "
                 "agent and give --ssh-agent-auth");
    }
    for (int i = 0; i < PASSPHRASE_TRIES; i++) {
        AUTO_SECRET struct secret *passphrase = keys->ui->passphrase(keys->ui->arg, ssh_key_label(key));
        if (!passphrase)
            return err_set(err, ERR_AUTH, "no passphrase was given for the private key %s",
                           ssh_key_label(key));
        if (ssh_key_unlock(key, passphrase, err) < 0)
            continue;
        log_redact(keys->log, passphrase);
        return 0;
    }
    return -1;
}

static int load(const struct keys *keys, const struct cluster_auth *auth, const char *owner,
                struct ssh_key **out, struct sc_err *err)
{
    AUTO_SECRET struct secret *pem = NULL;
    AUTO_FREE char *certificate = NULL;
    AUTO_FREE char *label = auth->key ? str_format("ssh_key of %s", owner) : str_dup(auth->key_path);
    if (read_key(keys, auth, &pem, err) < 0)
        return -1;
    log_redact(keys->log, pem);
    if (read_certificate(auth, &certificate, err) < 0 || ssh_key_new(label, pem, certificate, out, err) < 0)
        return -1;
    if (!ssh_key_locked(*out) || unlock(keys, *out, err) == 0)
        return 0;
    ssh_key_free(*out);
    return -1;
}

/* Two nodes have the same key if they name the same files, or inherit the same inline text. */
static char *identity(const struct cluster_auth *auth)
{
    return str_format("%s|%zu:%zu|%s|%s", auth->key_path ? auth->key_path : "",
                      auth->key ? auth->mark.line : 0, auth->key ? auth->mark.column : 0,
                      auth->certificate_path ? auth->certificate_path : "",
                      auth->certificate ? auth->certificate : "");
}

int keys_get(struct keys *keys, const struct cluster_auth *auth, const char *owner,
             const struct ssh_key **out, struct sc_err *err)
{
    AUTO_FREE char *text = identity(auth);
    for (size_t i = 0; i < keys->n; i++)
        if (strcmp(keys->entries[i].text, text) == 0) {
            *out = keys->entries[i].key;
            return 0;
        }
    struct ssh_key *key;
    if (load(keys, auth, owner, &key, err) < 0) {
        AUTO_FREE char *mark = where(keys, &auth->mark);
        return err_wrap(err, "%s: %s", mark, owner);
    }
    keys->entries = mem_realloc(keys->entries, keys->n + 1, sizeof *keys->entries);
    keys->entries[keys->n++] = (struct entry){.text = mem_take(&text), .key = key};
    *out = key;
    return 0;
}
