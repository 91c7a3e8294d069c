/* Which places a command is about that asks nodes and store alike: what --s3, --local, --from and the
 * bucket's name say. Pure. */
#ifndef SNAPCTL_CLI_PLACES_H
#define SNAPCTL_CLI_PLACES_H

#include "snapctl/cli/options.h"

/* The nodes are asked. */
bool places_nodes(const struct options *options);

/* The store is asked: on, off, or as the configuration says, if nothing was given. */
enum option_switch places_store(const struct options *options);

/* ERR_USAGE if --from names a place that --s3 or --local excludes. */
int places_check(const struct options *options, struct sc_err *err) WARN_UNUSED;

#endif
