/* The one upload of a run. A node whose archive is read back for its verification claims it, and what it
 * reads is sent on; if the archive is bad or the node is lost, the next one that is ready claims it. A thread
 * beside the nodes' asks the bucket, before anything is begun and again after an outage, and finishes or
 * undoes what nodes have sent: the store keeps a node waiting for nothing but its bytes, and costs it no
 * snapshot. */
#ifndef SNAPCTL_SRC_CORE_DELIVERY_H
#define SNAPCTL_SRC_CORE_DELIVERY_H

#include "snapctl/core/store.h"
#include "work.h"

struct delivery;

struct delivery_what {
    const char *cluster;   /* its name, for the object's metadata; NULL: none */
    bool replace;          /* an object of that name */
    bool dry_run;          /* the bucket is only asked */
    const char *meanwhile; /* what goes on while the store is out of reach, for a message */
};

/* Before the run. ERR_CONFIG as store_new. */
int delivery_new(struct run *run, const struct store_options *options, const struct delivery_what *what,
                 struct delivery **out, struct sc_err *err) WARN_UNUSED;
void delivery_free(struct delivery *delivery); /* NULL is allowed */

/* After the run; the caller owns it. NULL for no upload. */
struct store_result *delivery_result(struct delivery *delivery) WARN_UNUSED;

/* The thread beside the nodes': meets with them once the bucket was asked. */
void delivery_serve(struct delivery *delivery);

/* With the runner's lock held, once all have met: the bucket refuses what is asked for, and err tells why. */
bool delivery_refuses(struct delivery *delivery, struct sc_err *err);

/* With the runner's lock held: what may be left in the bucket if the process ends now. */
void delivery_leftovers(const struct delivery *delivery, struct buf *out);

/* --- In a node's thread. */

/* The upload is this node's from now on, and takes the archive of w->total bytes: until delivery_end. NULL:
 * it is not to be had. The sink's write fails when the ctx ends, and when more bytes come than were
 * announced; what the store does wrong is kept, and the rest of the bytes is dropped. Neither finish nor
 * abort are called. */
struct sink *delivery_claim(struct delivery *delivery, struct work *w);

/* Ends what this node may have claimed. facts: the archive that was written is good, so make it visible.
 * NULL: it is not, or was not read to its end, because of err. */
void delivery_end(struct delivery *delivery, const struct work *w, const struct archive_facts *facts,
                  const struct sc_err *err);

/* Waits until the upload is through (false), or can be claimed. A node whose archive cannot be read does not
 * come back: when all have left, the upload has failed. */
bool delivery_wait(struct delivery *delivery, const struct work *w);

/* How long writing so many bytes may be kept up by the store. */
int64_t delivery_limit_ms(const struct delivery *delivery, uint64_t bytes);

#endif
