/* Any text as known_hosts: what a line says must not depend on how often it is asked, and a revoked key is
 * never a match. The input's first line is the host's name. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/net/known_hosts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char blob[] = "\0\0\0\013ssh-ed25519\0\0\0\040AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/* Whatever other lines say. */
static void revoke(struct known_hosts *kh, const char *host)
{
    static const char line[] = "@revoked * ssh-ed25519 "
                               "AAAAC3NzaC1lZDI1NTE5AAAAIEFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\n";
    known_hosts_parse(kh, "revoked", line, sizeof line - 1, NULL);
    if (known_hosts_check(kh, host, 22, blob, sizeof blob - 1).verdict != KNOWN_HOSTS_REVOKED)
        abort();
}

static void check(const struct known_hosts *kh, const char *host, int port)
{
    struct known_hosts_answer first = known_hosts_check(kh, host, port, blob, sizeof blob - 1);
    struct known_hosts_answer second = known_hosts_check(kh, host, port, blob, sizeof blob - 1);
    if (first.verdict != second.verdict || first.line != second.line)
        abort();
    if ((first.verdict == KNOWN_HOSTS_UNKNOWN) != (first.file == NULL))
        abort();
    AUTO_FREE char *algorithms = known_hosts_algorithms(kh, host, port);
    if (!strstr(algorithms, "ssh-ed25519") || strlen(algorithms) != strlen("ssh-ed25519,ecdsa-sha2-nistp256,"
                                                                           "ecdsa-sha2-nistp384,"
                                                                           "ecdsa-sha2-nistp521,rsa-sha2-512,"
                                                                           "rsa-sha2-256"))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *newline = size ? memchr(text, '\n', size) : NULL;
    size_t host_len = newline ? (size_t)(newline - text) : 0;
    AUTO_FREE char *host = str_format("h%.*s", (int)(host_len < 256 ? host_len : 256), newline ? text : "");
    struct known_hosts *kh = known_hosts_new();
    size_t skip = newline ? host_len + 1 : 0;
    known_hosts_parse(kh, "fuzz", size ? text + skip : "", size - skip, NULL);
    check(kh, host, 22);
    check(kh, host, 2222);
    revoke(kh, host);
    known_hosts_free(kh);
    return 0;
}
