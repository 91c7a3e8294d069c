/* The values of S3 options that have parts. ERR_USAGE says what would be right; the option's name is for the
 * caller to add. */
#ifndef SNAPCTL_CLI_S3_VALUES_H
#define SNAPCTL_CLI_S3_VALUES_H

#include "snapctl/base/err.h"
#include "snapctl/s3/sigv4.h"

/* AES256, aws:kms or aws:kms:KEY. *sse is a literal; *key points into text, NULL: none. */
int s3_value_sse(const char *text, const char **sse, const char **key, struct sc_err *err) WARN_UNUSED;

/* MODE:DAYS, as in governance:30, for at most 100 years. *mode is a literal, in S3's spelling. */
int s3_value_lock(const char *text, const char **mode, int *days, struct sc_err *err) WARN_UNUSED;

/* KEY=VALUE. AWS, "Categorizing your storage using tags": at most 128 and 256 characters. The caller frees
 * *name; out points into it and into text. */
int s3_value_tag(const char *text, char **name, struct sigv4_field *out, struct sc_err *err) WARN_UNUSED;

#endif
