/* What the head of an answer tells of the object. */
#ifndef SNAPCTL_S3_DESCRIBE_H
#define SNAPCTL_S3_DESCRIBE_H

#include "attempt.h"
#include "snapctl/s3/object.h"

/* Fills in an empty object from the answer to GET or HEAD. */
void describe_object(const struct s3_reply *reply, struct s3_object *object);

#endif
