#include "session.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "snapctl/base/str.h"

/* A quarter of the silence that is borne passes before each question. libssh2 keeps its own clock of
 * KEEPALIVE_S below that. */
enum { QUESTIONS = 4, KEEPALIVE_S = 2 };

/* The outbox holds a packet, and answers to what the server asks; one that asks without ever listening is not
 * served for ever. */
enum { READS_IN_A_ROW = 1024, OUTBOX_MAX = 4 << 20 };

/* A round trip in which the smaller window lets 400 MB/s through. */
enum { NEAR_US = 5000 };

#define CIPHERS "aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr"
#define MACS "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512"

/* What is offered, in this order, by what it costs node and client. No chacha20-poly1305: with one bit
 * changed on the way, libssh2 1.11.1 reads the same packet again for ever, and takes memory for it each time.
 * No certificates among the host key algorithms: libssh2 would fail on one. */
static const struct {
    int method;
    const char *names;
} preferences[] = {
    {LIBSSH2_METHOD_CRYPT_CS, CIPHERS},
    {LIBSSH2_METHOD_CRYPT_SC, CIPHERS},
    {LIBSSH2_METHOD_MAC_CS,   MACS   },
    {LIBSSH2_METHOD_MAC_SC,   MACS   },
    {LIBSSH2_METHOD_KEX,
     "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
     "diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,"
     "diffie-hellman-group14-sha256" },
};

static void set_preferences(struct ssh *ssh, const char *host_key_algorithms)
{
    for (size_t i = 0; i < sizeof preferences / sizeof *preferences; i++)
        libssh2_session_method_pref(ssh->lib, preferences[i].method, preferences[i].names);
    libssh2_session_method_pref(ssh->lib, LIBSSH2_METHOD_HOSTKEY, host_key_algorithms);
}

/* Later exchanges of keys keep to what the first one agreed on: libssh2 would give the state of the old
 * cipher to the functions of the new one. */
static void keep_agreement(struct ssh *ssh)
{
    static const int kept[] = {LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC, LIBSSH2_METHOD_MAC_CS,
                               LIBSSH2_METHOD_MAC_SC};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const char *name = libssh2_session_methods(ssh->lib, kept[i]);
        if (!name)
            return;
        /* GCM has a MAC of its own, under a name that libssh2 refuses here. */
        libssh2_session_method_pref(ssh->lib, kept[i], name);
    }
    ssh->agreed = true;
}

static void keep_last_words(LIBSSH2_SESSION *session, int reason, const char *message, int message_len,
                            const char *language, int language_len, void **abstract)
{
    (void)session;
    (void)reason;
    (void)language;
    (void)language_len;
    struct ssh *ssh = *abstract;
    free(ssh->last_words);
    ssh->last_words = message_len > 0 ? str_visible(message, (size_t)message_len, false) : NULL;
}

/* libssh2 reads until nothing is left, and would never come back from a server that sends without end. */
static ssize_t receive(libssh2_socket_t fd, void *data, size_t len, int flags, void **abstract)
{
    struct ssh *ssh = *abstract;
    if (ssh->closing)
        return -EPIPE;
    /* No keys are exchanged anew before the answer to the first agreement has come through here. */
    if (!ssh->agreed)
        keep_agreement(ssh);
    if (++ssh->reads % READS_IN_A_ROW == 0)
        return -EAGAIN;
    /* libssh2 waits for the rest of a packet that is larger than its buffer. */
    ssh->damaged |= len == 0;
    if (ssh->damaged)
        return -EMSGSIZE;
    ssize_t n = recv(fd, data, len, flags);
    if (n > 0) {
        ssh->silent_ms = 0;
        ssh->received += (uint64_t)n;
    }
    if (n < 0)
        return errno == EINTR || errno == EWOULDBLOCK ? -EAGAIN : -errno;
    return n;
}

/* What leads into a tunnel cannot tell how far it is. */
unsigned session_window(const struct ssh *ssh)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    bool near = getsockopt(ssh->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_rtt < NEAR_US;
    return near ? SESSION_WINDOW_NEAR : SESSION_WINDOW_FAR;
}

bool session_may_send(const struct ssh *ssh)
{
    return ssh->outbox.len == ssh->outbox_at;
}

/* A broken socket tells so to whoever reads from it next. */
static void flush(struct ssh *ssh)
{
    ssize_t n = 0;
    while (!session_may_send(ssh) && n >= 0) {
        n = send(ssh->fd, ssh->outbox.data + ssh->outbox_at, ssh->outbox.len - ssh->outbox_at, MSG_NOSIGNAL);
        if (n > 0)
            ssh->outbox_at += (size_t)n;
    }
    if (session_may_send(ssh)) {
        buf_reset(&ssh->outbox);
        ssh->outbox_at = 0;
    }
}

/* libssh2 has checked the signature by the time it answers. Of a later exchange it keeps the key that was
 * shown even where that fails, and goes on: whoever is in the middle shows the right one so. */
static void keep_host_key(struct ssh *ssh)
{
    size_t len = 0;
    int type;
    const char *key = libssh2_session_hostkey(ssh->lib, &len, &type);
    if (key)
        buf_append(&ssh->host_key, key, len);
}

static ssize_t post(libssh2_socket_t fd, const void *data, size_t len, int flags, void **abstract)
{
    struct ssh *ssh = *abstract;
    size_t sent = 0;
    if (ssh->closing)
        return -EPIPE;
    if (ssh->host_key.len == 0)
        keep_host_key(ssh);
    if (session_may_send(ssh)) {
        ssize_t n = send(fd, data, len, flags | MSG_NOSIGNAL);
        if (n < 0 && errno != EWOULDBLOCK && errno != EINTR)
            return -errno;
        sent = n > 0 ? (size_t)n : 0;
    }
    if (sent < len && !buf_append(&ssh->outbox, (const char *)data + sent, len - sent))
        return -ENOBUFS;
    return (ssize_t)len;
}

struct ssh *session_new(int fd, struct tunnel *tunnel, const char *name, int silence_ms)
{
    struct ssh *ssh = mem_calloc(1, sizeof *ssh);
    ssh->fd = fd;
    ssh->tunnel = tunnel;
    ssh->name = str_dup(name);
    ssh->silence_max_ms = silence_ms ? silence_ms : SSH_SILENCE_MS;
    ssh->lib = libssh2_session_init_ex(NULL, NULL, NULL, ssh);
    if (!ssh->lib)
        abort();
    libssh2_session_set_blocking(ssh->lib, 0);
    libssh2_keepalive_config(ssh->lib, 1, KEEPALIVE_S);
    ssh->outbox.max = OUTBOX_MAX;
    libssh2_session_callback_set2(ssh->lib, LIBSSH2_CALLBACK_SEND, (libssh2_cb_generic *)post);
    libssh2_session_callback_set2(ssh->lib, LIBSSH2_CALLBACK_RECV, (libssh2_cb_generic *)receive);
    libssh2_session_callback_set2(ssh->lib, LIBSSH2_CALLBACK_DISCONNECT,
                                  (libssh2_cb_generic *)keep_last_words);
    return ssh;
}

void ssh_close(struct ssh *ssh)
{
    if (!ssh)
        return;
    libssh2_session_disconnect(ssh->lib, "done");
    /* From here on nothing can block, so that open channels are freed without the server. */
    ssh->closing = true;
    libssh2_session_free(ssh->lib);
    shutdown(ssh->fd, SHUT_RDWR);
    close(ssh->fd);
    tunnel_close(ssh->tunnel);
    buf_free(&ssh->outbox);
    buf_free(&ssh->host_key);
    free(ssh->last_words);
    free(ssh->name);
    free(ssh);
}

short session_events(const struct ssh *ssh)
{
    return session_may_send(ssh) ? 0 : POLLOUT;
}

int64_t session_patience_ms(const struct ssh *ssh)
{
    int64_t quarter = ssh->silence_max_ms / QUESTIONS;
    return quarter - ssh->silent_ms % quarter;
}

int session_waited(struct ssh *ssh, int revents, int64_t elapsed_ms, struct sc_err *err)
{
    if (revents & POLLOUT)
        flush(ssh);
    /* The steps before have deadlines of their own. */
    if (revents & ~POLLOUT || !ssh->authenticated)
        return 0;
    ssh->silent_ms += elapsed_ms;
    if (ssh->silent_ms >= ssh->silence_max_ms) {
        AUTO_FREE char *limit = str_duration(ssh->silence_max_ms);
        return err_set(err, ERR_NETWORK, "the connection is dead: no sign of life from the server for %s",
                       limit);
    }
    if (!revents)
        session_idle(ssh);
    return 0;
}

void session_idle(struct ssh *ssh)
{
    int seconds;
    flush(ssh);
    if (session_may_send(ssh))
        libssh2_keepalive_send(ssh->lib, &seconds);
}

int session_wait(struct ssh *ssh, const struct ctx *ctx, struct sc_err *err)
{
    int64_t start = ctx_now_ms();
    int revents = ctx_wait(ctx, ssh->fd, POLLIN | session_events(ssh), session_patience_ms(ssh), err);
    if (revents < 0)
        return -1;
    return session_waited(ssh, revents, ctx_now_ms() - start, err);
}

bool session_is_broken(const struct ssh *ssh)
{
    char byte;
    ssize_t n = recv(ssh->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return ssh->last_words || n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static bool is_loss(int rc)
{
    return rc == LIBSSH2_ERROR_SOCKET_DISCONNECT || rc == LIBSSH2_ERROR_SOCKET_RECV ||
           rc == LIBSSH2_ERROR_SOCKET_SEND;
}

static bool is_damage(int rc)
{
    return rc == LIBSSH2_ERROR_INVALID_MAC || rc == LIBSSH2_ERROR_DECRYPT ||
           rc == LIBSSH2_ERROR_OUT_OF_BOUNDARY;
}

int session_fail(const struct ssh *ssh, int rc, const char *what, struct sc_err *err)
{
    char *message = NULL;
    if (ssh->tunnel && tunnel_check(ssh->tunnel, NULL, err) < 0)
        return -1;
    if (ssh->damaged || is_damage(rc))
        return err_set(err, ERR_NETWORK, "%s: what the server sent was changed on the way", what);
    if (is_loss(rc) || session_is_broken(ssh))
        return err_set(err, ERR_NETWORK, "%s: the server ended the connection%s%s", what,
                       ssh->last_words ? ": " : "", ssh->last_words ? ssh->last_words : "");
    libssh2_session_last_error(ssh->lib, &message, NULL, 0);
    return err_set(err, ERR_NETWORK, "%s: %s (libssh2 error %d)", what, message ? message : "unknown", rc);
}

int session_explain_timeout(const struct ctx *outer, const char *what, int limit_ms, struct sc_err *err)
{
    AUTO_FREE char *limit = str_duration(limit_ms);
    if (err->kind != ERR_TIMEOUT || ctx_check(outer, NULL) < 0)
        return err->kind == ERR_TIMEOUT || err->kind == ERR_CANCELLED ? err_wrap(err, "%s", what) : -1;
    return err_wrap(err, "%s took longer than %s", what, limit);
}

static const char *agreed_on(const struct ssh *ssh, int method)
{
    const char *name = libssh2_session_methods(ssh->lib, method);
    return name ? name : "unknown";
}

static void log_algorithms(const struct ssh *ssh, const struct ctx *ctx)
{
    const char *banner = libssh2_session_banner_get(ssh->lib);
    ctx_log(ctx, LOG_DEBUG, "%s: %s; key exchange %s, host key %s, cipher %s, MAC %s", ssh->name,
            banner ? banner : "", agreed_on(ssh, LIBSSH2_METHOD_KEX), agreed_on(ssh, LIBSSH2_METHOD_HOSTKEY),
            agreed_on(ssh, LIBSSH2_METHOD_CRYPT_SC), agreed_on(ssh, LIBSSH2_METHOD_MAC_SC));
}

/* Before the server greets, libssh2 keeps its last line of other text, which often tells why it hangs up
 * ("Exceeded MaxStartups", "Not allowed at this time"). */
static int no_greeting(const struct ssh *ssh, struct sc_err *err)
{
    const char *said = libssh2_session_banner_get(ssh->lib);
    AUTO_FREE char *visible = said ? str_visible(said, strlen(said), false) : NULL;
    if (ssh->tunnel && tunnel_check(ssh->tunnel, NULL, err) < 0)
        return -1;
    err_set(err, ERR_NETWORK, "the server ended the connection before it greeted%s%s%s",
            visible ? ": \"" : "", visible ? visible : "", visible ? "\"" : "");
    return err_hint(err,
                    "is that an SSH server? It may also have too many connections (MaxStartups), or have "
                    "locked this address out for a while (PerSourcePenalties, fail2ban)");
}

static int no_agreement(const struct ssh *ssh, int rc, struct sc_err *err)
{
    session_fail(ssh, rc, "no agreement on algorithms", err);
    return err_hint(
        err,
        "the server must offer one of ssh-ed25519, ecdsa-sha2-nistp*, rsa-sha2-* as host key, "
        "curve25519-sha256, ecdh-sha2-nistp* or diffie-hellman-group*-sha2 as key exchange, and "
        "aes128-gcm@openssh.com, aes256-gcm@openssh.com, or aes*-ctr with hmac-sha2-*, as cipher: ssh -vv "
        "shows what it has");
}

static bool greeted(const struct ssh *ssh)
{
    const char *banner = libssh2_session_banner_get(ssh->lib);
    return banner && str_starts(banner, "SSH-");
}

static int no_answer(const struct ssh *ssh, const struct ctx *ctx, struct sc_err *err)
{
    session_explain_timeout(ctx, greeted(ssh) ? "the SSH handshake" : "waiting for the SSH server's greeting",
                            SSH_HANDSHAKE_MS, err);
    if (err->kind != ERR_TIMEOUT)
        return -1;
    return err_hint(
        err,
        "the host takes connections, but its SSH server does not answer: is it overloaded, or does it hang?");
}

int session_handshake(struct ssh *ssh, const struct ctx *ctx, const char *algorithms, bool *hung_up,
                      struct sc_err *err)
{
    struct ctx limit = ctx_within(ctx, SSH_HANDSHAKE_MS);
    set_preferences(ssh, algorithms);
    int rc;
    while ((rc = libssh2_session_handshake(ssh->lib, ssh->fd)) == LIBSSH2_ERROR_EAGAIN)
        if (session_wait(ssh, &limit, err) < 0)
            return no_answer(ssh, ctx, err);
    *hung_up = rc && !greeted(ssh);
    if (*hung_up)
        return no_greeting(ssh, err);
    if (rc == LIBSSH2_ERROR_KEX_FAILURE || rc == LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE ||
        rc == LIBSSH2_ERROR_METHOD_NONE)
        return no_agreement(ssh, rc, err);
    if (rc)
        return session_fail(ssh, rc, "the SSH handshake", err);
    log_algorithms(ssh, ctx);
    return 0;
}
