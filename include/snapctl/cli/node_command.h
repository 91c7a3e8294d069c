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
    bool controlplane;          /* its nodes are part of the run, too */
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

/* The same for save, whose bundle is made on nodes of the control plane, too. */
int node_command_of_save(const struct call *call, node_command_body *body);

/* The same for a command that asks nodes and store alike, as places.h tells which; options that contradict
 * each other there are refused. With a bundle, nodes of the control plane are asked, too. */
int node_command_of_places(const struct call *call, node_command_body *body);

/* Of such a command: whether it asks the nodes, and which store: NULL for none. */
bool node_command_asks_nodes(const struct node_command *run);
const struct store_options *node_command_store(const struct node_command *run);

/* Tells the result of save or upload: errors, a table or a document. Returns the exit status. */
int node_command_tell(const struct node_command *run, const struct save_result *result);

/* Tells what stopped the run as a whole, if anything did, ends the progress, and prints as command_print. */
int node_command_print(const struct node_command *run, const struct sc_err *err, const char *text,
                       int status);

/* The result is a document; else whether it may have colours. */
bool command_wants_json(const struct call *call);
bool command_has_colour(const struct call *call);

/* Prints a result of whatever form on standard output, unless text is NULL. Returns status, or the one that
 * tells that nobody can read what it stands for, or that of a signal that came while nobody did. */
int command_print(const struct call *call, const char *text, int status);

/* Tells that it ended before anything was dialled, because of err or of a signal. Returns the exit status. */
int node_command_refuse(const struct node_command *run, struct sc_err *err);

/* Tells an error before which nothing was begun, as JSON too if that is asked for. Returns
 * EXIT_STATUS_REFUSED. */
int command_refuse(const struct call *call, const struct sc_err *err);

#endif
