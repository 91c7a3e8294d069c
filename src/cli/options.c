#include "snapctl/cli/options.h"

#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/core/save.h"
#include "snapctl/s3/address.h"

static const char *const output_words[] = {[OUTPUT_TEXT] = "text", [OUTPUT_JSON] = "json", NULL};
static const char *const verify_words[] = {[SAVE_VERIFY_FULL] = "full", [SAVE_VERIFY_QUICK] = "quick", NULL};
static const char *const require_words[] = {
    [SAVE_REQUIRE_ALL] = "all", [SAVE_REQUIRE_QUORUM] = "quorum", [SAVE_REQUIRE_ANY] = "any", NULL};
static const char *const lookup_words[] = {
    [S3_LOOKUP_AUTO] = "auto", [S3_LOOKUP_DNS] = "dns", [S3_LOOKUP_PATH] = "path", NULL};
static const char *const via_words[] = {
    [STORE_VIA_AUTO] = "auto", [STORE_VIA_LOCAL] = "local", [STORE_VIA_NODE] = "node", NULL};
static const char *const checksum_words[] = {"none", "sha256", NULL};
static const char *const host_key_words[] = {[HOST_KEY_ASK] = "ask",
                                             [HOST_KEY_ACCEPT_NEW] = "accept-new",
                                             [HOST_KEY_STRICT] = "strict",
                                             [HOST_KEY_OFF] = "off",
                                             NULL};

static const struct option_help force_helps[] = {
    {FOR_SAVE,
     "replace a snapshot of the same name, on the nodes and in the bucket; the old one is kept until the new one is "
     "good"                                                                                         },
    {FOR_UPLOAD, "replace an object of the same name; the old one is kept until the new one is good"},
    {FOR_FETCH,  "replace a file of the same name; the old one is kept until the new one is good"   },
    {0,          NULL                                                                               },
};
static const struct option_help require_state_helps[] = {
    {FOR_SAVE,  "stop if there is no state file, instead of going on without it"},
    {FOR_CHECK, "a state file that is missing is a failure, not a warning"      },
    {0,         NULL                                                            },
};
static const struct option_help legacy_helps[] = {
    {FOR_WRITING,
     "as RKE before v0.2.0: the snapshot is the plain file NAME, without a state file, and --pki-bundle comes with it"},
    {FOR_CHECK,   "try what save --legacy needs"                                                                      },
    {0,           NULL                                                                                                },
};
static const struct option_help bundle_helps[] = {
    {FOR_WRITING,
     "the cluster's certificates, too: as pki.bundle.tar.gz beside the snapshot, on every etcd and control plane node; "
     "in the bucket as NAME.pki.bundle.tar.gz"                                                           },
    {FOR_CHECK,
     "try what save --pki-bundle needs: the cluster's certificates, on every etcd and control plane node"},
    {0,           NULL                                                                                   },
};
static const struct option_help keep_helps[] = {
    {FOR_SAVE,
     "after a success remove all one-time snapshots but the newest N where it was saved, in each place for itself; of "
     "several rules each keeps what it keeps"},
    {FOR_PRUNE,
     "remove all one-time snapshots but the newest N, in each place for itself; of several rules each keeps what it "
     "keeps"                                 },
    {0,         NULL                         },
};
static const struct option_help dry_run_helps[] = {
    {FOR_SAVE,
     "do all checks, show the exact remote commands and what a rule would remove, and change nothing"},
    {FOR_REMOVING, "show what would be removed, and change nothing"                                  },
    {0,            NULL                                                                              },
};
static const struct option_help s3_helps[] = {
    {FOR_SAVE,   "upload the snapshot to S3; an s3backupconfig in the configuration turns that on as well"},
    {FOR_UPLOAD, "upload to S3, as is done in any case"                                                   },
    {FOR_PLACES, "in S3 alone, unless --local is given, too"                                              },
    {0,          NULL                                                                                     },
};

enum { SHORTEST_PREFIX = 3 };

#define TARGET(field) offsetof(struct options, field)

/* clang-format off */
const struct option options_table[] = {
    {.name = "name", .value = "NAME", .type = OPTION_TEXT, .target = TARGET(name), .may_be_empty = true,
     .group = GROUP_SNAPSHOT, .commands = FOR_SAVE,
     .help = "name of the snapshot: letters, digits and . _ + -, at most 200; without it "
             "rke_etcd_snapshot_<UTC time> is made up, with a warning; an ending .zip is dropped"},
    {.name = "all", .type = OPTION_FLAG, .target = TARGET(all), .group = GROUP_SNAPSHOT,
     .commands = FOR_VERIFY, .help = "every snapshot that there is"},
    {.name = "from", .value = "PLACE", .type = OPTION_TEXT, .target = TARGET(from), .group = GROUP_SNAPSHOT,
     .commands = FOR_FETCH,
     .help = "where the snapshot is taken from: s3, node (the first that has a good one), or the address of a node; "
             "without it a node, else S3"},
    {.name = "to", .letter = 'o', .value = "FILE", .type = OPTION_PATH, .target = TARGET(to),
     .group = GROUP_SNAPSHOT, .commands = FOR_FETCH,
     .help = "the file that is made, of mode 0600, or the folder for NAME.zip; - is standard output; without it "
             "NAME.zip in the current folder"},
    {.name = "extract", .type = OPTION_FLAG, .target = TARGET(extract), .group = GROUP_SNAPSHOT,
     .commands = FOR_FETCH,
     .help = "leave what is in the archive: the etcd snapshot, as etcdctl restores it, as NAME or FILE, and the state "
             "file beside it as NAME.rkestate"},
    {.name = "config", .value = "FILE", .type = OPTION_PATH, .target = TARGET(config),
     .fallback = "cluster.yml", .variable = "RKE_CONFIG", .group = GROUP_SNAPSHOT, .commands = FOR_NODES,
     .help = "the cluster's RKE configuration; - reads standard input"},
    {.name = "force", .type = OPTION_FLAG, .target = TARGET(force), .group = GROUP_SNAPSHOT,
     .commands = FOR_WRITING | FOR_FETCH, .helps = force_helps},
    {.name = "require", .value = "HOW-MANY", .type = OPTION_CHOICE, .target = TARGET(require),
     .choices = require_words, .fallback = "all", .group = GROUP_SNAPSHOT, .commands = FOR_SAVE,
     .help = "how many etcd nodes must have saved it for success (status 0)"},
    {.name = "verify", .value = "HOW", .type = OPTION_CHOICE, .target = TARGET(verify),
     .choices = verify_words, .fallback = "full", .group = GROUP_SNAPSHOT, .commands = FOR_SAVE,
     .help = "full reads each archive back and proves it restorable, down to the database's pages; quick reads only its directory, and "
             "says so"},
    {.name = "timeout", .value = "SECONDS", .type = OPTION_SECONDS, .target = TARGET(timeout_s),
     .group = GROUP_SNAPSHOT, .commands = FOR_SAVE,
     .help = "longest time a node's snapshot may take, such as 300, 300s or 5m; without it backup_config's, "
             "else 300; never less than 60 s and 1 s for every 5 MB of database"},
    {.name = "parallel", .value = "N", .type = OPTION_NUMBER, .target = TARGET(parallel),
     .group = GROUP_SNAPSHOT, .commands = FOR_SAVE,
     .help = "at most N snapshots at the same time; without it all at once"},
    {.name = "state-file", .value = "FILE", .type = OPTION_PATH, .target = TARGET(state_file),
     .group = GROUP_SNAPSHOT, .commands = FOR_SAVE | FOR_CHECK,
     .help = "RKE's state file, which becomes part of the snapshot; without it the one beside the "
             "configuration, CONFIG.rkestate"},
    {.name = "require-state", .type = OPTION_FLAG, .target = TARGET(require_state), .group = GROUP_SNAPSHOT,
     .commands = FOR_SAVE | FOR_CHECK, .helps = require_state_helps},
    {.name = "legacy", .type = OPTION_FLAG, .target = TARGET(legacy), .group = GROUP_SNAPSHOT,
     .commands = FOR_TRYING, .helps = legacy_helps},
    {.name = "pki-bundle", .type = OPTION_FLAG, .target = TARGET(pki_bundle), .group = GROUP_SNAPSHOT,
     .commands = FOR_TRYING, .helps = bundle_helps},
    {.name = "image", .value = "IMAGE", .type = OPTION_TEXT, .target = TARGET(image),
     .group = GROUP_SNAPSHOT, .commands = FOR_NODES,
     .help = "the rke-tools image; without it system_images.alpine, else the one that the node has"},
    {.name = "ignore-docker-version", .type = OPTION_FLAG, .target = TARGET(ignore_docker_version),
     .group = GROUP_SNAPSHOT, .commands = FOR_NODES,
     .help = "do not compare the nodes' Docker version with the Kubernetes version"},
    {.name = "fix", .type = OPTION_FLAG, .target = TARGET(fix), .group = GROUP_SNAPSHOT,
     .commands = FOR_CHECK,
     .help = "remove what dead runs left: containers, state files, and unfinished uploads to S3 that are older than a day"},
    {.name = "keep", .value = "N", .type = OPTION_NUMBER, .target = TARGET(keep), .group = GROUP_SNAPSHOT,
     .commands = FOR_RULES, .helps = keep_helps},
    {.name = "keep-daily", .value = "N", .type = OPTION_NUMBER, .target = TARGET(keep_daily),
     .group = GROUP_SNAPSHOT, .commands = FOR_RULES,
     .help = "the same, but keep the newest of each of the last N days (UTC) that have any"},
    {.name = "keep-weekly", .value = "N", .type = OPTION_NUMBER, .target = TARGET(keep_weekly),
     .group = GROUP_SNAPSHOT, .commands = FOR_RULES,
     .help = "the same with weeks, which begin on Monday"},
    {.name = "older-than", .value = "AGE", .type = OPTION_AGE, .target = TARGET(older_than_s),
     .group = GROUP_SNAPSHOT, .commands = FOR_RULES,
     .help = "the same, but keep what is not older than AGE, such as 12h, 30d or 2w"},
    {.name = "prefix", .value = "TEXT", .type = OPTION_TEXT, .target = TARGET(prefix),
     .group = GROUP_SNAPSHOT, .commands = FOR_RULES,
     .help = "the rules are for snapshots whose names begin with TEXT; all others stay, and do not count"},
    {.name = "yes", .type = OPTION_FLAG, .target = TARGET(yes), .group = GROUP_SNAPSHOT,
     .commands = FOR_REMOVING, .help = "remove without asking on the terminal"},
    {.name = "dry-run", .type = OPTION_FLAG, .target = TARGET(dry_run), .group = GROUP_SNAPSHOT,
     .commands = FOR_SAVE | FOR_REMOVING, .helps = dry_run_helps},

    {.name = "ssh-agent-auth", .type = OPTION_FLAG, .target = TARGET(ssh_agent_auth), .group = GROUP_SSH,
     .commands = FOR_NODES, .help = "authenticate with the SSH agent at SSH_AUTH_SOCK"},
    {.name = "host-key-checking", .value = "MODE", .type = OPTION_CHOICE,
     .target = TARGET(host_key_checking), .choices = host_key_words, .fallback = "ask",
     .variable = "SNAPCTL_HOST_KEY_CHECKING", .group = GROUP_SSH, .commands = FOR_NODES,
     .help = "what to do with unknown hosts: ask on the terminal (without one they are refused), accept-new "
             "to trust and remember them, strict to refuse them, off to trust whoever answers; changed and "
             "revoked keys are always refused"},
    {.name = "known-hosts", .value = "FILE", .type = OPTION_PATH, .target = TARGET(known_hosts),
     .group = GROUP_SSH, .commands = FOR_NODES,
     .help = "the known_hosts file; without it ~/.ssh/known_hosts and the system's"},

    {.name = "s3", .type = OPTION_SWITCH, .target = TARGET(s3), .group = GROUP_S3, .commands = FOR_NODES,
     .helps = s3_helps},
    {.name = "no-s3", .type = OPTION_FLAG, .target = TARGET(no_s3), .group = GROUP_S3,
     .commands = FOR_WRITING, .help = "do not upload, whatever the configuration says"},
    {.name = "local", .type = OPTION_FLAG, .target = TARGET(local), .group = GROUP_S3,
     .commands = FOR_PLACES,
     .help = "on the etcd nodes alone, unless --s3 is given, too"},
    {.name = "s3-endpoint", .value = "HOST[:PORT]", .type = OPTION_TEXT, .target = TARGET(s3_endpoint),
     .may_be_empty = true, .group = GROUP_S3, .commands = FOR_NODES,
     .help = "the S3 service; without it s3.amazonaws.com"},
    {.name = "s3-endpoint-ca", .value = "FILE", .type = OPTION_PATH, .target = TARGET(s3_endpoint_ca),
     .may_be_empty = true, .group = GROUP_S3, .commands = FOR_NODES,
     .help = "PEM file with the CA of the endpoint, trusted beside the system's"},
    {.name = "access-key", .value = "KEY", .type = OPTION_TEXT, .target = TARGET(access_key),
     .may_be_empty = true, .group = GROUP_S3, .commands = FOR_NODES, .help = "the S3 access key"},
    {.name = "secret-key", .value = "SECRET", .type = OPTION_SECRET, .target = TARGET(secret_key),
     .may_be_empty = true, .group = GROUP_S3, .commands = FOR_NODES,
     .help = "the S3 secret key; it is wiped from the argument list at once"},
    {.name = "secret-key-file", .value = "FILE", .type = OPTION_PATH, .target = TARGET(secret_key_file),
     .may_be_empty = true, .group = GROUP_S3, .commands = FOR_NODES,
     .help = "file with the S3 secret key as its only line"},
    {.name = "bucket-name", .value = "BUCKET", .type = OPTION_TEXT, .target = TARGET(bucket_name),
     .may_be_empty = true, .group = GROUP_S3, .commands = FOR_NODES, .help = "the S3 bucket"},
    {.name = "folder", .value = "FOLDER", .type = OPTION_TEXT, .target = TARGET(folder),
     .may_be_empty = true, .group = GROUP_S3, .commands = FOR_NODES,
     .help = "the folder in the bucket: the object's key is FOLDER/NAME.zip"},
    {.name = "region", .value = "REGION", .type = OPTION_TEXT, .target = TARGET(region),
     .may_be_empty = true, .group = GROUP_S3, .commands = FOR_NODES,
     .help = "the bucket's region; without it that of the endpoint's name, of AWS_REGION, of the profile, "
             "or as the store tells it"},
    {.name = "session-token", .value = "TOKEN", .type = OPTION_SECRET, .target = TARGET(session_token),
     .may_be_empty = true, .group = GROUP_S3, .commands = FOR_NODES,
     .help = "the session token that belongs to temporary keys; it is wiped from the argument list at once"},
    {.name = "s3-bucket-lookup", .value = "HOW", .type = OPTION_CHOICE, .target = TARGET(s3_lookup),
     .choices = lookup_words, .fallback = "auto", .group = GROUP_S3, .commands = FOR_NODES,
     .help = "where the bucket stands in the URL: dns in the host's name, path in the path; auto takes dns "
             "for Amazon and its kin, path for all others"},
    {.name = "s3-plain-http", .type = OPTION_FLAG, .target = TARGET(s3_plain_http), .group = GROUP_S3,
     .commands = FOR_NODES,
     .help = "speak HTTP without TLS: keys stay secret, but the snapshot can be read on the way"},
    {.name = "s3-insecure", .type = OPTION_FLAG, .target = TARGET(s3_plain_http), .group = GROUP_S3,
     .commands = FOR_NODES, .help = "the same as --s3-plain-http, as k3s calls it"},
    {.name = "s3-skip-tls-verify", .type = OPTION_FLAG, .target = TARGET(s3_skip_tls_verify),
     .group = GROUP_S3, .commands = FOR_NODES,
     .help = "take any certificate: whoever answers gets the snapshot"},
    {.name = "s3-via", .value = "WAY", .type = OPTION_CHOICE, .target = TARGET(s3_via),
     .choices = via_words, .fallback = "auto", .group = GROUP_S3, .commands = FOR_NODES,
     .help = "where S3 is connected to from: local is here, node an etcd node, through SSH, where neither keys "
             "nor contents are seen; auto is local, but node for keys of the node's role, and where S3 cannot "
             "be reached from here"},
    {.name = "s3-proxy", .value = "URL", .type = OPTION_SECRET, .target = TARGET(s3_proxy),
     .may_be_empty = true, .group = GROUP_S3, .commands = FOR_NODES,
     .help = "the proxy for S3 alone; without it https_proxy and no_proxy of the environment apply"},
    {.name = "s3-timeout", .value = "SECONDS", .type = OPTION_SECONDS, .target = TARGET(s3_timeout_s),
     .group = GROUP_S3, .commands = FOR_NODES,
     .help = "longest time that sending or reading a snapshot may take; without it 60 s and 4 s for every MB of it"},
    {.name = "s3-sse", .value = "KIND", .type = OPTION_TEXT, .target = TARGET(s3_sse), .may_be_empty = true,
     .group = GROUP_S3, .commands = FOR_TRYING,
     .help = "encryption at rest: AES256, aws:kms, or aws:kms:KEY; without it the bucket's own"},
    {.name = "s3-checksum", .value = "KIND", .type = OPTION_CHOICE, .target = TARGET(s3_checksum),
     .choices = checksum_words, .group = GROUP_S3, .commands = FOR_TRYING,
     .help = "sha256: the store checks and keeps a SHA-256 of what it was sent; older stores do not know it"},
    {.name = "s3-object-lock", .value = "MODE:DAYS", .type = OPTION_TEXT, .target = TARGET(s3_object_lock),
     .may_be_empty = true, .group = GROUP_S3, .commands = FOR_TRYING,
     .help = "nobody may delete the object for so long: governance:30, or compliance:30, which binds the "
             "account's owner too; the bucket must have object lock"},
    {.name = "s3-tag", .value = "KEY=VALUE", .type = OPTION_WORDS, .target = TARGET(s3_tags),
     .group = GROUP_S3, .commands = FOR_TRYING, .help = "a tag for the object; up to ten times"},
    {.name = "s3-concurrency", .value = "N", .type = OPTION_NUMBER, .target = TARGET(s3_concurrency),
     .group = GROUP_S3, .commands = FOR_WRITING,
     .help = "parts of the upload that are sent at the same time, 4 without it, 64 at most; each takes 16 MiB "
             "of memory"},

    {.name = "output", .value = "FORMAT", .type = OPTION_CHOICE, .target = TARGET(output),
     .choices = output_words, .fallback = "text", .group = GROUP_OUTPUT, .commands = FOR_NODES,
     .help = "the result on standard output: a table, or one JSON document"},
    {.name = "quiet", .letter = 'q', .type = OPTION_FLAG, .target = TARGET(quiet), .group = GROUP_OUTPUT,
     .commands = FOR_ALL, .help = "only errors on standard error"},
    {.name = "debug", .letter = 'd', .type = OPTION_FLAG, .target = TARGET(debug), .group = GROUP_OUTPUT,
     .commands = FOR_ALL, .help = "tell more on standard error"},
    {.name = "trace", .type = OPTION_FLAG, .target = TARGET(trace), .group = GROUP_OUTPUT,
     .commands = FOR_ALL, .help = "tell everything on standard error"},

    {.name = "help", .letter = 'h', .type = OPTION_FLAG, .target = TARGET(help), .group = GROUP_GENERAL,
     .commands = FOR_ALL, .help = "show help and exit"},
    {.name = "version", .letter = 'v', .type = OPTION_FLAG, .target = TARGET(version),
     .group = GROUP_GENERAL, .commands = FOR_NONE,
     .help = "show the versions of snapctl and its libraries and exit"},
};
/* clang-format on */

const size_t options_count = sizeof options_table / sizeof *options_table;

const char *options_group_title(enum option_group group)
{
    static const char *const titles[] = {
        [GROUP_SNAPSHOT] = "Snapshot", [GROUP_SSH] = "SSH",         [GROUP_S3] = "S3",
        [GROUP_OUTPUT] = "Output",     [GROUP_GENERAL] = "General",
    };
    return titles[group];
}

const struct option *options_find(const char *name, size_t len)
{
    for (size_t i = 0; i < options_count; i++) {
        const struct option *option = &options_table[i];
        if (strlen(option->name) == len && memcmp(option->name, name, len) == 0)
            return option;
        if (len == 1 && option->letter == *name)
            return option;
    }
    return NULL;
}

/* --bucket for --bucket-name is no slip of the fingers, but as likely. */
static const struct option *find_longer(const char *name, unsigned commands)
{
    for (size_t i = 0; i < options_count; i++)
        if (options_table[i].commands & commands && str_starts(options_table[i].name, name))
            return &options_table[i];
    return NULL;
}

/* --s3-region for --region: RKE's names have no "s3-", others' have. */
static const char *behind_s3(const char *name)
{
    return name + (str_starts(name, "s3-") ? strlen("s3-") : 0);
}

static const struct option *find_for(const char *name, unsigned commands)
{
    const struct option *option = options_find(name, strlen(name));
    return option && option->commands & commands ? option : NULL;
}

const struct option *options_nearest(const char *name, unsigned commands)
{
    const char *rest = behind_s3(name);
    const struct option *nearest = NULL;
    if (rest != name && (nearest = find_for(rest, commands)))
        return nearest;
    size_t best = strlen(name) / 3 + 1;
    for (size_t i = 0; i < options_count; i++) {
        if (!(options_table[i].commands & commands))
            continue;
        size_t distance = str_distance(name, options_table[i].name, best);
        if (distance >= best)
            continue;
        best = distance;
        nearest = &options_table[i];
    }
    if (nearest || strlen(rest) < SHORTEST_PREFIX)
        return nearest;
    nearest = find_longer(rest, commands);
    return nearest ? nearest : find_longer(name, commands);
}

const char *options_help(const struct option *option, unsigned commands)
{
    if (option->help)
        return option->help;
    const struct option_help *help = option->helps;
    while (!(help->commands & commands) && help[1].text)
        help++;
    return help->text;
}

bool options_takes_value(const struct option *option)
{
    return option->type != OPTION_FLAG && option->type != OPTION_SWITCH;
}

void options_clear(struct options *options)
{
    secret_free(options->secret_key);
    secret_free(options->session_token);
    secret_free(options->s3_proxy);
    *options = (struct options){0};
}
