/* Whether an upload would be taken, and which of its options is to blame if not. */
#ifndef SNAPCTL_SRC_CORE_CHECK_UPLOAD_H
#define SNAPCTL_SRC_CORE_CHECK_UPLOAD_H

#include "snapctl/base/ctx.h"
#include "snapctl/core/findings.h"
#include "snapctl/s3/object.h"

/* Begins the write as a multipart upload and aborts it at once, so that no object comes to be: with all of
 * its options, and where the store refuses that, with fewer. One finding on writing, one on aborting, and
 * one on each option that is given. late: ends an abort that takes too long after a signal. -1: nothing can
 * be begun even without options, or there is no answer. */
int check_upload(struct s3_client *client, const struct ctx *ctx, struct cancel *late,
                 const struct s3_write *write, struct findings *findings, struct sc_err *err) WARN_UNUSED;

#endif
