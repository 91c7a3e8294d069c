#include "snapctl/cli/environment.h"

#include <stdlib.h>

const struct environment_variable environment_table[] = {
    {ENVIRONMENT_PASSPHRASE_FILE,
     "a file with the passphrase of every private key that has one; nobody is asked then"              },
    {ENVIRONMENT_AGENT_SOCKET,    "the socket of the SSH agent"                                        },
    {ENVIRONMENT_HOME,            "the folder that ~ stands for, with .ssh/id_rsa and .ssh/known_hosts"},
    {ENVIRONMENT_COLUMNS,         "the width of help, if the terminal's is not wanted"                 },
    {ENVIRONMENT_NO_COLOR,        "if it is not empty, no colours are used"                            },
    {ENVIRONMENT_TERM,            "dumb, or not set: plain lines instead of a live block"              },
};

const size_t environment_count = sizeof environment_table / sizeof *environment_table;

const char *environment_get(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}
