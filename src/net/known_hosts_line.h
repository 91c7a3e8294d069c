/* One line of a known_hosts file, and whether it names a host (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
#ifndef SNAPCTL_SRC_NET_KNOWN_HOSTS_LINE_H
#define SNAPCTL_SRC_NET_KNOWN_HOSTS_LINE_H

#include "snapctl/base/buf.h"

enum known_hosts_line_kind {
    KNOWN_HOSTS_LINE_EMPTY, /* nothing, or a comment */
    KNOWN_HOSTS_LINE_PLAIN,
    KNOWN_HOSTS_LINE_REVOKED,
    KNOWN_HOSTS_LINE_AUTHORITY,
    KNOWN_HOSTS_LINE_BAD,
};

struct known_hosts_line {
    enum known_hosts_line_kind kind;
    char *hosts; /* patterns with commas between, lower case; or one hashed name as it stands */
    char *type;  /* of the key, within the blob */
    struct buf blob;
};

/* Parses the line, without its newline. hosts, type and blob are set for PLAIN and REVOKED only; for BAD,
 * *why tells what is wrong with it. */
struct known_hosts_line known_hosts_line_parse(const char *text, size_t len, const char **why);
void known_hosts_line_free(struct known_hosts_line *line);

/* name is "host" or "[host]:port", lower case. */
bool known_hosts_line_matches(const struct known_hosts_line *line, const char *name);

#endif
