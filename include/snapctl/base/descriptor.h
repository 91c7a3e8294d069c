/* A descriptor as a sink: a pipe, a socket or a file that somebody else has opened, such as standard output.
 */
#ifndef SNAPCTL_BASE_DESCRIPTOR_H
#define SNAPCTL_BASE_DESCRIPTOR_H

#include "snapctl/base/stream.h"

struct descriptor_sink {
    struct sink sink;
    int fd;           /* the caller's */
    const char *name; /* for messages */
    size_t most;      /* what a write does not wait for */
    uint64_t bytes;   /* written so far */
};

/* write waits, within its ctx, until the other end takes more: ERR_SYSTEM if that is gone, ERR_SPACE. finish
 * and abort do nothing: what is written cannot be taken back. SIGPIPE must be ignored. */
void descriptor_sink_init(struct descriptor_sink *self, int fd, const char *name);

#endif
