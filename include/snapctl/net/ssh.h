/* SSH to one host: connect, know the host, authenticate, run commands.
 *
 * A session, its channels and its agent connection belong to one thread. All waits poll {socket, cancel,
 * deadline}; a peer that is silent for longer than SSH_SILENCE_MS, asked by keepalives, is dead
 * (ERR_NETWORK). Call ssh_init once before any thread. */
#ifndef SNAPCTL_NET_SSH_H
#define SNAPCTL_NET_SSH_H

#include <stdbool.h>
#include <stddef.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/ctx.h"
#include "snapctl/base/err.h"
#include "snapctl/base/stream.h"
#include "snapctl/net/known_hosts.h"
#include "snapctl/net/ssh_key.h"

enum {
    SSH_RESOLVE_MS = 10000,
    SSH_CONNECT_MS = 10000,
    SSH_HANDSHAKE_MS = 15000,
    SSH_AUTH_MS = 20000,
    SSH_SILENCE_MS = 20000,
    SSH_UNAUTHENTICATED_MAX = 8, /* sshd's MaxStartups drops connections from the tenth on */
};

/* Whom to dial and as whom. Plain parameters; everything outlives the session. */
struct ssh_host {
    const char *address; /* name, IPv4 or IPv6 address without brackets */
    int port;
    const char *user;
    const struct ssh_key *key; /* NULL: agent only; ignored when agent_socket is set */
    const char *agent_socket;  /* its path; NULL: no agent. The first 5 usable keys are tried. */
};

enum host_key_mode { HOST_KEY_ASK, HOST_KEY_ACCEPT_NEW, HOST_KEY_STRICT, HOST_KEY_OFF };

/* An unknown host, to be decided by a person. */
struct host_key_question {
    const char *address;
    int port;
    const char *type;        /* "ssh-ed25519" */
    const char *fingerprint; /* "SHA256:…" */
};

/* What all sessions of a run share. Thread-safe. Changed and revoked keys, and other types of key of a known
 * host, are refused in every mode. */
struct ssh_policy {
    enum host_key_mode mode;
    const struct known_hosts *known; /* never NULL */
    const char *known_hosts_file;    /* where accepted keys are appended; NULL: nowhere */
    /* Mode ask: returns true to trust. Called in the session's thread and may block, within ctx; NULL: nobody
     * can be asked, so unknown hosts are refused. */
    bool (*confirm)(void *arg, const struct ctx *ctx, const struct host_key_question *question);
    void *arg;
    struct ssh_gate *bastion_gate; /* limits unauthenticated connections to the bastion; NULL: no limit */
    int silence_ms;                /* in place of SSH_SILENCE_MS; 0: that */
};

/* A counting gate of SSH_UNAUTHENTICATED_MAX places. */
struct ssh_gate;
struct ssh_gate *ssh_gate_new(void) WARN_UNUSED;
void ssh_gate_free(struct ssh_gate *gate);

void ssh_init(void);
void ssh_exit(void);

/* "libssh2/1.11.1", for --version. */
const char *ssh_library_version(void);

struct ssh;

/* Connects to host, through bastion unless that is NULL (its host key is checked by the same policy). "Failed
 * getting banner" is tried again with jitter, within SSH_CONNECT_MS. Errors, each naming user@host:port and,
 * behind a bastion, which of the two failed: ERR_NETWORK, ERR_TIMEOUT, ERR_HOST_KEY (hint: the remedy to
 * copy, e.g. the ssh-keyscan or ssh-keygen -R line), ERR_AUTH (which key and method was tried and what the
 * server would accept), ERR_CANCELLED. */
int ssh_connect(const struct ctx *ctx, const struct ssh_policy *policy, const struct ssh_host *host,
                const struct ssh_host *bastion, struct ssh **out, struct sc_err *err) WARN_UNUSED;

/* Ends at once, without waiting for the peer. NULL is allowed. */
void ssh_close(struct ssh *ssh);

struct ssh_output {
    int status;     /* exit status; 128 + n is never made up: a remote signal is an error */
    struct buf out; /* capped by out.max, which the caller may set; truncated tells */
    struct buf err; /* stderr, capped at 64 KiB: its end is kept in full lines where it is longer */
};
void ssh_output_free(struct ssh_output *output);

/* Runs a command line, feeding it input (NULL: none; then EOF), and collects what it prints. A status other
 * than 0 is no error here. -1: ERR_NETWORK if the connection broke or the command was killed (then it is
 * unknown what it did), ERR_TIMEOUT, ERR_CANCELLED. After -1 only ssh_close is allowed. */
int ssh_run(struct ssh *ssh, const struct ctx *ctx, const char *command, struct source *input,
            struct ssh_output *output, struct sc_err *err) WARN_UNUSED;

/* Runs a command line and gives its standard output as a source: its end of data is reported only after EOF,
 * close, exit status 0 and no signal. Otherwise the read fails: ERR_DOCKER with the end of stderr as reason
 * if the command ended with another status (what was read is not whole, which says nothing against the rest,
 * and the session can be used on), ERR_TIMEOUT if nothing came for SSH_STREAM_STALL_MS, else as ssh_run. One
 * stream at a time on a session. Window: 4 MiB. */
enum { SSH_STREAM_STALL_MS = 60000 };
struct ssh_stream;
int ssh_stream_open(struct ssh *ssh, const struct ctx *ctx, const char *command, struct ssh_stream **out,
                    struct sc_err *err) WARN_UNUSED;
struct source *ssh_stream_source(struct ssh_stream *stream);

/* One that was not read to its end is broken off; within the ctx of its opening, and 5 s at most, what is on
 * its way is dropped. If that fails, later commands on the session do (ERR_NETWORK). NULL is allowed. */
void ssh_stream_close(struct ssh_stream *stream);

#endif
