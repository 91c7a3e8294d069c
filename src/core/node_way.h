/* HTTP as an etcd node sends it: a session of its own to a node, a tunnel through it to one host and port,
 * and a pool of connections that go that way. The node sees neither keys nor contents where TLS is spoken. */
#ifndef SNAPCTL_SRC_CORE_NODE_WAY_H
#define SNAPCTL_SRC_CORE_NODE_WAY_H

#include "snapctl/net/http.h"
#include "work.h"

struct node_way {
    const char *node; /* its address; NULL: not open */
    struct tunnel *tunnel;
    struct http *http;
};

/* Waits for a node that can be used. setup: but for the socket and the proxy, which are the tunnel's. Closes
 * what was open. ERR_NETWORK if no node can be used, and as ssh_connect. */
int node_way_open(struct node_way *way, struct run *run, const struct ctx *ctx, const char *host, int port,
                  const struct http_setup *setup, struct sc_err *err) WARN_UNUSED;
void node_way_close(struct node_way *way);

/* Open, and its session not broken. */
bool node_way_works(const struct node_way *way);

/* Puts the tunnel's own reason, if it has one, in the place of an error that came of it: HTTP only saw its
 * connection close. */
void node_way_explain(const struct node_way *way, struct sc_err *err);

#endif
