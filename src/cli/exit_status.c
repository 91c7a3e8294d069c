#include "snapctl/cli/exit_status.h"

#include <signal.h>

const struct exit_status exit_status_table[] = {
    {EXIT_STATUS_OK,               "done; of save: on as many etcd nodes as --require says, and uploaded if asked for"},
    {EXIT_STATUS_NONE_SAVED,
     "nothing came of it: no etcd node was saved; of other commands: every place failed"                              },
    {EXIT_STATUS_REFUSED,
     "wrong usage or configuration, or refused for another reason, before anything was touched"                       },
    {EXIT_STATUS_TOO_FEW,
     "some of it failed: fewer etcd nodes were saved than --require says, the upload failed, or another place did"    },
    {EXIT_STATUS_OUTPUT,           "done, but the result could not be written to standard output"                     },
    {EXIT_STATUS_SIGNAL + SIGHUP,  "interrupted by SIGHUP"                                                            },
    {EXIT_STATUS_SIGNAL + SIGINT,  "interrupted by SIGINT"                                                            },
    {EXIT_STATUS_SIGNAL + SIGTERM, "interrupted by SIGTERM"                                                           },
};

const size_t exit_status_count = sizeof exit_status_table / sizeof *exit_status_table;
