/* The S3 settings of a run: cluster.yml's s3backupconfig as the base, each option over its one field. */
#ifndef SNAPCTL_CLI_S3_SETTINGS_H
#define SNAPCTL_CLI_S3_SETTINGS_H

#include <stdbool.h>

#include "snapctl/base/log.h"
#include "snapctl/cli/options.h"
#include "snapctl/config/cluster.h"
#include "snapctl/core/store.h"

/* What is checked before anything is dialled. Strings belong to the options and the cluster. */
struct s3_settings {
    bool wanted; /* by --s3 or by the file, and not turned off */
    const char *endpoint;
    const char *endpoint_ca; /* path; NULL: none, or custom_ca has it */
    struct secret *ca_file;  /* what is in it */
    const char *custom_ca;   /* PEM text */
    const char *sse;         /* "AES256", "aws:kms"; NULL: the bucket's own */
    const char *kms_key;     /* NULL: the account's */
    const char *access_key;
    struct secret *secret_key_file;                     /* what is in it */
    const struct secret *given_secret_key, *secret_key; /* on the command line; there or in cluster.yml */
    const char *bucket_name, *folder, *region;
    const char *lock_mode; /* "GOVERNANCE", "COMPLIANCE"; NULL: none */
    int lock_days;
    struct sigv4_field tags[OPTION_WORDS_MAX];
    char *tag_names[OPTION_WORDS_MAX];
    size_t n_tags;
};

/* Merges and checks. always: the command is about S3, whatever the file says. Given options are checked even
 * if no upload is wanted; then a warning tells that they have no effect. ERR_USAGE for an option, ERR_CONFIG
 * for a key of the file. */
int s3_settings_make(const struct options *options, const struct cluster *cluster, bool always,
                     struct log *log, struct s3_settings *out, struct sc_err *err) WARN_UNUSED;
void s3_settings_clear(struct s3_settings *settings);

/* The store of settings that are wanted. It points into the settings, the options and the cluster. */
struct store_options s3_settings_store(const struct s3_settings *settings, const struct options *options,
                                       const struct cluster *cluster, const char *home);

#endif
