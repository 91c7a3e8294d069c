/* The inside of struct ssh: libssh2 in non-blocking mode, and the one way to wait for it.
 *
 * Every call that answers LIBSSH2_ERROR_EAGAIN is repeated after session_wait, until it answers something
 * else. libssh2 never sees a packet half sent: what the socket does not take at once waits in the outbox. (It
 * would insist on ending that packet first, by the very call that began it, and hang where that call is not
 * made again.) */
#ifndef SNAPCTL_SRC_NET_SESSION_H
#define SNAPCTL_SRC_NET_SESSION_H

#include <libssh2.h>
#include <stdint.h>

#include "snapctl/net/ssh.h"
#include "snapctl/net/tunnel.h"

enum { SESSION_WINDOW_NEAR = 2 << 20, SESSION_WINDOW_FAR = 4 << 20, SESSION_PACKET = 32768 };

struct ssh {
    LIBSSH2_SESSION *lib;
    int fd;
    char *name;            /* "rke@10.0.0.11:22", or with "bastion " before it */
    char *last_words;      /* what the server said when it hung up; NULL: nothing */
    struct tunnel *tunnel; /* what fd leads into; NULL: a socket of its own */
    bool agreed;           /* on algorithms, with the server */
    bool damaged;          /* what it sent */
    struct buf host_key;   /* that the first exchange of keys was signed with */
    bool authenticated;
    int64_t silence_max_ms;
    int64_t silent_ms; /* waited since the last byte from the server */
    unsigned reads;
    uint64_t received; /* bytes, as they came */
    struct buf outbox; /* bytes on their way to the socket, from outbox_at on */
    size_t outbox_at;
    bool closing;
    bool unusable; /* something was left half done in it */
};

/* Takes over fd and the tunnel (NULL: none). */
struct ssh *session_new(int fd, struct tunnel *tunnel, const char *name, int silence_ms) WARN_UNUSED;

/* How many bytes the server may send on a channel before they are asked for. A far one needs more on their
 * way; with as many on their way from a near one, sshd's buffers outgrow the caches, and it takes a quarter
 * more processor time. */
unsigned session_window(const struct ssh *ssh);

/* True when nothing waits to be sent: only then more data is given to libssh2. */
bool session_may_send(const struct ssh *ssh);

/* Waits until the last call that would block may go on. Asks a silent server for a sign of life; one that
 * gives none for silence_max_ms is dead (ERR_NETWORK). */
int session_wait(struct ssh *ssh, const struct ctx *ctx, struct sc_err *err) WARN_UNUSED;

/* Gives the server a sign of life if none went out for some seconds, as it may hang up on who is silent
 * (ClientAliveInterval): for those who read nothing for a while. Never waits; what is broken tells the next
 * who reads. */
void session_idle(struct ssh *ssh);

/* The parts of session_wait, for those who wait for more than the server: which poll(2) events to wait for
 * (besides POLLIN) and for how long at most, and what to do after elapsed milliseconds of it. */
short session_events(const struct ssh *ssh);
int64_t session_patience_ms(const struct ssh *ssh);
int session_waited(struct ssh *ssh, int revents, int64_t elapsed_ms, struct sc_err *err) WARN_UNUSED;

/* Turns the failure of a libssh2 call into an error: why the connection broke if it did, else what failed. */
int session_fail(const struct ssh *ssh, int rc, const char *what, struct sc_err *err);

/* The server has ended the connection. */
bool session_is_broken(const struct ssh *ssh);

/* Greets the server and agrees on keys; algorithms is the host key algorithms' order. *hung_up: the server
 * ended the connection before it greeted (it may have too many of them: try again). */
int session_handshake(struct ssh *ssh, const struct ctx *ctx, const char *algorithms, bool *hung_up,
                      struct sc_err *err) WARN_UNUSED;

/* If the error is a deadline of ours and not the caller's, says whose: "<what> took longer than 15 s". */
int session_explain_timeout(const struct ctx *outer, const char *what, int limit_ms, struct sc_err *err);

#endif
