#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "snapctl/cli/prompt.h"

enum { SHORTLY_MS = 20, LATEST_MS = 5000, HANGS_S = 20 };

/* A terminal, with a person (a child process) at its other end. */
struct fixture {
    int master, terminal, signals;
    struct prompt *prompt;
    pid_t person;
};

static void set_up(struct fixture *f)
{
    f->master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(f->master >= 0 && grantpt(f->master) == 0 && unlockpt(f->master) == 0);
    f->terminal = open(ptsname(f->master), O_RDWR | O_NOCTTY);
    assert_true(f->terminal >= 0);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    f->signals = signalfd(-1, &set, SFD_NONBLOCK);
    f->prompt = prompt_new(f->terminal, f->signals, NULL);
    f->person = 0;
}

static bool hidden(int terminal)
{
    struct termios now;
    assert_int_equal(tcgetattr(terminal, &now), 0);
    return !(now.c_lflag & ECHO);
}

/* Types once the question stands there: what is typed before is thrown away. */
static void person_types(struct fixture *f, const char *question, const char *text)
{
    f->person = fork();
    assert_true(f->person >= 0);
    if (f->person > 0)
        return;
    char seen[4096] = "";
    size_t len = 0;
    while (!strstr(seen, question) && len < sizeof seen - 1) {
        ssize_t n = read(f->master, seen + len, sizeof seen - 1 - len);
        if (n <= 0)
            _exit(1);
        len += (size_t)n;
        seen[len] = '\0';
    }
    if (!text)
        kill(getppid(), SIGUSR1);
    else if (write(f->master, text, strlen(text)) < 0)
        _exit(1);
    /* The other end must stay open until the program is through. */
    poll(NULL, 0, LATEST_MS);
    _exit(0);
}

/* Everything that the terminal showed. */
static void read_screen(struct fixture *f, char *screen, size_t size)
{
    size_t len = 0;
    struct pollfd fd = {.fd = f->master, .events = POLLIN};
    while (len < size - 1 && poll(&fd, 1, SHORTLY_MS) > 0 && (fd.revents & POLLIN)) {
        ssize_t n = read(f->master, screen + len, size - 1 - len);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    screen[len] = '\0';
}

static void tear_down(struct fixture *f)
{
    if (f->person) {
        kill(f->person, SIGKILL);
        assert_int_equal(waitpid(f->person, NULL, 0), f->person);
    }
    prompt_free(f->prompt);
    close(f->master);
    struct signalfd_siginfo info;
    (void)!read(f->signals, &info, sizeof info);
    close(f->signals);
}

static const struct host_key_question questions[] = {
    {"10.0.0.1",        22,   "ssh-ed25519", "SHA256:abc"},
    {"evil\033[2Jhost", 2222, "ssh-rsa",     "SHA256:def"},
};

static void hosts(void **state)
{
    (void)state;
    static const struct {
        const char *typed;
        bool trusted;
    } rows[] = {
        {"yes\n",            true },
        {"no\n",             false},
        {"y\nyes\n",         true },
        {"\nYES\nno\n",      false},
        {"\004",             false},
        {"yess\nye\nyes\n",  true },
        {"yes please\nno\n", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture f;
        set_up(&f);
        person_types(&f, "(yes/no)? ", rows[i].typed);
        assert_int_equal(prompt_hosts(f.prompt, questions, 2), rows[i].trusted);
        tear_down(&f);
    }
}

/* Ctrl-S: nothing is shown, and the alarm ends what would hang. */
static void a_signal_ends_a_question_that_is_not_shown(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    assert_int_equal(tcflow(f.terminal, TCOOFF), 0);
    raise(SIGUSR1);
    alarm(HANGS_S);
    assert_false(prompt_hosts(f.prompt, questions, 2));
    alarm(0);
    assert_int_equal(tcflow(f.terminal, TCOON), 0);
    tear_down(&f);
}

static void shows_all_hosts(void **state)
{
    (void)state;
    struct fixture f;
    char screen[4096];
    set_up(&f);
    /* A signal that is there already answers at once. */
    raise(SIGUSR1);
    assert_false(prompt_hosts(f.prompt, questions, 2));
    read_screen(&f, screen, sizeof screen);
    assert_string_equal(screen, "These hosts are not in known_hosts:\r\n"
                                "  10.0.0.1 port 22  ssh-ed25519  SHA256:abc\r\n"
                                "  evil\\x1b[2Jhost port 2222  ssh-rsa  SHA256:def\r\n"
                                "Trust and remember all of them (yes/no)? \r\n");
    tear_down(&f);
}

static void shows_what_it_asks_about(void **state)
{
    (void)state;
    struct fixture f;
    char screen[4096];
    set_up(&f);
    raise(SIGUSR1);
    assert_false(prompt_agreement(f.prompt, "This and that.\n", "Remove them"));
    read_screen(&f, screen, sizeof screen);
    assert_string_equal(screen, "This and that.\r\nRemove them (yes/no)? \r\n");
    tear_down(&f);
}

/* A "yes" that was typed before the question is not its answer. */
static void ignores_what_came_before(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    assert_int_equal(write(f.master, "yes\n", 4), 4);
    person_types(&f, "(yes/no)? ", "no\n");
    assert_false(prompt_hosts(f.prompt, questions, 1));
    tear_down(&f);
}

static void a_signal_ends_the_question(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    person_types(&f, "(yes/no)? ", NULL);
    assert_false(prompt_hosts(f.prompt, questions, 2));
    /* It is left for the one who handles it. */
    struct pollfd fd = {.fd = f.signals, .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 0), 1);
    tear_down(&f);
}

static void passphrase(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    assert_false(hidden(f.terminal));
    person_types(&f, "Passphrase for the private key id_rsa: ", "correct horse\n");
    struct secret *secret = prompt_passphrase(f.prompt, "id_rsa");
    assert_non_null(secret);
    assert_string_equal(secret_data(secret), "correct horse");
    assert_false(hidden(f.terminal));
    secret_free(secret);
    tear_down(&f);
}

/* The person looks at the terminal's settings while the question stands there. */
static void passphrase_is_not_echoed(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    pid_t asker = fork();
    assert_true(asker >= 0);
    if (asker == 0) {
        struct secret *secret = prompt_passphrase(f.prompt, "id_rsa");
        _exit(secret && strcmp(secret_data(secret), "hunter2") == 0 ? 0 : 1);
    }
    char screen[4096] = "";
    for (int i = 0; i < 100 && !strstr(screen, ": "); i++)
        read_screen(&f, screen, sizeof screen);
    assert_true(hidden(f.terminal));
    assert_int_equal(write(f.master, "hunter2\n", 8), 8);
    int status;
    assert_int_equal(waitpid(asker, &status, 0), asker);
    assert_int_equal(status, 0);
    read_screen(&f, screen, sizeof screen);
    assert_null(strstr(screen, "hunter2"));
    assert_false(hidden(f.terminal));
    tear_down(&f);
}

static void a_signal_restores_the_terminal(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    person_types(&f, "id_rsa: ", NULL);
    assert_null(prompt_passphrase(f.prompt, "id_rsa"));
    assert_false(hidden(f.terminal));
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts),
        cmocka_unit_test(shows_all_hosts),
        cmocka_unit_test(shows_what_it_asks_about),
        cmocka_unit_test(ignores_what_came_before),
        cmocka_unit_test(a_signal_ends_the_question),
        cmocka_unit_test(a_signal_ends_a_question_that_is_not_shown),
        cmocka_unit_test(passphrase),
        cmocka_unit_test(passphrase_is_not_echoed),
        cmocka_unit_test(a_signal_restores_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
