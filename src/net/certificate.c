#include "certificate.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "snapctl/base/str.h"
#include "snapctl/net/ssh_key.h"
#include "wire.h"

enum { TYPE_USER = 1, TYPE_HOST = 2 };

static const char suffix[] = "-cert-v01@openssh.com";

/* How many strings the public key has behind the nonce. */
static const struct {
    const char *type;
    size_t fields;
} key_types[] = {
    {"ssh-ed25519",         1},
    {"ecdsa-sha2-nistp256", 2},
    {"ecdsa-sha2-nistp384", 2},
    {"ecdsa-sha2-nistp521", 2},
    {"ssh-rsa",             2},
};

/* The number of fields of "<type>-cert-v01@openssh.com", 0 if the type is not known; *plain is its length
 * without the ending. */
static size_t key_fields(const struct wire *type, size_t *plain)
{
    for (size_t i = 0; i < sizeof key_types / sizeof *key_types; i++) {
        AUTO_FREE char *name = str_format("%s%s", key_types[i].type, suffix);
        *plain = strlen(key_types[i].type);
        if (wire_equal(type, name))
            return key_types[i].fields;
    }
    return 0;
}

static int damaged(struct sc_err *err)
{
    return err_set(err, ERR_CONFIG, "it is damaged: it ends too early");
}

/* Behind the public key. */
static int read_rest(struct wire w, struct certificate *out, struct sc_err *err)
{
    uint64_t serial;
    uint32_t type;
    struct wire principals;
    if (!wire_u64(&w, &serial) || !wire_u32(&w, &type) || !wire_skip_strings(&w, 1) ||
        !wire_string(&w, &principals) || !wire_u64(&w, &out->after) || !wire_u64(&w, &out->before))
        return damaged(err);
    if (type == TYPE_HOST)
        return err_set(err, ERR_CONFIG,
                       "it is a host's certificate; a user's is needed (ssh-keygen -s without -h)");
    if (type != TYPE_USER)
        return err_set(err, ERR_CONFIG, "it is a certificate of the unknown type %u", (unsigned)type);
    buf_append(&out->principals, principals.at, principals.left);
    return 0;
}

static int read_blob(struct certificate *out, struct sc_err *err)
{
    struct wire w = {(const unsigned char *)out->blob.data, out->blob.len}, type;
    size_t plain;
    if (!wire_string(&w, &type))
        return damaged(err);
    size_t fields = key_fields(&type, &plain);
    if (!fields)
        return err_set(err, ERR_CONFIG, "it is no OpenSSH user certificate of a supported type");
    out->type = wire_text(&type);
    if (!wire_skip_strings(&w, 1))
        return damaged(err);
    struct wire key = w;
    if (!wire_skip_strings(&w, fields))
        return damaged(err);
    wire_put_string(&out->key, type.at, plain);
    buf_append(&out->key, key.at, (size_t)(w.at - key.at));
    return read_rest(w, out, err);
}

int certificate_read(const char *text, struct certificate *out, struct sc_err *err)
{
    static const char space[] = " \t\r\n";
    *out = (struct certificate){.blob.max = SSH_KEY_MAX_BYTES};
    text += strspn(text, space);
    size_t type_len = strcspn(text, space);
    const char *key = text + type_len + strspn(text + type_len, space);
    int result = -1;
    if (type_len < strlen(suffix) || memcmp(text + type_len - strlen(suffix), suffix, strlen(suffix)) != 0)
        err_set(err, ERR_CONFIG, "it is no OpenSSH certificate (a file such as id_ed25519-cert.pub)");
    else if (!wire_from_base64(key, strcspn(key, space), &out->blob))
        err_set(err, ERR_CONFIG, "it is damaged: it is not base64");
    else
        result = read_blob(out, err);
    if (result < 0)
        certificate_free(out);
    return result;
}

void certificate_free(struct certificate *certificate)
{
    free(certificate->type);
    buf_free(&certificate->blob);
    buf_free(&certificate->key);
    buf_free(&certificate->principals);
    *certificate = (struct certificate){0};
}

static char *date(uint64_t at)
{
    struct tm tm;
    char text[32];
    time_t t = (time_t)at;
    if (!gmtime_r(&t, &tm) || !strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm))
        return str_dup("a date beyond all calendars");
    return str_dup(text);
}

/* A certificate without principals is valid for nobody on OpenSSH's servers. */
static char *principal_problem(const struct certificate *certificate, const char *user)
{
    AUTO_BUF struct buf names = {0};
    struct wire w = {(const unsigned char *)certificate->principals.data, certificate->principals.len}, name;
    while (wire_string(&w, &name)) {
        if (wire_equal(&name, user))
            return NULL;
        AUTO_FREE char *visible = str_visible((const char *)name.at, name.left, false);
        buf_printf(&names, "%s%s", names.len ? ", " : "", visible);
    }
    if (!names.len)
        return str_dup("the certificate names no principals");
    return str_format("the certificate is for %s and not for %s", buf_text(&names), user);
}

char *certificate_problem(const struct certificate *certificate, const char *user, int64_t now)
{
    if (now >= 0 && (uint64_t)now >= certificate->before) {
        AUTO_FREE char *when = date(certificate->before);
        return str_format("the certificate expired on %s", when);
    }
    if (now >= 0 && (uint64_t)now < certificate->after) {
        AUTO_FREE char *when = date(certificate->after);
        return str_format("the certificate is not valid before %s", when);
    }
    return principal_problem(certificate, user);
}
