#include "snapctl/cli/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const struct {
    int signo;
    const char *name;
} handled[] = {
    {SIGINT,  "SIGINT" },
    {SIGTERM, "SIGTERM"},
    {SIGHUP,  "SIGHUP" }
};

enum { N_HANDLED = sizeof handled / sizeof *handled };

static bool is_ignored(int signo)
{
    struct sigaction action;
    return sigaction(signo, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int signals_open(int *fd, struct sc_err *err)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < N_HANDLED; i++)
        if (!is_ignored(handled[i].signo))
            sigaddset(&set, handled[i].signo);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return err_set_errno(err, ERR_SYSTEM, "cannot block signals");
    *fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (*fd < 0)
        return err_set_errno(err, ERR_SYSTEM, "cannot read signals");
    return 0;
}

int signals_take(int fd)
{
    struct signalfd_siginfo info;
    if (fd < 0 || read(fd, &info, sizeof info) != (ssize_t)sizeof info)
        return 0;
    return (int)info.ssi_signo;
}

const char *signals_name(int signo)
{
    for (size_t i = 0; i < N_HANDLED; i++)
        if (handled[i].signo == signo)
            return handled[i].name;
    return "a signal";
}
