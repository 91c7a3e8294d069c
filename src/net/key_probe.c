#include "key_probe.h"

#include <errno.h>
#include <libssh2.h>
#include <string.h>

#include "wire.h"

enum {
    PACKET_START = 5
}; /* length and padding length (RFC 4253, section 6), in the clear before a key exchange */

/* libssh2 has no call that only reads a key. But before it signs, it sends the public part to the server to
 * ask whether that would do; here the server is this function, which keeps the question and hangs up. */
static ssize_t keep_question(libssh2_socket_t socket, const void *data, size_t len, int flags,
                             void **abstract)
{
    (void)socket;
    (void)flags;
    struct buf *question = *abstract;
    buf_append(question, data, len);
    return -EPIPE;
}

static ssize_t hang_up(libssh2_socket_t socket, void *data, size_t len, int flags, void **abstract)
{
    (void)socket;
    (void)data;
    (void)len;
    (void)flags;
    (void)abstract;
    return -EPIPE;
}

/* SSH_MSG_USERAUTH_REQUEST of RFC 4252, section 7: user, service, method, FALSE, algorithm, blob. */
static bool read_question(const struct buf *question, struct buf *blob)
{
    const size_t type = 1, has_signature = 1;
    struct wire w = {(const unsigned char *)question->data, question->len}, public;
    return wire_skip_bytes(&w, PACKET_START + type) && wire_skip_strings(&w, 3) &&
           wire_skip_bytes(&w, has_signature) && wire_skip_strings(&w, 1) && wire_string(&w, &public) &&
           buf_append(blob, public.at, public.left);
}

bool key_probe(const struct secret *pem, const char *passphrase, struct buf *blob)
{
    static const char nobody[] = "nobody";
    AUTO_BUF struct buf question = {0};
    LIBSSH2_SESSION *session = libssh2_session_init_ex(NULL, NULL, NULL, &question);
    if (!session)
        return false;
    libssh2_session_callback_set2(session, LIBSSH2_CALLBACK_SEND, (libssh2_cb_generic *)keep_question);
    libssh2_session_callback_set2(session, LIBSSH2_CALLBACK_RECV, (libssh2_cb_generic *)hang_up);
    int rc = libssh2_userauth_publickey_frommemory(session, nobody, strlen(nobody), NULL, 0, secret_data(pem),
                                                   secret_len(pem), passphrase);
    libssh2_session_free(session);
    return rc == LIBSSH2_ERROR_SOCKET_SEND && read_question(&question, blob);
}
