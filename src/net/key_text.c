#include "key_text.h"

#include <stdint.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/net/ssh_key.h"
#include "wire.h"

enum {
    LINE_CHARS = 64,
    ARMOUR_MAX = 2 * SSH_KEY_MAX_BYTES + 256,
    KDF_ROUNDS_MAX = 4096, /* ssh-keygen's default is 16 or 24; this many take a minute */
};

enum form { OPENSSH, PEM, PEM_ENCRYPTED, NO_KEY };

/* What stands between "-----BEGIN " and "-----". */
static const struct {
    const char *label;
    enum form form;
    const char *what, *hint; /* of a NO_KEY */
} blocks[] = {
    {"OPENSSH PRIVATE KEY",   OPENSSH,       NULL,                                            NULL},
    {"RSA PRIVATE KEY",       PEM,           NULL,                                            NULL},
    {"EC PRIVATE KEY",        PEM,           NULL,                                            NULL},
    {"PRIVATE KEY",           PEM,           NULL,                                            NULL},
    {"ENCRYPTED PRIVATE KEY", PEM_ENCRYPTED, NULL,                                            NULL},
    {"DSA PRIVATE KEY",       NO_KEY,        "it is a DSA key, which SSH servers refuse",
     "make a new key: ssh-keygen -t ed25519"                                                      },
    {"PUBLIC KEY",            NO_KEY,        "it is a public key, not a private one",         NULL},
    {"RSA PUBLIC KEY",        NO_KEY,        "it is a public key, not a private one",         NULL},
    {"CERTIFICATE",           NO_KEY,        "it is an X.509 certificate, not a private key", NULL},
};

/* How other texts that people take for a private key begin. */
static const struct {
    const char *start, *what, *hint;
} strangers[] = {
    {"PuTTY-User-Key-File-", "it is a PuTTY key",                     "convert it: puttygen KEY.ppk -O private-openssh -o KEY"},
    {"---- BEGIN SSH2 ",     "it is a key in the format of ssh.com",  "convert it: ssh-keygen -i -f KEY"                      },
    {"ssh-",                 "it is a public key, not a private one", "name the file without .pub"                            },
    {"ecdsa-sha2-",          "it is a public key, not a private one", "name the file without .pub"                            },
    {"sk-",                  "it is a public key, not a private one", "name the file without .pub"                            },
};

enum { N_BLOCKS = sizeof blocks / sizeof *blocks };

static const char *const ciphers[] = {
    "aes256-ctr",
    "aes192-ctr",
    "aes128-ctr",
    "aes256-cbc",
    "aes192-cbc",
    "aes128-cbc",
    "3des-cbc",
    "aes256-gcm@openssh.com",
    "aes128-gcm@openssh.com",
};

struct line {
    const char *data;
    size_t len;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next line without white space around it; false at the end. */
static bool next_line(const char **at, const char *end, struct line *line)
{
    if (*at >= end)
        return false;
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    const char *first = *at, *last = newline ? newline : end;
    *at = newline ? newline + 1 : end;
    while (first < last && is_space(*first))
        first++;
    while (first < last && is_space(last[-1]))
        last--;
    *line = (struct line){first, (size_t)(last - first)};
    return true;
}

static bool line_is(const struct line *line, const char *text)
{
    return line->len == strlen(text) && memcmp(line->data, text, line->len) == 0;
}

static bool line_starts(const struct line *line, const char *text)
{
    return line->len >= strlen(text) && memcmp(line->data, text, strlen(text)) == 0;
}

/* What lies between the BEGIN and END lines: header lines ("Proc-Type: …") as they are, and all base64 in one
 * piece. */
struct body {
    const char *label;
    struct buf *head, *base64;
};

static void body_add(struct body *body, const struct line *line)
{
    bool header = memchr(line->data, ':', line->len);
    buf_append(header ? body->head : body->base64, line->data, line->len);
    if (header)
        buf_puts(body->head, "\n");
}

/* Reads on until the END line. */
static int body_read(struct body *body, const char *at, const char *end, struct sc_err *err)
{
    AUTO_FREE char *last = str_format("-----END %s-----", body->label);
    struct line line;
    while (next_line(&at, end, &line)) {
        if (line_is(&line, last))
            return 0;
        body_add(body, &line);
    }
    return err_set(err, ERR_CONFIG, "it is cut off: the line \"%s\" is missing", last);
}

/* The lines of libssh2's and OpenSSL's readers are limited, and those of an inline key may be wrapped in any
 * way. */
static struct secret *body_armour(const struct body *body)
{
    AUTO_BUF struct buf out = {.max = ARMOUR_MAX, .wipe = true};
    buf_printf(&out, "-----BEGIN %s-----\n", body->label);
    if (body->head->len)
        buf_printf(&out, "%s\n", buf_text(body->head));
    for (size_t at = 0; at < body->base64->len; at += LINE_CHARS) {
        size_t left = body->base64->len - at;
        buf_append(&out, body->base64->data + at, left < LINE_CHARS ? left : LINE_CHARS);
        buf_puts(&out, "\n");
    }
    buf_printf(&out, "-----END %s-----\n", body->label);
    return secret_new(buf_text(&out), out.len);
}

/* The row of blocks[] that the line begins, N_BLOCKS if none. */
static size_t block_of(const struct line *line)
{
    size_t i = 0;
    for (; i < N_BLOCKS; i++) {
        AUTO_FREE char *begin = str_format("-----BEGIN %s-----", blocks[i].label);
        if (line_is(line, begin))
            break;
    }
    return i;
}

static int refuse(const char *what, const char *hint, struct sc_err *err)
{
    err_set(err, ERR_CONFIG, "%s", what);
    return hint ? err_hint(err, "%s", hint) : -1;
}

static int refuse_stranger(const char *text, size_t len, struct sc_err *err)
{
    const char *at = text, *end = text + len;
    struct line line = {text, 0};
    while (line.len == 0 && next_line(&at, end, &line)) {
    }
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
        if (line_starts(&line, strangers[i].start))
            return refuse(strangers[i].what, strangers[i].hint, err);
    return refuse(line.len ? "it is no private key" : "it is empty", NULL, err);
}

/* The first block that is a private key; *at is then behind its BEGIN line. */
static int find_block(const char **at, const char *end, size_t *block, struct sc_err *err)
{
    const char *text = *at;
    size_t refused = N_BLOCKS;
    struct line line;
    while (next_line(at, end, &line)) {
        *block = block_of(&line);
        if (*block < N_BLOCKS && blocks[*block].form != NO_KEY)
            return 0;
        if (refused == N_BLOCKS)
            refused = *block;
    }
    if (refused < N_BLOCKS)
        return refuse(blocks[refused].what, blocks[refused].hint, err);
    return refuse_stranger(text, (size_t)(end - text), err);
}

static bool known_cipher(const struct wire *name)
{
    for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++)
        if (wire_equal(name, ciphers[i]))
            return true;
    return false;
}

/* OpenSSH, PROTOCOL.key: the part in the clear. */
static int read_container(struct wire w, struct key_text *out, struct sc_err *err)
{
    static const char magic[] = "openssh-key-v1";
    struct wire cipher, kdf, options, public;
    uint32_t keys, rounds = 0;
    if (w.left < sizeof magic || memcmp(w.at, magic, sizeof magic) != 0)
        return err_set(err, ERR_CONFIG, "it is damaged: it does not begin as an OpenSSH key does");
    w = (struct wire){w.at + sizeof magic, w.left - sizeof magic};
    if (!wire_string(&w, &cipher) || !wire_string(&w, &kdf) || !wire_string(&w, &options) ||
        !wire_u32(&w, &keys) || !wire_string(&w, &public) || !wire_skip_strings(&w, 1))
        return err_set(err, ERR_CONFIG, "it is damaged: it ends too early");
    if (keys != 1)
        return err_set(err, ERR_CONFIG, "it holds %u keys; one is supported", (unsigned)keys);
    out->encrypted = !wire_equal(&cipher, "none");
    if (out->encrypted && (!known_cipher(&cipher) || !wire_equal(&kdf, "bcrypt")))
        return refuse("it is encrypted in a way that is not supported",
                      "encrypt it with the default cipher: ssh-keygen -p -f KEY", err);
    if (out->encrypted && (!wire_skip_strings(&options, 1) || !wire_u32(&options, &rounds)))
        return err_set(err, ERR_CONFIG, "it is damaged: its key derivation is incomplete");
    if (rounds > KDF_ROUNDS_MAX)
        return err_set(err, ERR_CONFIG, "it is encrypted with %u rounds of bcrypt; at most %d are supported",
                       (unsigned)rounds, KDF_ROUNDS_MAX);
    buf_append(&out->blob, public.at, public.left);
    return 0;
}

static int read_openssh(const struct body *body, struct key_text *out, struct sc_err *err)
{
    AUTO_BUF struct buf bytes = {.max = SSH_KEY_MAX_BYTES, .wipe = true};
    if (!wire_from_base64(buf_text(body->base64), body->base64->len, &bytes))
        return err_set(err, ERR_CONFIG, "it is damaged: it is not base64");
    return read_container((struct wire){(const unsigned char *)bytes.data, bytes.len}, out, err);
}

int key_text_read(const char *text, size_t len, struct key_text *out, struct sc_err *err)
{
    const char *at = text, *end = text + len;
    size_t block = 0;
    *out = (struct key_text){0};
    if (find_block(&at, end, &block, err) < 0)
        return -1;
    AUTO_BUF struct buf head = {.max = SSH_KEY_MAX_BYTES, .wipe = true}, base64 = head;
    struct body body = {blocks[block].label, &head, &base64};
    if (body_read(&body, at, end, err) < 0)
        return -1;
    out->openssh = blocks[block].form == OPENSSH;
    out->encrypted = blocks[block].form == PEM_ENCRYPTED || strstr(buf_text(&head), "ENCRYPTED");
    if (out->openssh && read_openssh(&body, out, err) < 0) {
        buf_free(&out->blob);
        return -1;
    }
    out->pem = body_armour(&body);
    return 0;
}
