#include "snapctl/s3/error.h"

#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/s3/xml.h"

enum { SECRET_KEY_LENGTH = 40 }; /* AWS's and radosgw's; their access keys have 20 */

/* For a code that has no row: the status decides. */
static const struct s3_error_row unknown_final = {NULL, 0, ERR_STORE, S3_FINAL, NULL};
static const struct s3_error_row unknown_again = {NULL, 0, ERR_STORE, S3_AGAIN, NULL};

void s3_refusal_free(struct s3_refusal *refusal)
{
    free(refusal->code);
    free(refusal->message);
    free(refusal->region);
    free(refusal->request_id);
    *refusal = (struct s3_refusal){0};
}

static const struct s3_error_row *row_of_status(int status)
{
    size_t n;
    const struct s3_error_row *rows = s3_error_rows(&n);
    for (size_t i = 0; i < n; i++)
        if (status && rows[i].status == status)
            return &rows[i];
    return NULL;
}

static const struct s3_error_row *row_of(const struct s3_refusal *refusal)
{
    size_t n;
    const struct s3_error_row *rows = s3_error_rows(&n);
    for (size_t i = 0; i < n; i++)
        if (str_equal(rows[i].code, refusal->code))
            return &rows[i];
    const struct s3_error_row *row = row_of_status(refusal->status);
    /* An unknown code with status 400 need not have to do with the region, as a bare 400 mostly has. */
    if (row && row->retry != S3_REGION)
        return row;
    return refusal->status >= 500 ? &unknown_again : &unknown_final;
}

static int parse(const char *body, size_t len, struct s3_refusal *out)
{
    const struct s3_xml_field fields[] = {
        {"Error/Code",      &out->code      },
        {"Error/Message",   &out->message   },
        {"Error/Region",    &out->region    },
        {"Error/RequestId", &out->request_id},
    };
    return s3_xml_fields(body, len, fields, sizeof fields / sizeof *fields);
}

void s3_refusal_parse(int status, const char *body, size_t len, struct s3_refusal *out)
{
    *out = (struct s3_refusal){.status = status};
    if (parse(body, len, out) == 0 && out->code && *out->code)
        return;
    s3_refusal_free(out);
    out->status = status;
    const struct s3_error_row *row = row_of_status(status);
    out->code = str_dup(row ? row->code : NULL);
    /* HEAD has no body, but whatever else answers without S3's is worth a word. */
    if (len)
        out->message = str_dup("the answer is not S3's: a proxy's, or another service?");
}

bool s3_refusal_inside(const char *body, size_t len)
{
    struct s3_refusal refusal = {0};
    bool inside = parse(body, len, &refusal) == 0 && refusal.code;
    s3_refusal_free(&refusal);
    return inside;
}

enum s3_retry s3_refusal_retry(const struct s3_refusal *refusal)
{
    return row_of(refusal)->retry;
}

/* Where the two keys were taken for each other, it is the secret one. */
static const char *access_key_shown(const char *key)
{
    return key && strlen(key) >= SECRET_KEY_LENGTH ? "(not shown: it is as long as a secret key)" : key;
}

static const char *value_of(const char *name, size_t len, const struct s3_request_names *names)
{
    const struct {
        const char *name, *value;
    } places[] = {
        {"action",     names->action                      },
        {"endpoint",   names->endpoint                    },
        {"bucket",     names->bucket                      },
        {"region",     names->region                      },
        {"key",        names->key                         },
        {"access_key", access_key_shown(names->access_key)},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strlen(places[i].name) == len && memcmp(places[i].name, name, len) == 0)
            return places[i].value ? places[i].value : "";
    return NULL;
}

/* "{/key}" is the key behind a slash, or nothing for the bucket itself. */
static char *fill_in(const char *hint, const struct s3_request_names *names)
{
    AUTO_BUF struct buf out = {0};
    while (*hint) {
        size_t plain = strcspn(hint, "{");
        buf_append(&out, hint, plain);
        hint += plain;
        if (!*hint)
            break;
        size_t len = strcspn(++hint, "}");
        bool slash = *hint == '/';
        const char *value = value_of(hint + slash, len - slash, names);
        if (value && *value)
            buf_printf(&out, "%s%s", slash ? "/" : "", value);
        hint += len + 1;
    }
    return str_visible(buf_text(&out), out.len, true);
}

static void append_visible(struct buf *out, const char *before, const char *text)
{
    if (!text || !*text)
        return;
    AUTO_FREE char *visible = str_visible(text, strlen(text), false);
    buf_printf(out, "%s%s", before, visible);
}

int s3_refusal_error(const struct s3_refusal *refusal, const struct s3_request_names *names,
                     struct sc_err *err)
{
    const struct s3_error_row *row = row_of(refusal);
    AUTO_BUF struct buf text = {0};
    buf_printf(&text, "s3://%s", names->bucket);
    append_visible(&text, "/", names->key);
    append_visible(&text, ": ", refusal->code ? refusal->code : "refused");
    append_visible(&text, ": ", refusal->message);
    buf_printf(&text, " (%s, HTTP %d", names->action, refusal->status);
    append_visible(&text, ", request ", refusal->request_id);
    buf_puts(&text, ")");
    err_set(err, row->kind, "%s", buf_text(&text));
    if (!row->hint)
        return -1;
    AUTO_FREE char *hint = fill_in(row->hint, names);
    return err_hint(err, "%s", hint);
}
