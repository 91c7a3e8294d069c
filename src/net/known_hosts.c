#include "snapctl/net/known_hosts.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "known_hosts_line.h"
#include "snapctl/base/ctx.h"
#include "snapctl/base/str.h"
#include "wire.h"

enum {
    DEFAULT_PORT = 22,
    FILE_MAX_BYTES = 16 << 20,
    FILE_MAX_LINES = 100000,
    LOCK_WAIT_MS = 2000,
    LOCK_TRY_MS = 20,
    SHA256_BYTES = 32,
    TYPE_MAX = 64,
};

struct entry {
    struct known_hosts_line line;
    const char *file;
    size_t number;
};

struct known_hosts {
    char **files;
    size_t n_files;
    struct entry *entries;
    size_t n_entries, cap;
};

/* Key types in the order in which they are preferred, and the signature algorithms that go with them.
 * SHA-1 signatures (the algorithm ssh-rsa) are not among them. */
static const struct {
    const char *type, *algorithms;
} key_types[] = {
    {"ssh-ed25519",         "ssh-ed25519"              },
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"      },
    {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"      },
    {"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"      },
    {"ssh-rsa",             "rsa-sha2-512,rsa-sha2-256"},
};

enum { N_KEY_TYPES = sizeof key_types / sizeof *key_types };

struct known_hosts *known_hosts_new(void)
{
    return mem_calloc(1, sizeof(struct known_hosts));
}

void known_hosts_free(struct known_hosts *kh)
{
    if (!kh)
        return;
    for (size_t i = 0; i < kh->n_entries; i++)
        known_hosts_line_free(&kh->entries[i].line);
    for (size_t i = 0; i < kh->n_files; i++)
        free(kh->files[i]);
    free(kh->entries);
    free(kh->files);
    free(kh);
}

static const char *add_file(struct known_hosts *kh, const char *label)
{
    kh->files = mem_realloc(kh->files, kh->n_files + 1, sizeof *kh->files);
    return kh->files[kh->n_files++] = str_dup(label);
}

static void add_entry(struct known_hosts *kh, const struct entry *entry)
{
    if (kh->n_entries == kh->cap) {
        kh->cap = kh->cap ? 2 * kh->cap : 16;
        kh->entries = mem_realloc(kh->entries, kh->cap, sizeof *kh->entries);
    }
    kh->entries[kh->n_entries++] = *entry;
}

/* What of a file was skipped, to be told in two lines and not in thousands. */
struct skipped {
    size_t bad, first_bad, authorities;
    const char *why;
};

static void note_skipped(const struct skipped *skipped, const char *file, struct log *log)
{
    if (skipped->bad)
        log_write(log, LOG_WARN, NULL, "%s:%zu: %s; %zu such line(s) are skipped", file, skipped->first_bad,
                  skipped->why, skipped->bad);
    if (skipped->authorities)
        log_write(log, LOG_INFO, NULL,
                  "%s: %zu @cert-authority line(s) are skipped: host certificates are not supported", file,
                  skipped->authorities);
}

static void parse_line(struct known_hosts *kh, const char *file, size_t number, const char *text, size_t len,
                       struct skipped *skipped)
{
    const char *why = NULL;
    struct entry entry = {known_hosts_line_parse(text, len, &why), file, number};
    switch (entry.line.kind) {
    case KNOWN_HOSTS_LINE_PLAIN:
    case KNOWN_HOSTS_LINE_REVOKED:
        add_entry(kh, &entry);
        break;
    case KNOWN_HOSTS_LINE_AUTHORITY:
        skipped->authorities++;
        break;
    case KNOWN_HOSTS_LINE_BAD:
        if (skipped->bad++ == 0) {
            skipped->first_bad = number;
            skipped->why = why;
        }
        break;
    case KNOWN_HOSTS_LINE_EMPTY:
        break;
    }
}

void known_hosts_parse(struct known_hosts *kh, const char *label, const char *text, size_t len,
                       struct log *log)
{
    const char *file = add_file(kh, label);
    struct skipped skipped = {0};
    const char *end = text + len;
    for (size_t number = 1; text < end; number++) {
        if (number > FILE_MAX_LINES) {
            log_write(log, LOG_WARN, NULL, "%s: only the first %d lines are read", file, FILE_MAX_LINES);
            break;
        }
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t line_len = (size_t)((newline ? newline : end) - text);
        parse_line(kh, file, number, text, line_len, &skipped);
        text += line_len + 1;
    }
    note_skipped(&skipped, file, log);
}

static int load_file(struct known_hosts *kh, const char *path, struct log *log, struct sc_err *err)
{
    AUTO_SECRET struct secret *text = NULL;
    if (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (secret_read_file(path, FILE_MAX_BYTES, 0, &text, err) < 0)
        return err_wrap(err, "known_hosts");
    known_hosts_parse(kh, path, secret_data(text), secret_len(text), log);
    return 0;
}

int known_hosts_load(const char *const *files, size_t n, struct log *log, struct known_hosts **out,
                     struct sc_err *err)
{
    struct known_hosts *kh = known_hosts_new();
    for (size_t i = 0; i < n; i++)
        if (load_file(kh, files[i], log, err) < 0) {
            known_hosts_free(kh);
            return -1;
        }
    *out = kh;
    return 0;
}

char *known_hosts_name(const char *host, int port)
{
    char *name = port == DEFAULT_PORT ? str_dup(host) : str_format("[%s]:%d", host, port);
    for (char *p = name; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return name;
}

static struct known_hosts_answer answer(enum known_hosts_verdict verdict, const struct entry *entry)
{
    return (struct known_hosts_answer){verdict, entry ? entry->file : NULL, entry ? entry->number : 0};
}

static struct known_hosts_answer check_name(const struct known_hosts *kh, const char *name, const void *blob,
                                            size_t blob_len)
{
    AUTO_FREE char *type = known_hosts_key_type(blob, blob_len);
    const struct entry *match = NULL, *changed = NULL, *other = NULL;
    for (size_t i = 0; i < kh->n_entries; i++) {
        const struct entry *e = &kh->entries[i];
        if (!known_hosts_line_matches(&e->line, name))
            continue;
        bool same = e->line.blob.len == blob_len && memcmp(e->line.blob.data, blob, blob_len) == 0;
        if (same && e->line.kind == KNOWN_HOSTS_LINE_REVOKED)
            return answer(KNOWN_HOSTS_REVOKED, e);
        if (e->line.kind == KNOWN_HOSTS_LINE_REVOKED)
            continue;
        const struct entry **slot = same ? &match : str_equal(e->line.type, type) ? &changed : &other;
        if (!*slot)
            *slot = e;
    }
    return match     ? answer(KNOWN_HOSTS_MATCH, match)
           : changed ? answer(KNOWN_HOSTS_CHANGED, changed)
           : other   ? answer(KNOWN_HOSTS_OTHER, other)
                     : answer(KNOWN_HOSTS_UNKNOWN, NULL);
}

struct known_hosts_answer known_hosts_check(const struct known_hosts *kh, const char *host, int port,
                                            const void *blob, size_t blob_len)
{
    AUTO_FREE char *name = known_hosts_name(host, port);
    struct known_hosts_answer found = check_name(kh, name, blob, blob_len);
    if (found.verdict != KNOWN_HOSTS_UNKNOWN || port == DEFAULT_PORT)
        return found;
    /* As ssh does: a line without a port may vouch for the key on any port, but says nothing against it
     * unless it revokes it. */
    AUTO_FREE char *bare = known_hosts_name(host, DEFAULT_PORT);
    struct known_hosts_answer plain = check_name(kh, bare, blob, blob_len);
    bool counts = plain.verdict == KNOWN_HOSTS_MATCH || plain.verdict == KNOWN_HOSTS_REVOKED;
    return counts ? plain : found;
}

static void note_types(const struct known_hosts *kh, const char *host, int port, bool known[N_KEY_TYPES])
{
    AUTO_FREE char *name = known_hosts_name(host, port);
    for (size_t i = 0; i < kh->n_entries; i++) {
        const struct known_hosts_line *line = &kh->entries[i].line;
        if (line->kind != KNOWN_HOSTS_LINE_PLAIN || !known_hosts_line_matches(line, name))
            continue;
        for (size_t t = 0; t < N_KEY_TYPES; t++)
            known[t] |= strcmp(line->type, key_types[t].type) == 0;
    }
}

static bool any(const bool known[N_KEY_TYPES])
{
    bool found = false;
    for (size_t t = 0; t < N_KEY_TYPES; t++)
        found |= known[t];
    return found;
}

char *known_hosts_algorithms(const struct known_hosts *kh, const char *host, int port)
{
    bool known[N_KEY_TYPES] = {0};
    struct buf out = {0};
    note_types(kh, host, port, known);
    if (port != DEFAULT_PORT && !any(known))
        note_types(kh, host, DEFAULT_PORT, known);
    for (int wanted = 1; wanted >= 0; wanted--)
        for (size_t t = 0; t < N_KEY_TYPES; t++)
            if (known[t] == wanted)
                buf_printf(&out, "%s%s", out.len ? "," : "", key_types[t].algorithms);
    return buf_take(&out);
}

char *known_hosts_fingerprint(const void *blob, size_t blob_len)
{
    unsigned char hash[SHA256_BYTES];
    if (!EVP_Digest(blob, blob_len, hash, NULL, EVP_sha256(), NULL))
        return str_dup("SHA256:?");
    AUTO_FREE char *text = wire_to_base64(hash, sizeof hash);
    text[strcspn(text, "=")] = '\0';
    return str_format("SHA256:%s", text);
}

char *known_hosts_key_type(const void *blob, size_t blob_len)
{
    struct wire w = {blob, blob_len}, type;
    if (!wire_string(&w, &type) || !type.left || type.left > TYPE_MAX)
        return NULL;
    for (size_t i = 0; i < type.left; i++)
        if (!isgraph(type.at[i]))
            return NULL;
    return str_dup_n((const char *)type.at, type.left);
}

static int make_folder(const char *file, struct sc_err *err)
{
    const char *slash = strrchr(file, '/');
    if (!slash || slash == file)
        return 0;
    AUTO_FREE char *folder = str_dup_n(file, (size_t)(slash - file));
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return err_set_errno(err, ERR_SYSTEM, "cannot make the folder %s", folder);
    return 0;
}

/* Other threads and other runs may add hosts at the same time. */
static int lock(int fd, const char *file, struct sc_err *err)
{
    struct ctx ctx = {.deadline_ms = ctx_now_ms() + LOCK_WAIT_MS};
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return err_set_errno(err, ERR_SYSTEM, "cannot lock %s", file);
        if (ctx_wait(&ctx, -1, 0, LOCK_TRY_MS, err) < 0)
            return err_set(err, ERR_SYSTEM, "cannot lock %s: another program holds the lock", file);
    }
    return 0;
}

static bool ends_in_line(int fd)
{
    off_t end = lseek(fd, 0, SEEK_END);
    char last = '\n';
    return end <= 0 || pread(fd, &last, 1, end - 1) != 1 || last == '\n';
}

static int append(int fd, const char *file, const char *line, struct sc_err *err)
{
    if (!ends_in_line(fd) && write(fd, "\n", 1) < 0)
        return err_set_errno(err, ERR_SYSTEM, "cannot write to %s", file);
    ssize_t n = write(fd, line, strlen(line));
    if (n < 0)
        return err_set_errno(err, ERR_SYSTEM, "cannot write to %s", file);
    if ((size_t)n < strlen(line))
        return err_set(err, ERR_SYSTEM, "cannot write to %s: the disk is full", file);
    return 0;
}

int known_hosts_add(const char *file, const char *host, int port, const void *blob, size_t blob_len,
                    struct sc_err *err)
{
    AUTO_FREE char *type = known_hosts_key_type(blob, blob_len);
    if (!type)
        return err_set(err, ERR_HOST_KEY, "the host key is none");
    if (make_folder(file, err) < 0)
        return -1;
    AUTO_CLOSE int fd = open(file, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0)
        return err_set_errno(err, ERR_SYSTEM, "cannot open %s", file);
    if (lock(fd, file, err) < 0)
        return -1;
    struct known_hosts *now;
    if (known_hosts_load(&file, 1, NULL, &now, err) < 0)
        return -1;
    struct known_hosts_answer found = known_hosts_check(now, host, port, blob, blob_len);
    known_hosts_free(now);
    if (found.verdict == KNOWN_HOSTS_MATCH)
        return 0;
    if (found.verdict != KNOWN_HOSTS_UNKNOWN)
        return err_set(err, ERR_HOST_KEY, "%s:%zu was added meanwhile and speaks against the host's key",
                       file, found.line);
    AUTO_FREE char *name = known_hosts_name(host, port);
    AUTO_FREE char *key = wire_to_base64(blob, blob_len);
    AUTO_FREE char *line = str_format("%s %s %s\n", name, type, key);
    return append(fd, file, line, err);
}
