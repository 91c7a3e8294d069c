/* Makes the process safe, and hands over to cli. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapctl/cli/cli.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* Whoever starts the program without these descriptors would get the next opened file in their place: a
 * message could end up in known_hosts. What is in their place can be used the wrong way only, so that writing
 * to an output that is closed fails. */
static void fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            abort();
}

/* Private keys and the cluster's state file are in this process's memory. The sanitizers are left out: theirs
 * is a debugger's work, which a process that may not be dumped does not allow. */
static void forbid_dumps(void)
{
    if (SANITIZED)
        return;
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
}

int main(int argc, char **argv)
{
    fill_standard_descriptors();
    forbid_dumps();
    umask(S_IRWXG | S_IRWXO);
    signal(SIGPIPE, SIG_IGN);
    return cli_main(argc, argv);
}
