/* The places where the user wrote the keys themselves. */
#include <string.h>

#include "provider.h"

/* Each flag overrides its field of cluster.yml; a flag's session token is never joined to other keys' own. */
int provider_flags(struct search *search, struct credentials *out, struct sc_err *err)
{
    static const struct provider_names names = {"flags", "--access-key", "--secret-key"};
    const struct credentials_keys *flags = &search->setup->flags, *file = &search->setup->cluster_file;
    if (!flags->access_key && !flags->secret_key && !flags->session_token)
        return provider_none(search, "--access-key and --secret-key are not given");
    const struct credentials_keys keys = {
        .access_key = flags->access_key ? flags->access_key : file->access_key,
        .secret_key = flags->secret_key ? flags->secret_key : file->secret_key,
        .session_token = flags->session_token,
    };
    if (!keys.access_key && !keys.secret_key)
        return err_set(err, ERR_CONFIG, "flags: --session-token without --access-key and --secret-key");
    return provider_take(&names, &keys, out, err);
}

int provider_cluster_file(struct search *search, struct credentials *out, struct sc_err *err)
{
    static const struct provider_names names = {"cluster.yml", "s3backupconfig.access_key",
                                                "s3backupconfig.secret_key"};
    const struct credentials_keys *keys = &search->setup->cluster_file;
    if (!keys->access_key && !keys->secret_key)
        return provider_none(search, "s3backupconfig has no access_key and no secret_key");
    return provider_take(&names, keys, out, err);
}

int provider_environment(struct search *search, struct credentials *out, struct sc_err *err)
{
    static const struct provider_names names = {"environment", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"};
    const char *access_key = provider_env(search, names.access_key);
    const char *secret = provider_env(search, names.secret_key);
    const char *token = provider_env(search, "AWS_SESSION_TOKEN");
    if (!access_key && !secret)
        return provider_none(search, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
    AUTO_SECRET struct secret *secret_key = secret ? secret_new(secret, strlen(secret)) : NULL;
    AUTO_SECRET struct secret *session_token = token ? secret_new(token, strlen(token)) : NULL;
    const struct credentials_keys keys = {access_key, secret_key, session_token};
    return provider_take(&names, &keys, out, err);
}
