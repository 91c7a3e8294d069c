/* The profile of AWS_PROFILE in the files that AWS's tools share. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "profile.h"
#include "provider.h"
#include "snapctl/base/str.h"

static const struct shared_file {
    const char *variable, *below_home;
    enum profile_syntax syntax;
} shared_files[] = {
    {"AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", PROFILE_CREDENTIALS},
    {"AWS_CONFIG_FILE",             ".aws/config",      PROFILE_CONFIG     },
};

enum { N_FILES = sizeof shared_files / sizeof *shared_files };

/* What a profile may want instead of keys, and what is said to that. */
static const struct {
    enum profile_key key;
    const char *answer;
} unsupported[] = {
    {PROFILE_ROLE_ARN,           "assuming another role is not supported"},
    {PROFILE_CREDENTIAL_PROCESS, "programs are not run for keys"         },
    {PROFILE_SSO_SESSION,        "single sign-on is not supported"       },
    {PROFILE_SSO_START_URL,      "single sign-on is not supported"       },
};

struct profiles {
    const char *name;
    char *paths[N_FILES]; /* NULL: no such file is known */
    struct profile found[N_FILES];
};

static char *path_of(const struct search *search, const struct shared_file *file)
{
    const char *path = provider_env(search, file->variable), *home = search->setup->home;
    if (!path)
        return home ? str_format("%s/%s", home, file->below_home) : NULL;
    return home && str_starts(path, "~/") ? str_format("%s%s", home, path + 1) : str_dup(path);
}

/* A file that is not there has no profiles; one that cannot be read is an error. */
static int read_file(const struct shared_file *file, const char *path, const char *name, struct profile *out,
                     struct sc_err *err)
{
    if (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    AUTO_SECRET struct secret *content = NULL;
    if (secret_read_file(path, PROVIDER_FILE_MAX, 0, &content, err) < 0)
        return -1;
    profile_parse(out, file->syntax, name, secret_data(content), secret_len(content));
    return 0;
}

static const char *text_of(const struct profile *p, enum profile_key key)
{
    return p->values[key] ? secret_data(p->values[key]) : NULL;
}

/* What the profile wants and cannot have, or NULL. */
static char *unsupported_wish(const struct profiles *all)
{
    for (size_t i = 0; i < N_FILES; i++)
        for (size_t j = 0; j < sizeof unsupported / sizeof *unsupported; j++)
            if (all->found[i].values[unsupported[j].key])
                return str_format("profile %s in %s has %s: %s", all->name, all->paths[i],
                                  profile_key_name(unsupported[j].key), unsupported[j].answer);
    return NULL;
}

/* The keys are of one file, the region may be of either. */
static int take_keys(const struct profiles *all, struct credentials *out, struct sc_err *err)
{
    for (size_t i = 0; i < N_FILES; i++) {
        const struct profile *p = &all->found[i];
        const struct credentials_keys keys = {text_of(p, PROFILE_ACCESS_KEY), p->values[PROFILE_SECRET_KEY],
                                              p->values[PROFILE_SESSION_TOKEN]};
        if (out->access_key || (!keys.access_key && !keys.secret_key))
            continue;
        AUTO_FREE char *place = str_format("profile %s in %s", all->name, all->paths[i]);
        const struct provider_names names = {place, profile_key_name(PROFILE_ACCESS_KEY),
                                             profile_key_name(PROFILE_SECRET_KEY)};
        if (provider_take(&names, &keys, out, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < N_FILES && out->access_key && !out->region; i++)
        out->region = str_dup(text_of(&all->found[i], PROFILE_REGION));
    return 0;
}

static int nothing_found(struct search *search, const struct profiles *all, bool named, struct sc_err *err)
{
    const char *credentials = all->paths[0] ? all->paths[0] : "no file";
    const char *config = all->paths[1] ? all->paths[1] : "no file";
    if (all->found[0].found || all->found[1].found)
        return provider_none(search, "profile %s has no keys (looked in %s and %s)", all->name, credentials,
                             config);
    if (named)
        return err_set(err, ERR_CONFIG, "profile %s of AWS_PROFILE is not in %s and not in %s", all->name,
                       credentials, config);
    return provider_none(search, "no profile %s in %s and %s", all->name, credentials, config);
}

static int find(struct search *search, struct profiles *all, bool named, struct credentials *out,
                struct sc_err *err)
{
    for (size_t i = 0; i < N_FILES; i++) {
        all->paths[i] = path_of(search, &shared_files[i]);
        if (all->paths[i] && read_file(&shared_files[i], all->paths[i], all->name, &all->found[i], err) < 0)
            return -1;
    }
    AUTO_FREE char *wish = unsupported_wish(all);
    if (wish) {
        ctx_log(search->ctx, LOG_WARN, "%s; it is passed over", wish);
        return provider_none(search, "%s", wish);
    }
    if (take_keys(all, out, err) < 0)
        return -1;
    return out->access_key ? 0 : nothing_found(search, all, named, err);
}

int provider_profile(struct search *search, struct credentials *out, struct sc_err *err)
{
    const char *name = provider_env(search, "AWS_PROFILE");
    struct profiles all = {.name = name ? name : "default"};
    int rc = find(search, &all, name != NULL, out, err);
    for (size_t i = 0; i < N_FILES; i++) {
        profile_free(&all.found[i]);
        mem_free_cleanup(&all.paths[i]);
    }
    return rc;
}
