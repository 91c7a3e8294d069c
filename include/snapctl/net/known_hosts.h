/* known_hosts as sshd(8) describes it, section SSH_KNOWN_HOSTS FILE FORMAT.
 *
 * libssh2's own reader is not used: it lets a plain line win over @revoked, takes another key type of a known
 * host for a new host, matches no wildcards, and stops at the first bad line. */
#ifndef SNAPCTL_NET_KNOWN_HOSTS_H
#define SNAPCTL_NET_KNOWN_HOSTS_H

#include <stddef.h>

#include "snapctl/base/err.h"
#include "snapctl/base/log.h"

struct known_hosts;

enum known_hosts_verdict {
    KNOWN_HOSTS_MATCH,
    KNOWN_HOSTS_UNKNOWN, /* no line names the host */
    KNOWN_HOSTS_OTHER,   /* the host is known, with other key types only */
    KNOWN_HOSTS_CHANGED, /* the host is known with another key of this type */
    KNOWN_HOSTS_REVOKED,
};

struct known_hosts_answer {
    enum known_hosts_verdict verdict;
    const char *file; /* the line that decided; NULL for UNKNOWN. Belongs to the known_hosts. */
    size_t line;
};

/* Reads each of the n files; one that does not exist is skipped, one that cannot be read is an error
 * (ERR_CONFIG). Bad lines and @cert-authority lines are skipped with a note in the log. At most 16 MiB and
 * 100,000 lines a file. */
int known_hosts_load(const char *const *files, size_t n, struct log *log, struct known_hosts **out,
                     struct sc_err *err) WARN_UNUSED;
/* The same from memory, for tests and fuzzers. */
void known_hosts_parse(struct known_hosts *kh, const char *label, const char *text, size_t len,
                       struct log *log);
struct known_hosts *known_hosts_new(void) WARN_UNUSED;
void known_hosts_free(struct known_hosts *kh);

/* Asks for the key blob (RFC 4253, section 6.6) of a host as it was dialled. On another port than 22, a line
 * without a port may vouch for the key or revoke it, as for ssh. Thread-safe. */
struct known_hosts_answer known_hosts_check(const struct known_hosts *kh, const char *host, int port,
                                            const void *blob, size_t blob_len);

/* The host key algorithms to offer, as libssh2's METHOD_HOSTKEY wants them: those of the types known for the
 * host first, then the rest. Without certificates: libssh2 has none. The caller frees it. */
char *known_hosts_algorithms(const struct known_hosts *kh, const char *host, int port) WARN_UNUSED;

/* "host" or "[host]:port" (port other than 22), lower case. The caller frees it. */
char *known_hosts_name(const char *host, int port) WARN_UNUSED;

/* Appends a line for the key to the file, made with mode 0600 (its folder 0700) if it is not there. Safe
 * beside other threads and programs: under a lock, the file is read again. A key that it has by now is not
 * added twice; ERR_HOST_KEY if it now speaks against the key, ERR_SYSTEM if it cannot be written. */
int known_hosts_add(const char *file, const char *host, int port, const void *blob, size_t blob_len,
                    struct sc_err *err) WARN_UNUSED;

/* "SHA256:<base64 without padding>", as ssh-keygen -l prints it; and the key's type name within the blob
 * ("ssh-ed25519"), NULL if the blob is none. The caller frees both. */
char *known_hosts_fingerprint(const void *blob, size_t blob_len) WARN_UNUSED;
char *known_hosts_key_type(const void *blob, size_t blob_len) WARN_UNUSED;

#endif
