#include "snapctl/snapshot/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "gunzip.h"
#include "sha256.h"
#include "snapctl/base/secret.h"
#include "snapctl/base/str.h"
#include "tar_reader.h"

static const char folder[] = "etc/kubernetes/.tmp";

/* Holds the longest first line that tells what a file is. */
enum { HEAD_BYTES = 48 };

struct bundle_check {
    struct sink sink;
    struct gunzip *gunzip;
    struct tar_reader *tar;
    struct sha256 *sha256;
    struct bundle_facts *facts;
    size_t n_entries;
    char *file;            /* that is under way, visible; NULL: none */
    char head[HEAD_BYTES]; /* its first bytes */
    size_t n_head;
};

/* ---- facts ---- */

void bundle_facts_free(struct bundle_facts *facts)
{
    if (!facts)
        return;
    for (size_t i = 0; i < facts->n_certificates; i++)
        free(facts->certificates[i]);
    free(facts->certificates);
    free(facts);
}

bool bundle_facts_agree(const struct bundle_facts *a, const struct bundle_facts *b)
{
    if (a->n_certificates != b->n_certificates)
        return false;
    for (size_t i = 0; i < a->n_certificates; i++)
        if (strcmp(a->certificates[i], b->certificates[i]) != 0)
            return false;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ---- what is in it ---- */

/* RFC 7468: the first line of what PEM holds: "-----BEGIN RSA PRIVATE KEY-----". */
static bool head_says(const struct bundle_check *check, const char *label)
{
    AUTO_FREE char *line = str_dup_n(check->head, check->n_head);
    line[strcspn(line, "\r\n")] = '\0';
    bool says = str_starts(line, "-----BEGIN ") && str_ends(line, label);
    secret_wipe(line, strlen(line));
    return says;
}

static void end_file(struct bundle_check *check)
{
    struct bundle_facts *facts = check->facts;
    if (!check->file)
        return;
    facts->n_keys += head_says(check, " PRIVATE KEY-----");
    if (head_says(check, " CERTIFICATE-----")) {
        facts->certificates =
            mem_realloc(facts->certificates, facts->n_certificates + 1, sizeof *facts->certificates);
        facts->certificates[facts->n_certificates++] = mem_take(&check->file);
    }
    free(check->file);
    check->file = NULL;
    check->n_head = 0;
}

/* Behind the folder, "" for itself; NULL: it is elsewhere. Names may begin with a slash: the restore strips
 * their first three parts. */
static const char *inside(const char *name)
{
    name += *name == '/';
    const char *rest = str_starts(name, folder) ? name + strlen(folder) : "x";
    if (*rest && *rest != '/')
        return NULL;
    rest += *rest == '/';
    for (const char *part = rest; *part; part += *part == '/') {
        size_t len = strcspn(part, "/");
        if (len == 2 && memcmp(part, "..", 2) == 0)
            return NULL;
        part += len;
    }
    return rest;
}

static int entry_begins(void *arg, const struct tar_entry *entry, struct sc_err *err)
{
    struct bundle_check *check = arg;
    const char *rest = inside(entry->name);
    end_file(check);
    if (!rest || (entry->file && !*rest)) {
        AUTO_FREE char *visible = str_visible(entry->name, strlen(entry->name), false);
        return err_set(err, ERR_CORRUPT, "%s is in it, which is not in /%s/", visible, folder);
    }
    if (++check->n_entries > BUNDLE_ENTRIES_MAX)
        return err_set(err, ERR_CORRUPT, "it has more than %d files", BUNDLE_ENTRIES_MAX);
    if (entry->file)
        check->file = str_visible(rest, strlen(rest), false);
    return 0;
}

static int entry_data(void *arg, const unsigned char *data, size_t len, struct sc_err *err)
{
    struct bundle_check *check = arg;
    size_t room = HEAD_BYTES - check->n_head, n = len < room ? len : room;
    (void)err;
    memcpy(check->head + check->n_head, data, n);
    check->n_head += n;
    return 0;
}

static int unpacked(void *arg, const unsigned char *data, size_t len, struct sc_err *err)
{
    struct bundle_check *check = arg;
    return tar_reader_push(check->tar, data, len, err);
}

/* ---- the sink ---- */

static int check_write(struct sink *self, const struct ctx *ctx, const void *data, size_t len,
                       struct sc_err *err)
{
    struct bundle_check *check = (struct bundle_check *)self;
    (void)ctx;
    check->facts->bytes += len;
    if (check->facts->bytes > BUNDLE_BYTES_MAX)
        return err_set(err, ERR_CORRUPT, "it is larger than %d MiB", BUNDLE_BYTES_MAX >> 20);
    sha256_update(check->sha256, data, len);
    return gunzip_push(check->gunzip, data, len, err);
}

static int check_finish(struct sink *self, const struct ctx *ctx, struct sc_err *err)
{
    struct bundle_check *check = (struct bundle_check *)self;
    struct bundle_facts *facts = check->facts;
    unsigned char digest[SHA256_BYTES];
    (void)ctx;
    if (gunzip_finish(check->gunzip, err) < 0 || tar_reader_finish(check->tar, err) < 0)
        return -1;
    end_file(check);
    if (!facts->n_certificates || !facts->n_keys) {
        err_set(err, ERR_CORRUPT, "there is no %s in it",
                facts->n_certificates ? "private key" : "certificate");
        return err_hint(err,
                        "look into %s on the node, which `rke up` of RKE before v0.2.0 fills: no cluster "
                        "can be restored from that",
                        folder);
    }
    qsort(facts->certificates, facts->n_certificates, sizeof *facts->certificates, by_name);
    sha256_finish(check->sha256, digest);
    sha256_hex(digest, facts->sha256);
    return 0;
}

/* A check leaves nothing behind. */
static void check_abort(struct sink *self)
{
    (void)self;
}

struct bundle_check *bundle_check_new(void)
{
    struct bundle_check *check = mem_calloc(1, sizeof *check);
    check->sink = (struct sink){.write = check_write, .finish = check_finish, .abort = check_abort};
    check->gunzip = gunzip_new(unpacked, check);
    check->tar = tar_reader_new(
        &(struct tar_visitor){.entry = entry_begins, .data = entry_data, .arg = check}, BUNDLE_UNPACKED_MAX);
    check->sha256 = sha256_new();
    check->facts = mem_calloc(1, sizeof *check->facts);
    return check;
}

void bundle_check_free(struct bundle_check *check)
{
    if (!check)
        return;
    gunzip_free(check->gunzip);
    tar_reader_free(check->tar);
    sha256_free(check->sha256);
    bundle_facts_free(check->facts);
    free(check->file);
    secret_wipe(check->head, sizeof check->head);
    free(check);
}

struct sink *bundle_check_sink(struct bundle_check *check)
{
    return &check->sink;
}

struct bundle_facts *bundle_check_take_facts(struct bundle_check *check)
{
    return mem_take(&check->facts);
}
