#include "snapctl/s3/xml.h"

#include <expat.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/str.h"

enum { PATH_BYTES_MAX = 1024 };

struct reader {
    XML_Parser parser;
    s3_xml_element *element;
    void *arg;
    struct buf path;
    struct buf text[S3_XML_DEPTH_MAX]; /* of each open element */
    size_t depth;
    bool refused;
};

static void refuse(struct reader *r)
{
    r->refused = true;
    XML_StopParser(r->parser, XML_FALSE);
}

static const char *without_namespace(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon ? colon + 1 : name;
}

static void XMLCALL on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    (void)attributes;
    struct reader *r = arg;
    name = without_namespace(name);
    bool fits = buf_puts(&r->path, r->path.len ? "/" : "") && buf_puts(&r->path, name);
    if (!*name || !fits || r->depth == S3_XML_DEPTH_MAX) {
        refuse(r);
        return;
    }
    buf_reset(&r->text[r->depth++]);
}

static void XMLCALL on_text(void *arg, const XML_Char *text, int len)
{
    struct reader *r = arg;
    if (r->depth && !buf_append(&r->text[r->depth - 1], text, (size_t)len))
        refuse(r);
}

static void XMLCALL on_end(void *arg, const XML_Char *name)
{
    (void)name;
    struct reader *r = arg;
    if (r->refused)
        return;
    r->depth--;
    r->element(r->arg, buf_text(&r->path), buf_text(&r->text[r->depth]));
    const char *slash = memrchr(r->path.data, '/', r->path.len);
    r->path.len = slash ? (size_t)(slash - r->path.data) : 0;
    r->path.data[r->path.len] = '\0';
}

static void XMLCALL on_doctype(void *arg, const XML_Char *name, const XML_Char *system_id,
                               const XML_Char *public_id, int has_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_subset;
    refuse(arg);
}

int s3_xml_parse(const char *data, size_t len, s3_xml_element *element, void *arg)
{
    struct reader r = {
        .parser = XML_ParserCreate(NULL), .element = element, .arg = arg, .path.max = PATH_BYTES_MAX};
    if (!r.parser || len > INT_MAX) {
        XML_ParserFree(r.parser);
        return -1;
    }
    for (size_t i = 0; i < S3_XML_DEPTH_MAX; i++)
        r.text[i].max = S3_XML_TEXT_MAX;
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
    enum XML_Status status = XML_Parse(r.parser, data, (int)len, XML_TRUE);
    XML_ParserFree(r.parser);
    for (size_t i = 0; i < S3_XML_DEPTH_MAX; i++)
        buf_free(&r.text[i]);
    buf_free(&r.path);
    return status == XML_STATUS_OK && !r.refused ? 0 : -1;
}

struct wanted {
    const struct s3_xml_field *fields;
    size_t n;
};

static void take_field(void *arg, const char *path, const char *text)
{
    const struct wanted *wanted = arg;
    for (size_t i = 0; i < wanted->n; i++)
        if (strcmp(wanted->fields[i].path, path) == 0 && !*wanted->fields[i].slot)
            *wanted->fields[i].slot = str_dup(text);
}

int s3_xml_fields(const char *data, size_t len, const struct s3_xml_field *fields, size_t n)
{
    struct wanted wanted = {fields, n};
    for (size_t i = 0; i < n; i++)
        *fields[i].slot = NULL;
    if (s3_xml_parse(data, len, take_field, &wanted) == 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        free(*fields[i].slot);
        *fields[i].slot = NULL;
    }
    return -1;
}
