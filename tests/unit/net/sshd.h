/* A real sshd on loopback for the tests of the net room, with keys of every form. Runs as the current user,
 * on a port of its own, and dies with the test. */
#ifndef SNAPCTL_TESTS_UNIT_NET_SSHD_H
#define SNAPCTL_TESTS_UNIT_NET_SSHD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snapctl/base/str.h"
#include "snapctl/net/ssh.h"

enum { SSHD_START_MS = 20000, SSHD_TRY_MS = 20, SSHD_LOG_MAX = 1 << 20 };

/* Runs a shell command in the folder; it must succeed. */
static inline void shell_in(const char *folder, const char *format, ...) PRINTF_LIKE(2, 3);
static inline void shell_in(const char *folder, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    AUTO_FREE char *text = str_vformat(format, args);
    va_end(args);
    AUTO_FREE char *command =
        str_format("cd '%s' && { %s; } >shell.log 2>&1 || { cat shell.log >&2; false; }", folder, text);
    assert_int_equal(system(command), 0);
}

static inline char *folder_new(void)
{
    char *path = str_dup("/tmp/snapctl-test-XXXXXX");
    assert_non_null(mkdtemp(path));
    return path;
}

static inline void folder_remove(char *folder)
{
    AUTO_FREE char *command = str_format("rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
    free(folder);
}

static inline struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* A listening socket, and its port. */
static inline int listen_anywhere(int *port)
{
    struct sockaddr_in at = loopback(0);
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static inline int free_port(void)
{
    int port;
    close(listen_anywhere(&port));
    return port;
}

static inline bool port_answers(int port)
{
    struct sockaddr_in at = loopback(port);
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
}

static inline void pause_ms(int ms)
{
    usleep((useconds_t)ms * 1000);
}

struct sshd {
    pid_t pid;
    int port;
};

/* A child that dies with the test. */
static inline pid_t fork_child(void)
{
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
    }
    return pid;
}

static inline pid_t start_program(const char *const *argv, const char *log)
{
    pid_t pid = fork_child();
    if (pid != 0)
        return pid;
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0)
        _exit(1);
    dup2(fd, 1);
    dup2(fd, 2);
    execv(argv[0], (char *const *)argv);
    _exit(127);
}

/* Until a program that was started takes connections there. */
static inline void wait_for_port(pid_t pid, int port, const char *log)
{
    for (int waited = 0; !port_answers(port); waited += SSHD_TRY_MS) {
        if (waited > SSHD_START_MS || waitpid(pid, NULL, WNOHANG) != 0)
            fail_msg("the server does not start; see %s", log);
        pause_ms(SSHD_TRY_MS);
    }
}

static inline void stop_program(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* Starts an sshd with the host key file of the folder and further lines of configuration. Its folder holds
 * authorized_keys and ca.pub (see keys_make). SHLVL: bash reads the account's own .bashrc for a command that
 * comes by SSH, which may take seconds, but only in a first shell. */
static inline struct sshd sshd_start(const char *folder, const char *host_key, const char *more)
{
    struct sshd sshd = {.port = free_port()};
    AUTO_FREE char *config = str_format("%s/sshd_config.%d", folder, sshd.port);
    AUTO_FREE char *log = str_format("%s/sshd.log", folder);
    FILE *f = fopen(config, "w");
    assert_non_null(f);
    fprintf(
        f,
        "Port %d\nListenAddress 127.0.0.1\nListenAddress ::1\nHostKey %s/%s\nPidFile none\nUsePAM no\n"
        "StrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "AuthorizedKeysFile %s/authorized_keys\nTrustedUserCAKeys %s/ca.pub\nMaxSessions 20\n"
        "SetEnv SHLVL=9\n%s\n",
        sshd.port, folder, host_key, folder, folder, more);
    fclose(f);
    if (geteuid() == 0)
        mkdir("/run/sshd", 0755);
    /* OpenSSH 9.8 and newer lock an address out that has failed to authenticate; older ones do not know it.
     */
    const char *argv[] = {"/usr/sbin/sshd", "-D", "-e", "-f", config, "-oPerSourcePenalties=no", NULL};
    AUTO_FREE char *try = str_format("%s -t -f %s %s 2>/dev/null", argv[0], config, argv[5]);
    if (system(try) != 0)
        argv[5] = NULL;
    sshd.pid = start_program(argv, log);
    wait_for_port(sshd.pid, sshd.port, log);
    return sshd;
}

static inline void sshd_stop(struct sshd *sshd)
{
    stop_program(sshd->pid);
}

/* A host key hk_ed25519, a user's key "plain" that authorized_keys has, and a certificate authority. */
static inline char *keys_make(void)
{
    char *folder = folder_new();
    shell_in(folder, "ssh-keygen -q -t ed25519 -N '' -f hk_ed25519; ssh-keygen -q -t ed25519 -N '' -f plain; "
                     "ssh-keygen -q -t ed25519 -N '' -f ca; cp plain.pub authorized_keys");
    return folder;
}

static inline const char *user_name(void)
{
    static char name[64];
    snprintf(name, sizeof name, "%s", getpwuid(geteuid())->pw_name);
    return name;
}

static inline struct secret *read_secret(const char *folder, const char *name)
{
    struct secret *text;
    struct sc_err err = {0};
    AUTO_FREE char *path = str_format("%s/%s", folder, name);
    if (secret_read_file(path, SSH_KEY_MAX_BYTES, 0, &text, &err) < 0)
        fail_msg("%s", err.text);
    return text;
}

/* The key of a file, with the certificate of a file (NULL: none), unlocked by a passphrase (NULL: none). */
static inline struct ssh_key *read_key(const char *folder, const char *name, const char *certificate,
                                       const char *passphrase)
{
    struct ssh_key *key;
    struct sc_err err = {0};
    AUTO_SECRET struct secret *pem = read_secret(folder, name);
    AUTO_SECRET struct secret *text = certificate ? read_secret(folder, certificate) : NULL;
    if (ssh_key_new(name, pem, text ? secret_data(text) : NULL, &key, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(ssh_key_locked(key), passphrase != NULL);
    if (!passphrase)
        return key;
    AUTO_SECRET struct secret *secret = secret_new(passphrase, strlen(passphrase));
    if (ssh_key_unlock(key, secret, &err) < 0)
        fail_msg("%s", err.text);
    return key;
}

/* Everything that a test needs to connect to one sshd that it knows. */
struct lab {
    char *folder;
    struct sshd sshd;
    struct ssh_key *key;
    struct known_hosts *known;
    struct ssh_policy policy;
    struct ssh_host host;
    struct ctx ctx;
};

/* The known_hosts text that makes the host key of the file known for a port of 127.0.0.1. */
static inline void know(struct known_hosts *known, const char *folder, const char *host_key, int port)
{
    AUTO_FREE char *file = str_format("%s.pub", host_key);
    AUTO_SECRET struct secret *public = read_secret(folder, file);
    AUTO_FREE char *line = str_format("[127.0.0.1]:%d %s", port, secret_data(public));
    known_hosts_parse(known, "test", line, strlen(line), NULL);
}

static inline struct lab *lab_new(const char *more)
{
    struct lab *lab = mem_calloc(1, sizeof *lab);
    ssh_init();
    lab->folder = keys_make();
    lab->sshd = sshd_start(lab->folder, "hk_ed25519", more);
    lab->key = read_key(lab->folder, "plain", NULL, NULL);
    lab->known = known_hosts_new();
    know(lab->known, lab->folder, "hk_ed25519", lab->sshd.port);
    lab->policy = (struct ssh_policy){.mode = HOST_KEY_STRICT, .known = lab->known};
    lab->host = (struct ssh_host){
        .address = "127.0.0.1", .port = lab->sshd.port, .user = user_name(), .key = lab->key};
    lab->ctx = (struct ctx){.deadline_ms = CTX_NO_DEADLINE};
    return lab;
}

static inline void lab_free(struct lab *lab)
{
    sshd_stop(&lab->sshd);
    ssh_key_free(lab->key);
    known_hosts_free(lab->known);
    folder_remove(lab->folder);
    free(lab);
    ssh_exit();
}

static inline int lab_setup(void **state)
{
    *state = lab_new("");
    return 0;
}

static inline int lab_teardown(void **state)
{
    lab_free(*state);
    return 0;
}

static inline struct ssh *lab_connect(const struct lab *lab)
{
    struct ssh *ssh = NULL;
    struct sc_err err = {0};
    if (ssh_connect(&lab->ctx, &lab->policy, &lab->host, NULL, &ssh, &err) < 0)
        fail_msg("%s", err.text);
    return ssh;
}

/* To another port of 127.0.0.1, where any host key that nothing speaks against will do. */
static inline int lab_connect_to(const struct lab *lab, const struct ctx *ctx, int port, struct ssh **ssh,
                                 struct sc_err *err)
{
    struct ssh_policy policy = {.mode = HOST_KEY_OFF, .known = lab->known};
    struct ssh_host host = lab->host;
    host.port = port;
    return ssh_connect(ctx, &policy, &host, NULL, ssh, err);
}

/* For log_new, with a struct buf: "WHO: LINE" each. */
static inline void keep_line(void *lines, enum log_level level, const char *who, const char *line)
{
    (void)level;
    buf_printf(lines, "%s: %s\n", who ? who : "", line);
}

static inline void assert_contains(const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        fail_msg("\"%s\" lacks \"%s\"", text ? text : "(null)", part);
}

/* Descriptors that this process has open: what a test opened it must have closed. */
static inline int count_fds(void)
{
    int n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* The output of a command, which must succeed. The caller frees it. */
static inline char *run_text(struct ssh *ssh, const struct ctx *ctx, const char *command)
{
    struct ssh_output output = {0};
    struct sc_err err = {0};
    if (ssh_run(ssh, ctx, command, NULL, &output, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(output.status, 0);
    char *text = buf_take(&output.out);
    ssh_output_free(&output);
    return text;
}

/* Gives bytes that depend on their place, in pieces of changing size. */
struct pattern {
    struct source source;
    size_t at, len;
};

static inline unsigned char pattern_byte(size_t at)
{
    return (unsigned char)(at * 2654435761u >> 13);
}

static inline int pattern_read(struct source *source, const struct ctx *ctx, void *data, size_t cap,
                               size_t *got, struct sc_err *err)
{
    (void)ctx;
    (void)err;
    struct pattern *p = (struct pattern *)source;
    size_t left = p->len - p->at, want = p->at % 7919 + 1;
    *got = want < left ? want : left;
    *got = *got < cap ? *got : cap;
    for (size_t i = 0; i < *got; i++)
        ((unsigned char *)data)[i] = pattern_byte(p->at++);
    return 0;
}

/* Through a command that gives back what it is given. */
static inline void send_to_and_fro(struct ssh *ssh, const struct ctx *ctx, size_t len)
{
    struct pattern input = {.source.read = pattern_read, .len = len};
    struct ssh_output output = {.out.max = len + 1};
    struct sc_err err = {0};
    if (ssh_run(ssh, ctx, "cat", &input.source, &output, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(output.status, 0);
    assert_int_equal(output.out.len, len);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)output.out.data[i] != pattern_byte(i))
            fail_msg("byte %zu differs", i);
    ssh_output_free(&output);
}

#endif
