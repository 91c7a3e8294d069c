/* The files that AWS's tools share: ~/.aws/credentials and ~/.aws/config.
 *
 * Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files". Lines that are neither a
 * section, a property nor a comment are skipped, as the tools do. */
#ifndef SNAPCTL_S3_PROFILE_H
#define SNAPCTL_S3_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "snapctl/base/secret.h"

/* The properties that matter here; names in profile.c. */
enum profile_key {
    PROFILE_ACCESS_KEY,
    PROFILE_SECRET_KEY,
    PROFILE_SESSION_TOKEN,
    PROFILE_REGION,
    PROFILE_ROLE_ARN,
    PROFILE_CREDENTIAL_PROCESS,
    PROFILE_SSO_SESSION,
    PROFILE_SSO_START_URL,
    PROFILE_KEYS
};

struct profile {
    bool found;                          /* the file has its section */
    struct secret *values[PROFILE_KEYS]; /* NULL: not there */
};
void profile_free(struct profile *p);

/* "aws_access_key_id" and so on. */
const char *profile_key_name(enum profile_key key);

enum profile_syntax {
    PROFILE_CREDENTIALS, /* [name] */
    PROFILE_CONFIG,      /* [profile name]; [default] may do without the word */
};

/* Reads the section of that name. Where it or a property is there twice, the later value holds. */
void profile_parse(struct profile *p, enum profile_syntax syntax, const char *name, const char *text,
                   size_t len);

#endif
