/* Answers of the AWS Security Token Service: XML. */
#ifndef SNAPCTL_S3_STS_H
#define SNAPCTL_S3_STS_H

#include "snapctl/s3/credentials.h"

struct sts_answer {
    struct credentials credentials; /* empty if it is a refusal */
    char *code, *message;           /* of a refusal; NULL where not told */
};

/* ERR_STORE if it is not XML (within the limits of snapctl/s3/xml.h), or neither keys nor a refusal. */
int sts_parse(const char *xml, size_t len, struct sts_answer *out, struct sc_err *err) WARN_UNUSED;
void sts_answer_free(struct sts_answer *answer);

#endif
