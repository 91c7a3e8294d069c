/* An object as a source, fetched a few MiB at a time, so that each piece is tried again as every request is.
 */
#ifndef SNAPCTL_S3_DOWNLOAD_H
#define SNAPCTL_S3_DOWNLOAD_H

#include "snapctl/base/stream.h"
#include "snapctl/s3/client.h"

struct s3_download;

/* Of so many bytes. The client outlives it, and is used by nobody else meanwhile. */
struct s3_download *s3_download_new(struct s3_client *client, const char *key, uint64_t bytes) WARN_UNUSED;
void s3_download_free(struct s3_download *download); /* NULL is allowed */

/* For how long a piece is tried again after its first failure; else S3_RETRY_MS. */
void s3_download_retry(struct s3_download *download, int64_t ms);

/* Errors: see the rows of s3/error.h; ERR_STORE if the object is replaced, or is not what was announced.
 * After another one reading may be tried again, and goes on where it was. */
struct source *s3_download_source(struct s3_download *download);

#endif
