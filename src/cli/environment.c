#include "snapctl/cli/environment.h"

#include <stdlib.h>

const struct environment_variable environment_table[] = {
    {ENVIRONMENT_PASSPHRASE_FILE,
     "a file with the passphrase of every private key that has one; nobody is asked then"              },
    {ENVIRONMENT_AGENT_SOCKET,    "the socket of the SSH agent"                                        },
    {ENVIRONMENT_HOME,            "the folder that ~ stands for, with .ssh/id_rsa and .ssh/known_hosts"},
    {ENVIRONMENT_TMPDIR,
     "the folder for the temporary file with parts of a database that is looked into; else /var/tmp"   },
    {"https_proxy",
     "the proxy for S3, as curl reads it, beside http_proxy and all_proxy; --s3-proxy comes first"     },
    {"no_proxy",                  "the hosts that are reached without that proxy"                      },
    {ENVIRONMENT_COLUMNS,         "the width of help, if the terminal's is not wanted"                 },
    {ENVIRONMENT_NO_COLOR,        "if it is not empty, no colours are used"                            },
    {ENVIRONMENT_TERM,            "dumb, or not set: plain lines instead of a live block"              },
};

const size_t environment_count = sizeof environment_table / sizeof *environment_table;

/* tests/static/docs.sh compares them with what src/s3 and src/core read. */
const struct environment_variable environment_aws[] = {
    {"AWS_ACCESS_KEY_ID",                      "the S3 access key, with AWS_SECRET_ACCESS_KEY"                                  },
    {"AWS_SECRET_ACCESS_KEY",                  "its secret key"                                                                 },
    {"AWS_SESSION_TOKEN",                      "the session token that belongs to them, if they are temporary"                  },
    {"AWS_REGION",
     "the bucket's region, where neither --region nor the configuration nor the endpoint's name tells it; and the region of STS"},
    {"AWS_DEFAULT_REGION",                     "the same, where AWS_REGION is not set"                                          },
    {"AWS_WEB_IDENTITY_TOKEN_FILE",            "a file with the OIDC token that STS gives keys for, with AWS_ROLE_ARN"          },
    {"AWS_ROLE_ARN",                           "the role that is assumed with that token"                                       },
    {"AWS_ROLE_SESSION_NAME",                  "the name of that session; without it snapctl"                                   },
    {"AWS_ENDPOINT_URL_STS",                   "the URL of another STS than AWS's own"                                          },
    {"AWS_PROFILE",                            "the profile in the two files below; without it default"                         },
    {"AWS_SHARED_CREDENTIALS_FILE",            "the file of keys that AWS's tools share; without it ~/.aws/credentials"         },
    {"AWS_CONFIG_FILE",                        "their configuration; without it ~/.aws/config"                                  },
    {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
     "the path at 169.254.170.2 where a container finds the keys of its role"                                                   },
    {"AWS_CONTAINER_CREDENTIALS_FULL_URI",
     "the whole URL of that, where there is no path: https, or http of this machine and of AWS's addresses for it"              },
    {"AWS_CONTAINER_AUTHORIZATION_TOKEN",      "what that URL wants as authorization"                                           },
    {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "a file with it, which comes first"                                              },
    {"AWS_EC2_METADATA_DISABLED",              "true: neither the etcd nodes nor this machine are asked for an IAM role"        },
};

const size_t environment_aws_count = sizeof environment_aws / sizeof *environment_aws;

const char *environment_get(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}
