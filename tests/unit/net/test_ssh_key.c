#include "sshd.h"

#include "../../../src/net/key.h"
#include "../../../src/net/wire.h"

/* Every form of private key, made by ssh-keygen and openssl. */
static const struct {
    const char *file, *make, *type, *passphrase;
} forms[] = {
    {"rsa",           "ssh-keygen -q -t rsa -b 2048 -N '' -f rsa",                                       "ssh-rsa",             NULL   },
    {"rsa.pem",       "ssh-keygen -q -t rsa -b 2048 -m PEM -N '' -f rsa.pem",                            "ssh-rsa",             NULL   },
    {"rsa.p8",        "ssh-keygen -q -t rsa -b 2048 -m PKCS8 -N '' -f rsa.p8",                           "ssh-rsa",             NULL   },
    {"ec256",         "ssh-keygen -q -t ecdsa -b 256 -N '' -f ec256",                                    "ecdsa-sha2-nistp256", NULL   },
    {"ec384",         "ssh-keygen -q -t ecdsa -b 384 -N '' -f ec384",                                    "ecdsa-sha2-nistp384", NULL   },
    {"ec521",         "ssh-keygen -q -t ecdsa -b 521 -N '' -f ec521",                                    "ecdsa-sha2-nistp521", NULL   },
    {"ec.pem",        "ssh-keygen -q -t ecdsa -b 256 -m PEM -N '' -f ec.pem",                            "ecdsa-sha2-nistp256", NULL   },
    {"ec.p8",         "ssh-keygen -q -t ecdsa -b 384 -m PKCS8 -N '' -f ec.p8",                           "ecdsa-sha2-nistp384", NULL   },
    {"ed",            "ssh-keygen -q -t ed25519 -N '' -f ed",                                            "ssh-ed25519",         NULL   },
    {"ed.p8",         "openssl genpkey -algorithm ed25519 -out ed.p8",                                   "ssh-ed25519",         NULL   },
    {"rsa.enc",       "ssh-keygen -q -t rsa -b 2048 -N horse -f rsa.enc",                                "ssh-rsa",             "horse"},
    {"rsa.pem.enc",   "ssh-keygen -q -t rsa -b 2048 -m PEM -N horse -f rsa.pem.enc",                     "ssh-rsa",             "horse"},
    {"rsa.p8.enc",    "ssh-keygen -q -t rsa -b 2048 -m PKCS8 -N horse -f rsa.p8.enc",                    "ssh-rsa",             "horse"},
    {"ec.enc",        "ssh-keygen -q -t ecdsa -b 256 -N horse -f ec.enc",                                "ecdsa-sha2-nistp256", "horse"},
    {"ec.pem.enc",    "ssh-keygen -q -t ecdsa -b 256 -m PEM -N horse -f ec.pem.enc",                     "ecdsa-sha2-nistp256",
     "horse"                                                                                                                           },
    {"ec.p8.enc",     "ssh-keygen -q -t ecdsa -b 521 -m PKCS8 -N horse -f ec.p8.enc",                    "ecdsa-sha2-nistp521",
     "horse"                                                                                                                           },
    {"ed.enc",        "ssh-keygen -q -t ed25519 -N horse -f ed.enc",                                     "ssh-ed25519",         "horse"},
    {"ed.enc.cbc",    "ssh-keygen -q -t ed25519 -N horse -Z aes256-cbc -f ed.enc.cbc",                   "ssh-ed25519",         "horse"},
    {"ed.enc.gcm",    "ssh-keygen -q -t ed25519 -N horse -Z aes256-gcm@openssh.com -f ed.enc.gcm",       "ssh-ed25519",
     "horse"                                                                                                                           },
    {"ed.enc.rounds", "ssh-keygen -q -t ed25519 -N horse -a 100 -f ed.enc.rounds",                       "ssh-ed25519",         "horse"},
    {"ed.p8.enc",     "openssl genpkey -algorithm ed25519 -aes-256-cbc -pass pass:horse -out ed.p8.enc",
     "ssh-ed25519",                                                                                                             "horse"},
};

enum { N_FORMS = sizeof forms / sizeof *forms };

static int make_keys(void **state)
{
    char *folder = keys_make();
    *state = folder;
    ssh_init();
    for (size_t i = 0; i < N_FORMS; i++)
        shell_in(folder, "%s", forms[i].make);
    shell_in(
        folder,
        "for k in rsa ec256 ed; do ssh-keygen -q -s ca -I test -n alice,bob -V 20200101000000Z:20300101000000Z "
        "$k.pub; done; ssh-keygen -q -s ca -h -I host -n h hk_ed25519.pub");
    return 0;
}

static int remove_keys(void **state)
{
    folder_remove(*state);
    ssh_exit();
    return 0;
}

/* The public key as ssh-keygen has it, where it made the key. */
static void assert_public(const char *folder, const char *name, const struct ssh_key *key)
{
    AUTO_FREE char *path = str_format("%s/%s.pub", folder, name), *file = str_format("%s.pub", name);
    if (access(path, F_OK) < 0)
        return;
    AUTO_SECRET struct secret *public = read_secret(folder, file);
    if (!str_starts(secret_data(public), key_public_line(key)))
        fail_msg("%s: %s", name, key_public_line(key));
}

static void every_form_is_read(void **state)
{
    for (size_t i = 0; i < N_FORMS; i++) {
        struct ssh_key *key = read_key(*state, forms[i].file, NULL, forms[i].passphrase);
        assert_string_equal(ssh_key_type(key), forms[i].type);
        assert_string_equal(ssh_key_label(key), forms[i].file);
        assert_string_equal(key_passphrase(key), forms[i].passphrase ? forms[i].passphrase : "");
        assert_false(ssh_key_locked(key));
        assert_public(*state, forms[i].file, key);
        ssh_key_free(key);
    }
}

static int try_new(const char *text, const char *certificate, struct ssh_key **key, struct sc_err *err)
{
    AUTO_SECRET struct secret *pem = secret_new(text, strlen(text));
    return ssh_key_new("LABEL", pem, certificate, key, err);
}

static void a_wrong_passphrase_leaves_the_key_locked(void **state)
{
    AUTO_SECRET struct secret *wrong = secret_new("donkey", 6), *none = secret_new("", 0),
                              *right = secret_new("horse", 5);
    for (size_t i = 0; i < N_FORMS; i++) {
        if (!forms[i].passphrase)
            continue;
        AUTO_SECRET struct secret *pem = read_secret(*state, forms[i].file);
        struct ssh_key *key;
        AUTO_ERR struct sc_err err = {0};
        assert_int_equal(ssh_key_new(forms[i].file, pem, NULL, &key, &err), 0);
        assert_true(ssh_key_locked(key));
        assert_int_equal(ssh_key_unlock(key, wrong, &err), -1);
        assert_int_equal(err.kind, ERR_AUTH);
        assert_contains(err.text, forms[i].file);
        assert_int_equal(ssh_key_unlock(key, none, &err), -1);
        assert_true(ssh_key_locked(key));
        assert_int_equal(ssh_key_unlock(key, right, &err), 0);
        assert_int_equal(ssh_key_unlock(key, wrong, &err), 0);
        ssh_key_free(key);
    }
}

static void a_locked_key_of_openssh_tells_its_type(void **state)
{
    AUTO_SECRET struct secret *open = read_secret(*state, "ec.enc"),
                              *closed = read_secret(*state, "ec.p8.enc");
    struct ssh_key *key;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(ssh_key_new("k", open, NULL, &key, &err), 0);
    assert_string_equal(ssh_key_type(key), "ecdsa-sha2-nistp256");
    ssh_key_free(key);
    assert_int_equal(ssh_key_new("k", closed, NULL, &key, &err), 0);
    assert_string_equal(ssh_key_type(key), "type unknown until unlocked");
    ssh_key_free(key);
}

/* As YAML block scalars, editors and Windows leave it. */
static void white_space_around_and_line_ends_do_not_matter(void **state)
{
    static const char *const edits[] = {
        "sed 's/$/\\r/'",
        "sed 's/^/    /'",
        "sed 's/$/   /'",
        "(printf '\\n\\n# mine\\n'; cat)",
        "(cat; printf '\\nmore\\n')",
        "(printf '%s' \"$(cat)\")",
        "awk '/-----|:/ || !NF {if (t) print t; t = \"\"; print; next} {t = t $0}'",
        "awk '/-----|:/ || !NF {print; next} {print substr($0, 1, 20); print substr($0, 21)}'",
    };
    static const char *const files[] = {"ed", "rsa", "rsa.pem", "rsa.p8", "rsa.enc", "rsa.pem.enc"};
    for (size_t e = 0; e < sizeof edits / sizeof *edits; e++)
        for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
            shell_in(*state, "cat %s | %s | cat >edited", files[f], edits[e]);
            struct ssh_key *key = read_key(*state, "edited", NULL, strstr(files[f], "enc") ? "horse" : NULL);
            assert_public(*state, files[f], key);
            ssh_key_free(key);
        }
}

static void the_key_is_found_behind_other_blocks(void **state)
{
    shell_in(
        *state,
        "openssl ecparam -name prime256v1 -genkey -out params; grep -q 'EC PARAMETERS' params; "
        "(printf -- '-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n'; cat ed) >chain");
    ssh_key_free(read_key(*state, "params", NULL, NULL));
    ssh_key_free(read_key(*state, "chain", NULL, NULL));
}

static void what_is_no_private_key_is_told_apart(void **state)
{
    static const struct {
        const char *text, *what;
    } cases[] = {
        {"",                                                                                                   "is empty"               },
        {"\n \n",                                                                                              "is empty"               },
        {"hello",                                                                                              "is no private key"      },
        {"ssh-ed25519 AAAA me",                                                                                "is a public key"        },
        {"ecdsa-sha2-nistp256 AAAA",                                                                           "is a public key"        },
        {"\n ssh-rsa AAAA me",                                                                                 "is a public key"        },
        {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",                                       "is a public key"        },
        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",                                     "is an X.509 certificate"},
        {"PuTTY-User-Key-File-3: ssh-ed25519\n",                                                               "is a PuTTY key"         },
        {"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n",                                                       "ssh.com"                },
        {"-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n",                             "is a DSA key"           },
        {"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n",                                                            "is cut off"             },
        {"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",                              "is cut off"             },
        {"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",                             "is damaged"             },
        {"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",                                           "is damaged"             },
        {"-----BEGIN OPENSSH PRIVATE KEY-----\n!!!!\n-----END OPENSSH PRIVATE KEY-----\n",                     "not base64"             },
        {"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",                     "does not begin"         },
        {"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
         "ends too early"                                                                                                               },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ssh_key *key;
        AUTO_ERR struct sc_err err = {0};
        assert_int_equal(try_new(cases[i].text, NULL, &key, &err), -1);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_contains(err.text, "private key LABEL: ");
        assert_contains(err.text, cases[i].what);
    }
}

static void a_damaged_key_is_refused(void **state)
{
    AUTO_SECRET struct secret *pem = read_secret(*state, "ed");
    AUTO_FREE char *text = str_dup(secret_data(pem));
    size_t refused = 0, len = strlen(text);
    for (size_t i = 40; i < len - 40; i++) {
        char was = text[i];
        if (was == '\n')
            continue;
        text[i] = was == 'A' ? 'B' : 'A';
        struct ssh_key *key;
        AUTO_ERR struct sc_err err = {0};
        if (try_new(text, NULL, &key, &err) == 0)
            ssh_key_free(key);
        else
            refused++;
        text[i] = was;
    }
    assert_true(refused > len / 4);
}

/* A container whose key derivation would take days. */
static void too_many_rounds_are_refused(void **state)
{
    static const char begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----",
                      end[] = "-----END OPENSSH PRIVATE KEY-----";
    (void)state;
    AUTO_BUF struct buf options = {0}, key = {0};
    wire_put_string(&options, "salt", 4);
    wire_put_u32(&options, 0x7fffffff);
    buf_append(&key, "openssh-key-v1", sizeof "openssh-key-v1");
    wire_put_string(&key, "aes256-ctr", 10);
    wire_put_string(&key, "bcrypt", 6);
    wire_put_string(&key, options.data, options.len);
    wire_put_u32(&key, 1);
    wire_put_string(&key, "public", 6);
    wire_put_string(&key, "private", 7);
    AUTO_FREE char *base64 = wire_to_base64(key.data, key.len);
    AUTO_FREE char *text = str_format("%s\n%s\n%s\n", begin, base64, end);
    struct ssh_key *unused;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(try_new(text, NULL, &unused, &err), -1);
    assert_contains(err.text, "2147483647 rounds");
}

static void certificates_go_with_their_keys(void **state)
{
    static const struct {
        const char *key, *type;
    } cases[] = {
        {"rsa",   "ssh-rsa-cert-v01@openssh.com"            },
        {"ec256", "ecdsa-sha2-nistp256-cert-v01@openssh.com"},
        {"ed",    "ssh-ed25519-cert-v01@openssh.com"        },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_FREE char *certificate = str_format("%s-cert.pub", cases[i].key);
        struct ssh_key *key = read_key(*state, cases[i].key, certificate, NULL);
        assert_string_equal(ssh_key_type(key), cases[i].type);
        AUTO_SECRET struct secret *text = read_secret(*state, certificate);
        assert_true(str_starts(secret_data(text), key_public_line(key)));
        ssh_key_free(key);
    }
}

static void strange_certificates_are_refused(void **state)
{
    static const struct {
        const char *key, *certificate, *what;
    } cases[] = {
        {"ed",     "ec256-cert.pub",      "does not belong to its certificate"},
        {"ed.enc", "ed-cert.pub",         "does not belong to its certificate"},
        {"ed",     "hk_ed25519-cert.pub", "is a host's certificate"           },
        {"ed",     "ed.pub",              "is no OpenSSH certificate"         },
        {"ed",     "ed",                  "is no OpenSSH certificate"         },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_SECRET struct secret *pem = read_secret(*state, cases[i].key),
                                  *text = read_secret(*state, cases[i].certificate);
        struct ssh_key *key;
        AUTO_ERR struct sc_err err = {0};
        assert_int_equal(ssh_key_new("k", pem, secret_data(text), &key, &err), -1);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_contains(err.text, cases[i].what);
    }
}

/* A locked PEM key shows its public part only once it is open. */
static void a_foreign_certificate_is_noticed_when_unlocking(void **state)
{
    AUTO_SECRET struct secret *pem = read_secret(*state, "rsa.pem.enc"),
                              *text = read_secret(*state, "rsa-cert.pub");
    AUTO_SECRET struct secret *right = secret_new("horse", 5);
    struct ssh_key *key;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(ssh_key_new("k", pem, secret_data(text), &key, &err), 0);
    assert_int_equal(ssh_key_unlock(key, right, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_true(ssh_key_locked(key));
    ssh_key_free(key);
}

static void a_certificate_tells_why_it_would_fail(void **state)
{
    static const struct {
        const char *user;
        int64_t now;
        const char *problem;
    } cases[] = {
        {"alice", 1700000000, NULL                                                         },
        {"bob",   1700000000, NULL                                                         },
        {"carol", 1700000000, "the certificate is for alice, bob and not for carol"        },
        {"alice", 1893456000, "the certificate expired on 2030-01-01 00:00:00 UTC"         },
        {"alice", 1577836799, "the certificate is not valid before 2020-01-01 00:00:00 UTC"},
    };
    struct ssh_key *key = read_key(*state, "ed", "ed-cert.pub", NULL),
                   *plain = read_key(*state, "ed", NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_FREE char *problem = key_certificate_problem(key, cases[i].user, cases[i].now);
        assert_true(str_equal(problem, cases[i].problem));
    }
    assert_null(key_certificate_problem(plain, "alice", 0));
    ssh_key_free(key);
    ssh_key_free(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_read),
        cmocka_unit_test(a_wrong_passphrase_leaves_the_key_locked),
        cmocka_unit_test(a_locked_key_of_openssh_tells_its_type),
        cmocka_unit_test(white_space_around_and_line_ends_do_not_matter),
        cmocka_unit_test(the_key_is_found_behind_other_blocks),
        cmocka_unit_test(what_is_no_private_key_is_told_apart),
        cmocka_unit_test(a_damaged_key_is_refused),
        cmocka_unit_test(too_many_rounds_are_refused),
        cmocka_unit_test(certificates_go_with_their_keys),
        cmocka_unit_test(strange_certificates_are_refused),
        cmocka_unit_test(a_foreign_certificate_is_noticed_when_unlocking),
        cmocka_unit_test(a_certificate_tells_why_it_would_fail),
    };
    return cmocka_run_group_tests(tests, make_keys, remove_keys);
}
