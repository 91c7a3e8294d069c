/* Points in time as AWS writes them: RFC 3339, section 5.6. */
#ifndef SNAPCTL_S3_RFC3339_H
#define SNAPCTL_S3_RFC3339_H

#include <stdbool.h>
#include <stdint.h>

/* "2024-03-01T12:00:00Z", with or without a fraction (dropped), or with an offset such as +01:00, as seconds
 * since 1970. False if it is none. */
bool rfc3339_parse(const char *text, int64_t *seconds);

#endif
