/* The command line's way in. */
#ifndef SNAPCTL_CLI_CLI_H
#define SNAPCTL_CLI_CLI_H

/* Runs what argv says and returns the exit status. Secrets in argv are wiped. */
int cli_main(int argc, char **argv);

#endif
