/* The XML that S3 answers, as a sequence of elements. Hostile: no document types (so no entities of its own,
 * external or not), at most 16 levels, 8 KiB of text in one element. Pure; over expat. */
#ifndef SNAPCTL_S3_XML_H
#define SNAPCTL_S3_XML_H

#include <stddef.h>

#include "snapctl/base/mem.h"

enum { S3_XML_DEPTH_MAX = 16, S3_XML_TEXT_MAX = 8192 };

/* Called at the end of each element, inner ones first: path as "ListBucketResult/Contents/Key", without
 * namespaces, and the text right inside it. */
typedef void s3_xml_element(void *arg, const char *path, const char *text);

/* -1 if it is not well-formed or beyond the limits; what was told until then is to be thrown away. */
int s3_xml_parse(const char *data, size_t len, s3_xml_element *element, void *arg) WARN_UNUSED;

/* The texts of single elements, each into a slot that the caller frees; NULL where the path does not occur.
 * After -1 all slots are NULL. */
struct s3_xml_field {
    const char *path;
    char **slot;
};
int s3_xml_fields(const char *data, size_t len, const struct s3_xml_field *fields, size_t n) WARN_UNUSED;

#endif
