#include "sshd.h"

/* Every form of key and certificate, and the agent, against a real server. */
static const struct {
    const char *file, *make, *passphrase;
    bool certificate; /* the server knows the authority, not the key */
} keys[] = {
    {"rsa",         "ssh-keygen -q -t rsa -b 2048 -N '' -f rsa",                                       NULL,    false},
    {"rsa.pem",     "ssh-keygen -q -t rsa -b 2048 -m PEM -N '' -f rsa.pem",                            NULL,    false},
    {"rsa.p8",      "ssh-keygen -q -t rsa -b 2048 -m PKCS8 -N '' -f rsa.p8",                           NULL,    false},
    {"rsa.enc",     "ssh-keygen -q -t rsa -b 2048 -N horse -f rsa.enc",                                "horse", false},
    {"rsa.pem.enc", "ssh-keygen -q -t rsa -b 2048 -m PEM -N horse -f rsa.pem.enc",                     "horse", false},
    {"rsa.p8.enc",  "ssh-keygen -q -t rsa -b 2048 -m PKCS8 -N horse -f rsa.p8.enc",                    "horse", false},
    {"ec256",       "ssh-keygen -q -t ecdsa -b 256 -N '' -f ec256",                                    NULL,    false},
    {"ec384",       "ssh-keygen -q -t ecdsa -b 384 -N '' -f ec384",                                    NULL,    false},
    {"ec521",       "ssh-keygen -q -t ecdsa -b 521 -N '' -f ec521",                                    NULL,    false},
    {"ec.pem",      "ssh-keygen -q -t ecdsa -m PEM -N '' -f ec.pem",                                   NULL,    false},
    {"ec.p8",       "ssh-keygen -q -t ecdsa -m PKCS8 -N '' -f ec.p8",                                  NULL,    false},
    {"ec.enc",      "ssh-keygen -q -t ecdsa -N horse -f ec.enc",                                       "horse", false},
    {"ec.pem.enc",  "ssh-keygen -q -t ecdsa -m PEM -N horse -f ec.pem.enc",                            "horse", false},
    {"ec.p8.enc",   "ssh-keygen -q -t ecdsa -m PKCS8 -N horse -f ec.p8.enc",                           "horse", false},
    {"ed",          "ssh-keygen -q -t ed25519 -N '' -f ed",                                            NULL,    false},
    {"ed.enc",      "ssh-keygen -q -t ed25519 -N horse -f ed.enc",                                     "horse", false},
    {"ed.p8",       "openssl genpkey -algorithm ed25519 -out ed.p8",                                   NULL,    false},
    {"ed.p8.enc",   "openssl genpkey -algorithm ed25519 -aes-256-cbc -pass pass:horse -out ed.p8.enc", "horse",
     false                                                                                                           },
    {"rsa.c",       "ssh-keygen -q -t rsa -b 2048 -N '' -f rsa.c",                                     NULL,    true },
    {"rsa.pem.c",   "ssh-keygen -q -t rsa -b 2048 -m PEM -N horse -f rsa.pem.c",                       "horse", true },
    {"ec.c",        "ssh-keygen -q -t ecdsa -N '' -f ec.c",                                            NULL,    true },
    {"ec521.c",     "ssh-keygen -q -t ecdsa -b 521 -N '' -f ec521.c",                                  NULL,    true },
    {"ed.c",        "ssh-keygen -q -t ed25519 -N '' -f ed.c",                                          NULL,    true },
    {"ed.enc.c",    "ssh-keygen -q -t ed25519 -N horse -f ed.enc.c",                                   "horse", true },
};

enum { N_KEYS = sizeof keys / sizeof *keys };

/* openssl leaves no public key in SSH's format: the last 32 bytes of its own are the point. */
static const char make_public[] =
    "for k in ed.p8 ed.p8.enc; do (printf '\\0\\0\\0\\13ssh-ed25519\\0\\0\\0\\40'; "
    "openssl pkey -in $k -passin pass:horse -pubout -outform DER | tail -c 32) | base64 -w0 | sed 's/^/ssh-ed25519 /' "
    ">$k.pub; echo >>$k.pub; done";

static int setup(void **state)
{
    struct lab *lab = lab_new("");
    *state = lab;
    for (size_t i = 0; i < N_KEYS; i++)
        shell_in(lab->folder, "%s", keys[i].make);
    shell_in(lab->folder, "%s", make_public);
    for (size_t i = 0; i < N_KEYS; i++)
        if (keys[i].certificate)
            shell_in(lab->folder, "ssh-keygen -q -s ca -I test -n %s,other %s.pub", user_name(),
                     keys[i].file);
        else
            shell_in(lab->folder, "cat %s.pub >>authorized_keys", keys[i].file);
    return 0;
}

static int connect_as(const struct lab *lab, const struct ssh_host *host, struct sc_err *err)
{
    struct ssh *ssh;
    int before = count_fds();
    if (ssh_connect(&lab->ctx, &lab->policy, host, NULL, &ssh, err) < 0) {
        assert_int_equal(count_fds(), before);
        return -1;
    }
    AUTO_FREE char *text = run_text(ssh, &lab->ctx, "echo in");
    assert_string_equal(text, "in\n");
    ssh_close(ssh);
    assert_int_equal(count_fds(), before);
    return 0;
}

static void every_key_and_certificate_opens_the_door(void **state)
{
    const struct lab *lab = *state;
    for (size_t i = 0; i < N_KEYS; i++) {
        AUTO_FREE char *certificate = str_format("%s-cert.pub", keys[i].file);
        struct ssh_key *key =
            read_key(lab->folder, keys[i].file, keys[i].certificate ? certificate : NULL, keys[i].passphrase);
        struct ssh_host host = lab->host;
        struct sc_err err = {0};
        host.key = key;
        if (connect_as(lab, &host, &err) < 0)
            fail_msg("%s: %s", keys[i].file, err.text);
        ssh_key_free(key);
    }
}

static void a_key_that_is_not_known_is_told(void **state)
{
    const struct lab *lab = *state;
    AUTO_ERR struct sc_err err = {0};
    struct ssh_host host = lab->host;
    struct ssh_key *key = read_key(lab->folder, "ca", NULL, NULL);
    host.key = key;
    assert_int_equal(connect_as(lab, &host, &err), -1);
    assert_int_equal(err.kind, ERR_AUTH);
    AUTO_FREE char *name = str_format("%s@127.0.0.1:%d: ", user_name(), lab->sshd.port);
    assert_contains(err.text, name);
    assert_contains(err.text, "the key ca (ssh-ed25519 SHA256:");
    assert_contains(err.text, "it would accept: publickey");
    assert_contains(err.hint, "authorized_keys");
    ssh_key_free(key);
}

static void a_user_who_does_not_exist_is_told(void **state)
{
    const struct lab *lab = *state;
    AUTO_ERR struct sc_err err = {0};
    struct ssh_host host = lab->host;
    host.user = "nobody-of-that-name";
    assert_int_equal(connect_as(lab, &host, &err), -1);
    assert_int_equal(err.kind, ERR_AUTH);
    assert_contains(err.hint, "is nobody-of-that-name the right user");
}

static void a_key_whose_certificate_is_not_valid_says_why(void **state)
{
    const struct lab *lab = *state;
    static const struct {
        const char *options, *hint;
    } cases[] = {
        {"-n somebody-else",             "the certificate is for somebody-else and not for "},
        {"-n root -V 20100101:20110101", "the certificate expired on 201"                   },
        {"-n root -V 20990101:21000101", "the certificate is not valid before 20"           },
        {"",                             "the certificate names no principals"              },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        shell_in(lab->folder,
                 "rm -f bad*; ssh-keygen -q -t ed25519 -N '' -f bad; ssh-keygen -q -s ca -I t %s bad.pub",
                 cases[i].options);
        struct ssh_key *key = read_key(lab->folder, "bad", "bad-cert.pub", NULL);
        struct ssh_host host = lab->host;
        AUTO_ERR struct sc_err err = {0};
        host.key = key;
        assert_int_equal(connect_as(lab, &host, &err), -1);
        assert_int_equal(err.kind, ERR_AUTH);
        assert_contains(err.hint, cases[i].hint);
        ssh_key_free(key);
    }
}

static void an_authority_that_is_not_trusted_is_told(void **state)
{
    const struct lab *lab = *state;
    shell_in(lab->folder,
             "rm -f bad*; ssh-keygen -q -t ed25519 -N '' -f bad; ssh-keygen -q -s plain -I t -n %s bad.pub",
             user_name());
    struct ssh_key *key = read_key(lab->folder, "bad", "bad-cert.pub", NULL);
    struct ssh_host host = lab->host;
    AUTO_ERR struct sc_err err = {0};
    host.key = key;
    assert_int_equal(connect_as(lab, &host, &err), -1);
    assert_contains(err.hint, "TrustedUserCAKeys");
    ssh_key_free(key);
}

static void a_locked_key_is_not_tried(void **state)
{
    const struct lab *lab = *state;
    AUTO_SECRET struct secret *pem = read_secret(lab->folder, "ed.enc");
    struct ssh_key *key;
    struct ssh_host host = lab->host;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(ssh_key_new("ed.enc", pem, NULL, &key, &err), 0);
    host.key = key;
    assert_int_equal(connect_as(lab, &host, &err), -1);
    assert_int_equal(err.kind, ERR_AUTH);
    assert_contains(err.text, "the key ed.enc has a passphrase, which was not given");
    ssh_key_free(key);
}

static void nothing_to_authenticate_with_is_told(void **state)
{
    const struct lab *lab = *state;
    struct ssh_host host = lab->host;
    AUTO_ERR struct sc_err err = {0};
    host.key = NULL;
    assert_int_equal(connect_as(lab, &host, &err), -1);
    assert_int_equal(err.kind, ERR_AUTH);
    assert_contains(err.hint, "--ssh-agent-auth");
}

/* --- The agent. */

static const char *const agent_socket = "agent.sock";

/* ssh-agent is setgid, so it does not die with the test by itself. */
static pid_t agent_running;

static int teardown(void **state)
{
    if (agent_running)
        stop_program(agent_running);
    return lab_teardown(state);
}

static pid_t agent_start(const struct lab *lab, char **path)
{
    static int count;
    *path = str_format("%s/%s.%d", lab->folder, agent_socket, count++);
    AUTO_FREE char *log = str_format("%s/agent.log", lab->folder);
    const char *argv[] = {"/usr/bin/ssh-agent", "-D", "-a", *path, NULL};
    pid_t pid = agent_running = start_program(argv, log);
    for (int i = 0; access(*path, F_OK) < 0 && i < SSHD_START_MS / SSHD_TRY_MS; i++)
        pause_ms(SSHD_TRY_MS);
    return pid;
}

static void agent_stop(pid_t pid, char *path)
{
    stop_program(pid);
    agent_running = 0;
    unlink(path);
    free(path);
}

static void the_agent_opens_the_door_with_every_type(void **state)
{
    static const char *const files[] = {"rsa", "ec256", "ec521", "ed", "rsa.c", "ec.c", "ed.c"};
    const struct lab *lab = *state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path;
        pid_t agent = agent_start(lab, &path);
        /* A certificate beside its key makes ssh-add add both; the plain one is then of no use. */
        shell_in(lab->folder, "SSH_AUTH_SOCK=%s ssh-add -q %s", path, files[i]);
        struct ssh_host host = lab->host;
        struct sc_err err = {0};
        host.agent_socket = path;
        host.key = NULL;
        if (connect_as(lab, &host, &err) < 0)
            fail_msg("%s: %s", files[i], err.text);
        agent_stop(agent, path);
    }
}

static void the_agents_fifth_key_is_tried_and_the_sixth_is_not(void **state)
{
    const struct lab *lab = *state;
    char *path;
    pid_t agent = agent_start(lab, &path);
    struct ssh_host host = lab->host;
    AUTO_ERR struct sc_err err = {0};
    host.agent_socket = path;
    shell_in(lab->folder,
             "for i in 1 2 3 4 5; do ssh-keygen -q -t ed25519 -N '' -f stray$i; done; "
             "export SSH_AUTH_SOCK=%s; ssh-add -q stray1 stray2 stray3 stray4; ssh-add -q ed",
             path);
    assert_int_equal(connect_as(lab, &host, &err), 0);
    shell_in(lab->folder, "export SSH_AUTH_SOCK=%s; ssh-add -q -d ed; ssh-add -q stray5; ssh-add -q ed",
             path);
    assert_int_equal(connect_as(lab, &host, &err), -1);
    assert_int_equal(err.kind, ERR_AUTH);
    assert_contains(err.text, "any key of the SSH agent that was offered: ssh-ed25519 SHA256:");
    assert_contains(err.hint, "1 more key");
    agent_stop(agent, path);
}

static void an_agent_without_keys_is_told(void **state)
{
    const struct lab *lab = *state;
    char *path;
    pid_t agent = agent_start(lab, &path);
    struct ssh_host host = lab->host;
    AUTO_ERR struct sc_err err = {0};
    host.agent_socket = path;
    assert_int_equal(connect_as(lab, &host, &err), -1);
    assert_int_equal(err.kind, ERR_AUTH);
    assert_contains(err.text, "the SSH agent has no keys");
    assert_contains(err.hint, "ssh-add");
    agent_stop(agent, path);
}

static void an_agent_that_is_gone_is_told(void **state)
{
    const struct lab *lab = *state;
    struct ssh_host host = lab->host;
    AUTO_ERR struct sc_err err = {0};
    host.agent_socket = "/tmp/snapctl-no-agent-here";
    assert_int_equal(connect_as(lab, &host, &err), -1);
    assert_int_equal(err.kind, ERR_AUTH);
    assert_contains(err.text, "cannot reach the SSH agent at /tmp/snapctl-no-agent-here");
    assert_contains(err.hint, "SSH_AUTH_SOCK");
}

/* A frozen agent does not hold the run up for longer than the caller allows. */
static void an_agent_that_is_frozen_is_left(void **state)
{
    const struct lab *lab = *state;
    char *path;
    pid_t agent = agent_start(lab, &path);
    shell_in(lab->folder, "SSH_AUTH_SOCK=%s ssh-add -q ed", path);
    kill(agent, SIGSTOP);
    struct ssh_host host = lab->host;
    AUTO_ERR struct sc_err err = {0};
    host.agent_socket = path;
    struct ssh *ssh;
    struct ctx ctx = ctx_within(&lab->ctx, 1000);
    int64_t start = ctx_now_ms();
    assert_int_equal(ssh_connect(&ctx, &lab->policy, &host, NULL, &ssh, &err), -1);
    assert_int_equal(err.kind, ERR_TIMEOUT);
    assert_contains(err.text, "waiting for the SSH agent");
    assert_true(ctx_now_ms() - start < 2000);
    agent_stop(agent, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_and_certificate_opens_the_door),
        cmocka_unit_test(a_key_that_is_not_known_is_told),
        cmocka_unit_test(a_user_who_does_not_exist_is_told),
        cmocka_unit_test(a_key_whose_certificate_is_not_valid_says_why),
        cmocka_unit_test(an_authority_that_is_not_trusted_is_told),
        cmocka_unit_test(a_locked_key_is_not_tried),
        cmocka_unit_test(nothing_to_authenticate_with_is_told),
        cmocka_unit_test(the_agent_opens_the_door_with_every_type),
        cmocka_unit_test(the_agents_fifth_key_is_tried_and_the_sixth_is_not),
        cmocka_unit_test(an_agent_without_keys_is_told),
        cmocka_unit_test(an_agent_that_is_gone_is_told),
        cmocka_unit_test(an_agent_that_is_frozen_is_left),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
