#include "snapctl/cli/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "snapctl/base/ctx.h"
#include "snapctl/base/str.h"
#include "snapctl/cli/console.h"
#include "snapctl/cli/outlet.h"

enum { LINE_MAX_BYTES = 1024 };

struct prompt {
    int tty, signals;
    struct log *log;
};

struct prompt *prompt_new(int tty_fd, int signal_fd, struct log *log)
{
    struct prompt *p = mem_calloc(1, sizeof *p);
    p->tty = tty_fd;
    p->signals = signal_fd;
    p->log = log;
    return p;
}

struct prompt *prompt_open(int signal_fd, struct log *log)
{
    int tty = open("/dev/tty", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    return tty < 0 ? NULL : prompt_new(tty, signal_fd, log);
}

void prompt_free(struct prompt *p)
{
    if (!p)
        return;
    close(p->tty);
    free(p);
}

/* A signal that comes while the terminal takes nothing is noticed by whoever waits for the answer. */
static void say(const struct prompt *p, const char *text)
{
    int ignored = outlet_write(p->tty, text, strlen(text), p->signals, CTX_NO_DEADLINE);
    (void)ignored;
}

/* False when a signal came. */
static bool wait_for_input(const struct prompt *p)
{
    for (;;) {
        struct pollfd fds[] = {
            {.fd = p->tty,     .events = POLLIN},
            {.fd = p->signals, .events = POLLIN}
        };
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return false;
        if (fds[1].revents)
            return false;
        if (fds[0].revents)
            return true;
    }
}

/* A line of at most LINE_MAX_BYTES - 1 bytes without its newline; what is longer is cut off. False at the end
 * of input or when a signal came. */
static bool read_line(const struct prompt *p, char line[LINE_MAX_BYTES])
{
    size_t len = 0;
    for (;;) {
        char c;
        if (!wait_for_input(p))
            return false;
        ssize_t n = read(p->tty, &c, 1);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0)
            return false;
        if (c == '\n' || c == '\r')
            break;
        if (len < LINE_MAX_BYTES - 1)
            line[len++] = c;
    }
    line[len] = '\0';
    return true;
}

static char *list_hosts(const struct prompt *p, const struct host_key_question *questions, size_t n)
{
    struct buf out = {0};
    buf_printf(&out, "%s not in known_hosts:\n", n == 1 ? "This host is" : "These hosts are");
    for (size_t i = 0; i < n; i++) {
        AUTO_FREE char *line = str_format("%s port %d  %s  %s", questions[i].address, questions[i].port,
                                          questions[i].type, questions[i].fingerprint);
        AUTO_FREE char *clean = console_clean(p->log, line, false);
        buf_printf(&out, "  %s\n", clean);
    }
    return buf_take(&out);
}

bool prompt_agreement(struct prompt *p, const char *text, const char *question)
{
    char line[LINE_MAX_BYTES];
    /* What was typed before the question was not meant for it. */
    tcflush(p->tty, TCIFLUSH);
    say(p, text);
    for (;;) {
        say(p, question);
        say(p, " (yes/no)? ");
        if (!read_line(p, line)) {
            say(p, "\n");
            return false;
        }
        if (strcmp(line, "yes") == 0 || strcmp(line, "no") == 0)
            return *line == 'y';
        say(p, "Please type \"yes\" or \"no\" in full.\n");
    }
}

bool prompt_hosts(struct prompt *p, const struct host_key_question *questions, size_t n)
{
    AUTO_FREE char *text = list_hosts(p, questions, n);
    return prompt_agreement(p, text, n == 1 ? "Trust and remember it" : "Trust and remember all of them");
}

/* Without echo. Stopping or quitting the program meanwhile would leave the terminal like that. */
static void hide_typing(const struct prompt *p, const struct termios *before)
{
    struct termios hidden = *before;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    hidden.c_cc[VSUSP] = hidden.c_cc[VQUIT] = _POSIX_VDISABLE;
    tcsetattr(p->tty, TCSAFLUSH, &hidden);
}

struct secret *prompt_passphrase(struct prompt *p, const char *label)
{
    char line[LINE_MAX_BYTES];
    struct termios before;
    if (tcgetattr(p->tty, &before) < 0)
        return NULL;
    AUTO_FREE char *clean = console_clean(p->log, label, false);
    AUTO_FREE char *question = str_format("Passphrase for the private key %s: ", clean);
    hide_typing(p, &before);
    say(p, question);
    struct secret *passphrase = read_line(p, line) ? secret_new(line, strlen(line)) : NULL;
    secret_wipe(line, sizeof line);
    tcsetattr(p->tty, TCSAFLUSH, &before);
    say(p, "\n");
    return passphrase;
}
