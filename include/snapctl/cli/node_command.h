/* What all commands that go to the etcd nodes share: the configuration, the terminal, signals, progress, and
 * how they tell what came of it. */
#ifndef SNAPCTL_CLI_NODE_COMMAND_H
#define SNAPCTL_CLI_NODE_COMMAND_H

#include "snapctl/cli/commands.h"
#include "snapctl/cli/progress.h"
#include "snapctl/cli/prompt.h"
#include "snapctl/cli/s3_settings.h"
#include "snapctl/config/cluster.h"
#include "snapctl/core/save.h"

/* A command under way. */
struct node_command {
    const struct call *call;
    struct cluster *cluster;
    struct s3_settings s3;
    struct store_options store; /* of s3, where it is wanted */
    struct run_options options;
    struct run_ui ui;
    struct progress *progress;
    struct prompt *prompt; /* NULL: nobody can be asked */
    int signals;
};

/* What a command does in between; returns the exit status. */
typedef int node_command_body(struct node_command *run);

/* Reads the configuration, blocks signals, begins the libraries, runs body, and undoes all that. always_s3:
 * the command is about S3, whatever the configuration says. Returns the exit status; errors were told. */
int node_command(const struct call *call, bool always_s3, node_command_body *body);

/* Tells the result of save or upload: errors, a table or a document. Returns the exit status. */
int node_command_tell(const struct node_command *run, const struct save_result *result);

/* The result is a document. */
bool node_command_wants_json(const struct node_command *run);

/* Ends the progress and prints a result of whatever form on standard output, unless text is NULL. Returns
 * status, or the one that tells that nobody can read what it stands for. */
int node_command_print(const struct node_command *run, const char *text, int status);

/* Tells that it ended before anything was dialled, because of err or of a signal. Returns the exit status. */
int node_command_refuse(const struct node_command *run, struct sc_err *err);

/* Tells an error before which nothing was begun, as JSON too if that is asked for. Returns
 * EXIT_STATUS_REFUSED. */
int command_refuse(const struct call *call, const struct sc_err *err);

#endif
