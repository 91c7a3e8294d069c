/* A channel of a session and a socket, joined: what comes out of one goes into the other, without waiting. */
#ifndef SNAPCTL_SRC_NET_RELAY_H
#define SNAPCTL_SRC_NET_RELAY_H

#include <libssh2.h>
#include <stdbool.h>
#include <stddef.h>

#include "snapctl/base/err.h"

struct ssh;

enum { RELAY_CHUNK = 64 * 1024 };

/* Bytes that were taken from one side and not yet given to the other. */
struct flow {
    char data[RELAY_CHUNK];
    size_t at, len;
    bool ended;  /* the side that gives has ended */
    bool passed; /* and the side that takes was told */
};

/* All fields are the owner's to set: flows are zeroed, fd is non-blocking. */
struct relay {
    struct ssh *via;
    LIBSSH2_CHANNEL *channel;
    int fd;
    struct flow up, down; /* from fd into the channel, and back */
};

/* Moves what can be moved; *moved is set if anything was. ERR_NETWORK for the channel, ERR_SYSTEM for the
 * socket. */
int relay_move(struct relay *relay, bool *moved, struct sc_err *err) WARN_UNUSED;

/* Both sides have ended, and were told so. */
bool relay_done(const struct relay *relay);

/* Whether input from the server could be of use, and the poll(2) events of the socket that would be. */
bool relay_listens(const struct relay *relay);
short relay_events(const struct relay *relay);

/* Opens a direct-tcpip channel from the far end of the session to host:port. NULL: as libssh2 says; after
 * LIBSSH2_ERROR_EAGAIN it is called again, and nothing else is opened on the session meanwhile. */
LIBSSH2_CHANNEL *relay_open(struct ssh *via, const char *host, int port) WARN_UNUSED;

/* Fills err for a relay_open that failed for good, and returns -1. */
int relay_open_failed(struct ssh *via, const char *host, int port, struct sc_err *err);

#endif
