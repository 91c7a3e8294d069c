#include "tar_reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/secret.h"
#include "snapctl/base/str.h"

enum { BLOCK = 512, END_BLOCKS = 2 };

/* POSIX.1-2017, pax: ustar interchange format. */
struct field {
    size_t at, len;
};
static const struct field name_field = {0, 100}, size_field = {124, 12}, checksum_field = {148, 8},
                          magic_field = {257, 6}, prefix_field = {345, 155};
enum { TYPE_AT = 156 };

/* What the bytes behind a header are. */
enum content {
    CONTENT_DATA,
    CONTENT_GNU_NAME,   /* the name of the next entry */
    CONTENT_PAX_NAME,   /* records about the next entry */
    CONTENT_PAX_GLOBAL, /* records about all that follow: no name is among them */
};

struct tar_reader {
    struct tar_visitor visitor;
    uint64_t bytes_max;
    uint64_t at; /* bytes that have come */
    unsigned char block[BLOCK];
    size_t n_block;
    enum content content;
    uint64_t left;    /* of the content under way */
    size_t padding;   /* behind it */
    struct buf notes; /* content that is no data */
    char *long_name;  /* of the next entry; NULL: the header's */
    unsigned zeros;   /* blocks of them, that end the archive */
};

struct tar_reader *tar_reader_new(const struct tar_visitor *visitor, uint64_t bytes_max)
{
    struct tar_reader *r = mem_calloc(1, sizeof *r);
    r->visitor = *visitor;
    r->bytes_max = bytes_max;
    r->notes.max = TAR_NAME_MAX;
    return r;
}

void tar_reader_free(struct tar_reader *r)
{
    if (!r)
        return;
    secret_wipe(r->block, sizeof r->block);
    buf_free(&r->notes);
    free(r->long_name);
    free(r);
}

static int fail(const struct tar_reader *r, struct sc_err *err, const char *what)
{
    return err_set(err, ERR_CORRUPT, "the tar archive is damaged: %s, at byte %" PRIu64, what, r->at - BLOCK);
}

/* ---- headers ---- */

static bool is_zero(const unsigned char *block)
{
    for (size_t i = 0; i < BLOCK; i++)
        if (block[i])
            return false;
    return true;
}

/* Octal digits, with blanks before them, up to a blank or NUL; false if it is something else. */
static bool read_octal(const unsigned char *at, size_t len, uint64_t *out)
{
    size_t i = 0;
    while (i < len && at[i] == ' ')
        i++;
    size_t first = i;
    *out = 0;
    for (; i < len && at[i] >= '0' && at[i] <= '7'; i++)
        *out = *out * 8 + (uint64_t)(at[i] - '0');
    return i > first && (i == len || at[i] == ' ' || at[i] == '\0');
}

/* The sum of the header's bytes, with blanks in the place of the checksum itself. */
static bool sum_agrees(const unsigned char *block)
{
    uint64_t sum = 0, told;
    for (size_t i = 0; i < BLOCK; i++) {
        bool own = i >= checksum_field.at && i < checksum_field.at + checksum_field.len;
        sum += own ? ' ' : block[i];
    }
    return read_octal(block + checksum_field.at, checksum_field.len, &told) && told == sum;
}

static char *take_text(const unsigned char *block, struct field field)
{
    return str_dup_n((const char *)block + field.at, strnlen((const char *)block + field.at, field.len));
}

/* POSIX's magic ends with a NUL, and there a prefix may stand before the name; GNU's ends with a blank. */
static char *header_name(const unsigned char *block)
{
    AUTO_FREE char *name = take_text(block, name_field);
    AUTO_FREE char *prefix = take_text(block, prefix_field);
    bool posix = block[magic_field.at + magic_field.len - 1] == '\0';
    return posix && *prefix ? str_format("%s/%s", prefix, name) : mem_take(&name);
}

static int begin_entry(struct tar_reader *r, char type, uint64_t size, struct sc_err *err)
{
    AUTO_FREE char *name = r->long_name ? mem_take(&r->long_name) : header_name(r->block);
    const struct tar_entry entry = {.name = name, .file = type == '0' || type == '\0', .bytes = size};
    r->content = CONTENT_DATA;
    return r->visitor.entry(r->visitor.arg, &entry, err);
}

static enum content content_of(char type)
{
    return type == 'L'   ? CONTENT_GNU_NAME
           : type == 'x' ? CONTENT_PAX_NAME
           : type == 'g' ? CONTENT_PAX_GLOBAL
                         : CONTENT_DATA;
}

static int take_header(struct tar_reader *r, struct sc_err *err)
{
    uint64_t size;
    char type = (char)r->block[TYPE_AT];
    if (!sum_agrees(r->block))
        return fail(r, err, "a header's checksum is wrong");
    if (memcmp(r->block + magic_field.at, "ustar", strlen("ustar")) != 0)
        return fail(r, err, "a header is not ustar's");
    if (!read_octal(r->block + size_field.at, size_field.len, &size) || size > r->bytes_max)
        return fail(r, err, "a size cannot be");
    r->left = size;
    r->padding = (size_t)((BLOCK - size % BLOCK) % BLOCK);
    r->content = content_of(type);
    buf_reset(&r->notes);
    if (r->content == CONTENT_DATA)
        return begin_entry(r, type, size, err);
    return size <= TAR_NAME_MAX ? 0 : fail(r, err, "a name is too long");
}

static int take_block(struct tar_reader *r, struct sc_err *err)
{
    r->n_block = 0;
    if (is_zero(r->block)) {
        r->zeros++;
        return 0;
    }
    return r->zeros ? fail(r, err, "something stands behind its end") : take_header(r, err);
}

/* ---- content ---- */

/* Records "LENGTH KEY=VALUE\n", where the length counts all of it. */
static char *pax_path(const char *text, size_t len)
{
    char *path = NULL;
    for (size_t at = 0; at < len;) {
        char *end;
        unsigned long n = strtoul(text + at, &end, 10);
        const char *record = end + 1;
        if (*end != ' ' || n == 0 || n > len - at || text[at + n - 1] != '\n')
            break;
        if (str_starts(record, "path=")) {
            const char *value = record + strlen("path="), *last = text + at + n - 1;
            free(path);
            path = value <= last ? str_dup_n(value, (size_t)(last - value)) : NULL;
        }
        at += n;
    }
    return path;
}

static void end_content(struct tar_reader *r)
{
    if (r->content != CONTENT_GNU_NAME && r->content != CONTENT_PAX_NAME)
        return;
    const char *text = buf_text(&r->notes);
    char *name = r->content == CONTENT_GNU_NAME ? str_dup(text) : pax_path(text, r->notes.len);
    if (!name)
        return;
    free(r->long_name);
    r->long_name = name;
}

static int take_content(struct tar_reader *r, const unsigned char *data, size_t len, struct sc_err *err)
{
    r->left -= len;
    if (r->content == CONTENT_DATA)
        return r->visitor.data(r->visitor.arg, data, len, err);
    buf_append(&r->notes, data, len);
    if (!r->left)
        end_content(r);
    return 0;
}

/* Takes some of the bytes, and returns how many; 0 with err filled: it is damaged. */
static size_t take_some(struct tar_reader *r, const unsigned char *data, size_t len, struct sc_err *err)
{
    size_t n = len;
    int result = 0;
    if (r->left) {
        n = len < r->left ? len : (size_t)r->left;
        r->at += n;
        result = take_content(r, data, n, err);
    } else if (r->padding) {
        n = len < r->padding ? len : r->padding;
        r->at += n;
        r->padding -= n;
    } else {
        size_t missing = BLOCK - r->n_block;
        n = len < missing ? len : missing;
        memcpy(r->block + r->n_block, data, n);
        r->at += n;
        r->n_block += n;
        result = r->n_block == BLOCK ? take_block(r, err) : 0;
    }
    return result < 0 ? 0 : n;
}

int tar_reader_push(struct tar_reader *r, const unsigned char *data, size_t len, struct sc_err *err)
{
    if (len > r->bytes_max - r->at)
        return err_set(err, ERR_CORRUPT, "the tar archive has more than %" PRIu64 " bytes", r->bytes_max);
    for (size_t at = 0; at < len;) {
        size_t n = take_some(r, data + at, len - at, err);
        if (!n)
            return -1;
        at += n;
    }
    return 0;
}

int tar_reader_finish(const struct tar_reader *r, struct sc_err *err)
{
    if (!r->n_block && !r->left && !r->padding && r->zeros >= END_BLOCKS)
        return 0;
    return err_set(err, ERR_CORRUPT, "the tar archive is cut off after %" PRIu64 " bytes", r->at);
}
