/* Asking the person at the terminal. A question ends, unanswered, when a signal can be read; the signal is
 * left for whoever handles signals. The terminal is as before when a function returns. */
#ifndef SNAPCTL_CLI_PROMPT_H
#define SNAPCTL_CLI_PROMPT_H

#include <stdbool.h>

#include "snapctl/base/log.h"
#include "snapctl/net/ssh.h"

struct prompt;

/* Asks on tty_fd, which the prompt then owns. signal_fd: a signalfd, or -1. */
struct prompt *prompt_new(int tty_fd, int signal_fd, struct log *log) WARN_UNUSED;

/* On the controlling terminal; NULL: there is none, so nobody can be asked. */
struct prompt *prompt_open(int signal_fd, struct log *log) WARN_UNUSED;
void prompt_free(struct prompt *prompt);

/* Shows all hosts with their fingerprints and asks once whether to trust them: "yes" or "no", in full. */
bool prompt_hosts(struct prompt *prompt, const struct host_key_question *questions, size_t n);

/* Shows text and asks a question about it: "yes" or "no", in full. */
bool prompt_agreement(struct prompt *prompt, const char *text, const char *question);

/* Reads a passphrase without echo; NULL if the person gave up, or a signal came. */
struct secret *prompt_passphrase(struct prompt *prompt, const char *label) WARN_UNUSED;

#endif
