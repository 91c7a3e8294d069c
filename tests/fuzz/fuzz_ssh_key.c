/* Any text as a private key; behind a NUL, any text as its certificate. What is accepted can be offered. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/net/key.h"
#include "snapctl/base/str.h"
#include "snapctl/net/ssh.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libssh2 1.11.1 forgets some memory where a key is broken. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:_libssh2_calloc\nleak:libssh2.so\n";
}

static void use(struct ssh_key *key)
{
    AUTO_SECRET struct secret *passphrase = secret_new("horse", 5);
    AUTO_ERR struct sc_err err = {0};
    if (ssh_key_unlock(key, passphrase, &err) < 0 && (!err.text || !ssh_key_locked(key)))
        abort();
    if (!ssh_key_locked(key) &&
        (!key_public_line(key) || !str_starts(key_public_line(key), ssh_key_type(key))))
        abort();
    free(key_fingerprint(key));
    free(key_certificate_problem(key, "alice", 1700000000));
    ssh_key_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int started;
    if (!started++)
        ssh_init();
    const char *text = (const char *)data;
    const char *end = size ? memchr(text, '\0', size) : NULL;
    AUTO_FREE char *certificate = end ? str_dup_n(end + 1, size - (size_t)(end + 1 - text)) : NULL;
    AUTO_SECRET struct secret *pem = secret_new(text, end ? (size_t)(end - text) : size);
    struct ssh_key *key;
    AUTO_ERR struct sc_err err = {0};
    if (ssh_key_new("key", pem, certificate, &key, &err) == 0)
        use(key);
    else if (!err.text || strncmp(err.text, "private key key: ", 17) != 0)
        abort();
    return 0;
}
