#include "sshd.h"

/* Each test has a policy of its own, over the lab's server, whose host key is hk_ed25519. */
struct asked {
    int times;
    bool answer;
    char *address, *type, *fingerprint;
    int port;
};

static bool confirm(void *arg, const struct ctx *ctx, const struct host_key_question *question)
{
    (void)ctx;
    struct asked *asked = arg;
    asked->times++;
    free(asked->address);
    free(asked->type);
    free(asked->fingerprint);
    asked->address = str_dup(question->address);
    asked->type = str_dup(question->type);
    asked->fingerprint = str_dup(question->fingerprint);
    asked->port = question->port;
    return asked->answer;
}

static void forget(struct asked *asked)
{
    free(asked->address);
    free(asked->type);
    free(asked->fingerprint);
}

static int setup(void **state)
{
    struct lab *lab = lab_new("");
    *state = lab;
    shell_in(lab->folder,
             "ssh-keygen -q -t ed25519 -N '' -f hk_other; ssh-keygen -q -t rsa -b 2048 -N '' -f hk_rsa");
    return 0;
}

/* A line of the file "kh" for the host, with another key or marker; then what connecting comes to. */
static int connect_knowing(const struct lab *lab, const char *marker, const char *host_key,
                           struct ssh_policy policy, struct sc_err *err)
{
    AUTO_FREE char *file = str_format("%s/kh", lab->folder);
    AUTO_FREE char *added = str_format("%s/added", lab->folder);
    unlink(file);
    if (host_key)
        shell_in(lab->folder, "echo \"%s[127.0.0.1]:%d $(cut -d' ' -f1,2 %s.pub)\" >kh", marker,
                 lab->sshd.port, host_key);
    const char *files[] = {file, added};
    struct known_hosts *known;
    assert_int_equal(known_hosts_load(files, 2, NULL, &known, err), 0);
    policy.known = known;
    if (!policy.known_hosts_file)
        policy.known_hosts_file = added;
    struct ssh *ssh;
    int fds = count_fds();
    int result = ssh_connect(&lab->ctx, &policy, &lab->host, NULL, &ssh, err);
    if (result == 0)
        ssh_close(ssh);
    assert_int_equal(count_fds(), fds);
    known_hosts_free(known);
    return result;
}

static const enum host_key_mode modes[] = {HOST_KEY_ASK, HOST_KEY_ACCEPT_NEW, HOST_KEY_STRICT, HOST_KEY_OFF};

enum { N_MODES = sizeof modes / sizeof *modes };

static void a_known_host_is_let_through_in_every_mode(void **state)
{
    const struct lab *lab = *state;
    for (size_t i = 0; i < N_MODES; i++) {
        struct sc_err err = {0};
        struct ssh_policy policy = {.mode = modes[i]};
        if (connect_knowing(lab, "", "hk_ed25519", policy, &err) < 0)
            fail_msg("mode %zu: %s", i, err.text);
    }
}

static void what_speaks_against_a_host_is_fatal_in_every_mode(void **state)
{
    static const struct {
        const char *marker, *host_key, *text, *hint;
    } cases[] = {
        {"",          "hk_other",
         "THE HOST KEY HAS CHANGED: the server shows ssh-ed25519 SHA256:",               "ssh-keygen -R '[127.0.0.1]:"},
        {"@revoked ", "hk_ed25519", "the host key is revoked: ssh-ed25519 SHA256:",      "new keys first"             },
        {"",          "hk_rsa",     "the host is known with keys of other types only (", "ssh-keygen -R '[127.0.0.1]:"},
    };
    const struct lab *lab = *state;
    AUTO_FREE char *where = str_format("%s/kh:1", lab->folder);
    struct asked asked = {.answer = true};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (size_t i = 0; i < N_MODES; i++) {
            AUTO_ERR struct sc_err err = {0};
            struct ssh_policy policy = {.mode = modes[i], .confirm = confirm, .arg = &asked};
            assert_int_equal(connect_knowing(lab, cases[c].marker, cases[c].host_key, policy, &err), -1);
            assert_int_equal(err.kind, ERR_HOST_KEY);
            assert_contains(err.text, cases[c].text);
            assert_contains(err.text, where);
            assert_contains(err.hint, cases[c].hint);
        }
    assert_int_equal(asked.times, 0);
}

/* See impostor.py. */
static void a_key_that_is_shown_later_does_not_count(void **state)
{
    struct lab lab = *(const struct lab *)*state;
    AUTO_ERR struct sc_err err = {0};
    AUTO_FREE char *shown = str_format("%s/hk_ed25519.pub", lab.folder);
    AUTO_FREE char *log = str_format("%s/impostor.log", lab.folder);
    lab.sshd.port = lab.host.port = free_port();
    AUTO_FREE char *port = str_format("%d", lab.host.port);
    const char *argv[] = {"/usr/bin/python3", TEST_DATA "/../net/impostor.py", port, shown, NULL};
    pid_t impostor = start_program(argv, log);
    wait_for_port(impostor, lab.host.port, log);
    int result = connect_knowing(&lab, "", "hk_ed25519", (struct ssh_policy){.mode = HOST_KEY_STRICT}, &err);
    stop_program(impostor);
    assert_int_equal(result, -1);
    if (err.kind != ERR_HOST_KEY)
        fail_msg("%s", err.text);
    assert_contains(err.text, "THE HOST KEY HAS CHANGED");
}

static void strict_refuses_an_unknown_host_and_gives_the_remedy(void **state)
{
    const struct lab *lab = *state;
    AUTO_ERR struct sc_err err = {0};
    struct ssh_policy policy = {.mode = HOST_KEY_STRICT};
    assert_int_equal(connect_knowing(lab, "", NULL, policy, &err), -1);
    assert_int_equal(err.kind, ERR_HOST_KEY);
    AUTO_FREE char *scan =
        str_format("ssh-keyscan -t ed25519 -p %d 127.0.0.1 >> %s/added", lab->sshd.port, lab->folder);
    assert_contains(err.text, "the host key is unknown: ssh-ed25519 SHA256:");
    assert_contains(err.hint, scan);
    assert_contains(err.hint, "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub");
    assert_contains(err.hint, "--host-key-checking accept-new");
}

/* The hint's own command, run as it stands, makes the host known. */
static void the_remedy_works(void **state)
{
    const struct lab *lab = *state;
    AUTO_FREE char *added = str_format("%s/added", lab->folder);
    struct sc_err err = {0};
    struct ssh_policy policy = {.mode = HOST_KEY_STRICT};
    assert_int_equal(connect_knowing(lab, "", NULL, policy, &err), -1);
    const char *command = strstr(err.hint, "ssh-keyscan");
    AUTO_FREE char *line = str_dup_n(command, strcspn(command, "\n"));
    shell_in(lab->folder, "%s", line);
    if (connect_knowing(lab, "", NULL, policy, &err) < 0)
        fail_msg("%s", err.text);
    err_clear(&err);
    unlink(added);
}

static void ask_without_a_person_refuses(void **state)
{
    const struct lab *lab = *state;
    AUTO_ERR struct sc_err err = {0};
    struct ssh_policy policy = {.mode = HOST_KEY_ASK};
    assert_int_equal(connect_knowing(lab, "", NULL, policy, &err), -1);
    assert_int_equal(err.kind, ERR_HOST_KEY);
    assert_contains(err.hint, "ssh-keyscan");
}

static void ask_goes_by_the_persons_answer(void **state)
{
    const struct lab *lab = *state;
    AUTO_FREE char *added = str_format("%s/added", lab->folder);
    struct asked asked = {.answer = false};
    struct sc_err err = {0};
    struct ssh_policy policy = {.mode = HOST_KEY_ASK, .confirm = confirm, .arg = &asked};
    assert_int_equal(connect_knowing(lab, "", NULL, policy, &err), -1);
    assert_int_equal(err.kind, ERR_HOST_KEY);
    assert_contains(err.text, "was not trusted");
    assert_int_equal(access(added, F_OK), -1);
    asked.answer = true;
    assert_int_equal(connect_knowing(lab, "", NULL, policy, &err), 0);
    assert_int_equal(asked.times, 2);
    assert_string_equal(asked.address, "127.0.0.1");
    assert_string_equal(asked.type, "ssh-ed25519");
    assert_int_equal(asked.port, lab->sshd.port);
    shell_in(lab->folder, "ssh-keygen -lf hk_ed25519.pub | grep -q ' %s '", asked.fingerprint);
    assert_int_equal(connect_knowing(lab, "", NULL, policy, &err), 0);
    assert_int_equal(asked.times, 2);
    unlink(added);
    forget(&asked);
    err_clear(&err);
}

static void accept_new_adds_and_then_knows(void **state)
{
    const struct lab *lab = *state;
    AUTO_FREE char *added = str_format("%s/added", lab->folder);
    struct ssh_policy policy = {.mode = HOST_KEY_ACCEPT_NEW}, strict = {.mode = HOST_KEY_STRICT};
    struct sc_err err = {0};
    assert_int_equal(connect_knowing(lab, "", NULL, policy, &err), 0);
    shell_in(lab->folder, "grep -qF \"[127.0.0.1]:%d $(cut -d' ' -f1,2 hk_ed25519.pub)\" added",
             lab->sshd.port);
    assert_int_equal(connect_knowing(lab, "", NULL, strict, &err), 0);
    unlink(added);
}

static void off_takes_an_unknown_host_and_keeps_nothing(void **state)
{
    const struct lab *lab = *state;
    AUTO_FREE char *added = str_format("%s/added", lab->folder);
    struct ssh_policy policy = {.mode = HOST_KEY_OFF};
    struct sc_err err = {0};
    assert_int_equal(connect_knowing(lab, "", NULL, policy, &err), 0);
    assert_int_equal(access(added, F_OK), -1);
}

static void a_file_that_cannot_be_written_does_not_stop_a_trusted_host(void **state)
{
    const struct lab *lab = *state;
    struct ssh_policy policy = {.mode = HOST_KEY_ACCEPT_NEW, .known_hosts_file = "/proc/snapctl/known_hosts"};
    struct sc_err err = {0};
    assert_int_equal(connect_knowing(lab, "", NULL, policy, &err), 0);
    assert_int_equal(err.kind, ERR_NONE);
}

/* The server has several keys; the one that is known is asked for, although others are preferred. */
static void the_known_type_is_negotiated(void **state)
{
    const struct lab *lab = *state;
    AUTO_FREE char *more = str_format("HostKey %s/hk_rsa", lab->folder);
    struct sshd sshd = sshd_start(lab->folder, "hk_ed25519", more);
    struct known_hosts *known = known_hosts_new();
    know(known, lab->folder, "hk_rsa", sshd.port);
    struct ssh_policy policy = {.mode = HOST_KEY_STRICT, .known = known};
    struct ssh_host host = lab->host;
    struct ssh *ssh;
    struct sc_err err = {0};
    host.port = sshd.port;
    if (ssh_connect(&lab->ctx, &policy, &host, NULL, &ssh, &err) < 0)
        fail_msg("%s", err.text);
    ssh_close(ssh);
    known_hosts_free(known);
    sshd_stop(&sshd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_host_is_let_through_in_every_mode),
        cmocka_unit_test(what_speaks_against_a_host_is_fatal_in_every_mode),
        cmocka_unit_test(a_key_that_is_shown_later_does_not_count),
        cmocka_unit_test(strict_refuses_an_unknown_host_and_gives_the_remedy),
        cmocka_unit_test(the_remedy_works),
        cmocka_unit_test(ask_without_a_person_refuses),
        cmocka_unit_test(ask_goes_by_the_persons_answer),
        cmocka_unit_test(accept_new_adds_and_then_knows),
        cmocka_unit_test(off_takes_an_unknown_host_and_keeps_nothing),
        cmocka_unit_test(a_file_that_cannot_be_written_does_not_stop_a_trusted_host),
        cmocka_unit_test(the_known_type_is_negotiated),
    };
    return cmocka_run_group_tests(tests, setup, lab_teardown);
}
