/* The options of all commands: one table, from which the parser, --help, the man page and the completion are
 * made. A new option is a field of struct options and a row of the table. */
#ifndef SNAPCTL_CLI_OPTIONS_H
#define SNAPCTL_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/err.h"
#include "snapctl/base/secret.h"

/* A flag that also tells whether it was given at all. */
enum option_switch { SWITCH_NOT_GIVEN, SWITCH_OFF, SWITCH_ON };

enum option_output { OUTPUT_TEXT, OUTPUT_JSON };

/* What the command line says. Strings belong to argv or the environment. */
enum { OPTION_WORDS_MAX = 10 };

struct option_words {
    const char *words[OPTION_WORDS_MAX];
    size_t n;
};

struct options {
    bool help, version, debug, trace, quiet;
    const char *config, *name, *image, *state_file, *known_hosts;
    bool require_state, force, dry_run, ignore_docker_version, ssh_agent_auth, legacy, pki_bundle;
    int timeout_s;         /* 0: not given */
    int parallel;          /* 0: not given */
    int require;           /* enum save_require */
    int verify;            /* enum save_verify */
    int host_key_checking; /* enum host_key_mode */
    int output;            /* enum option_output */
    enum option_switch s3;
    bool no_s3, local, all, fix, extract, yes;
    const char *from, *to, *prefix;                  /* NULL: not given */
    int keep, keep_daily, keep_weekly, older_than_s; /* 0: not given */
    const char *s3_endpoint, *s3_endpoint_ca, *access_key, *bucket_name, *folder, *region;
    struct secret *secret_key, *session_token; /* NULL: not given */
    int s3_lookup;                             /* enum s3_lookup */
    bool s3_plain_http, s3_skip_tls_verify;
    struct secret *s3_proxy; /* may hold a password; NULL: not given */
    const char *secret_key_file, *s3_sse, *s3_object_lock;
    int s3_via;      /* enum store_via */
    int s3_checksum; /* 1: SHA-256 */
    struct option_words s3_tags;
    int s3_timeout_s;   /* 0: not given */
    int s3_concurrency; /* 0: not given */
};

enum option_type {
    OPTION_FLAG,    /* bool: --x, --x=true, --x=false */
    OPTION_SWITCH,  /* enum option_switch, spelled as a flag */
    OPTION_TEXT,    /* const char * */
    OPTION_PATH,    /* const char *, completed as a file name */
    OPTION_SECRET,  /* struct secret *; the value is wiped from argv */
    OPTION_NUMBER,  /* int of [1, 1000] */
    OPTION_SECONDS, /* int: 300, 300s, 5m, 1h; at most a day */
    OPTION_AGE,     /* int, seconds: 12h, 30d, 2w; at most ten years */
    OPTION_CHOICE,  /* int: the index of the word in choices */
    OPTION_WORDS,   /* struct option_words: each use adds one */
};

enum option_group { GROUP_SNAPSHOT, GROUP_SSH, GROUP_S3, GROUP_OUTPUT, GROUP_GENERAL, GROUP_COUNT };

/* Which commands know an option. */
enum {
    FOR_SAVE = 1 << 0,
    FOR_HELP = 1 << 1,
    FOR_VERSION = 1 << 2,
    FOR_NONE = 1 << 3, /* without a command */
    FOR_UPLOAD = 1 << 4,
    FOR_LIST = 1 << 5,
    FOR_CHECK = 1 << 6,
    FOR_VERIFY = 1 << 7,
    FOR_FETCH = 1 << 8,
    FOR_PRUNE = 1 << 9,
    FOR_DELETE = 1 << 10,
    FOR_ALL = (1 << 11) - 1,
    FOR_WRITING = FOR_SAVE | FOR_UPLOAD,   /* the commands that write to the store */
    FOR_TRYING = FOR_WRITING | FOR_CHECK,  /* … and the one that tries whether they could */
    FOR_REMOVING = FOR_PRUNE | FOR_DELETE, /* those that ask before they remove */
    FOR_RULES = FOR_SAVE | FOR_PRUNE,      /* those that prune */
    /* Those that ask nodes and store alike. */
    FOR_PLACES = FOR_LIST | FOR_CHECK | FOR_VERIFY | FOR_FETCH | FOR_REMOVING,
    FOR_NODES = FOR_WRITING | FOR_PLACES, /* all commands that go to the nodes */
};

/* What an option means for some commands. */
struct option_help {
    unsigned commands;
    const char *text; /* plain text without line breaks and full stop */
};

struct option {
    const char *name;                /* without dashes */
    const char *value;               /* how help calls the value; NULL for flags */
    const char *fallback;            /* taken when nothing is given; NULL: none */
    const char *variable;            /* environment variable that is asked before the fallback; NULL: none */
    const char *const *choices;      /* of OPTION_CHOICE, ended by NULL */
    const char *help;                /* as of struct option_help, for all commands; NULL: see helps */
    const struct option_help *helps; /* of which each command has one, ended by one without text */
    size_t target;                   /* offset in struct options */
    enum option_type type;
    enum option_group group;
    unsigned commands;
    char letter;       /* one-letter form; 0: none */
    bool may_be_empty; /* an empty value means the same as none, as in RKE */
};

extern const struct option options_table[];
extern const size_t options_count;

/* "Snapshot", the heading of a group in help. */
const char *options_group_title(enum option_group group);

/* By its name, or its one letter; len bytes of name count. NULL: there is none. */
const struct option *options_find(const char *name, size_t len);

/* The option that was meant by a wrong name, among those of the commands: the nearest, or one that begins so.
 * NULL: there is none. */
const struct option *options_nearest(const char *name, unsigned commands);

/* What it means for a command, by its bit; of several, for one of them. */
const char *options_help(const struct option *option, unsigned commands);

bool options_takes_value(const struct option *option);

/* Sets the option's field from text; where is what messages call the place: "--name" or the variable.
 * ERR_USAGE says what would be right. The text of a secret is copied, and is the caller's to wipe. */
int options_set(struct options *options, const struct option *option, const char *where, const char *text,
                struct sc_err *err) WARN_UNUSED;

/* Appends a blank and the option as it would be written for a shell: " --name 'its value'". Nothing for
 * switches and secrets.
 */
void options_spell(struct buf *out, const struct options *options, const struct option *option);

/* Frees what options owns. */
void options_clear(struct options *options);

#endif
