#include "provider.h"

#include <stdarg.h>

#include "snapctl/base/str.h"

const char *provider_env(const struct search *search, const char *name)
{
    const char *value = search->setup->env ? search->setup->env(search->setup->env_arg, name) : NULL;
    return value && *value ? value : NULL;
}

int provider_none(struct search *search, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    AUTO_FREE char *text = str_vformat(format, args);
    va_end(args);
    buf_reset(&search->why);
    buf_puts(&search->why, text);
    return 0;
}

int provider_take(const struct provider_names *names, const struct credentials_keys *keys,
                  struct credentials *out, struct sc_err *err)
{
    if (!keys->access_key || !keys->secret_key)
        return err_set(err, ERR_CONFIG, "%s: %s without %s: both are needed", names->place,
                       keys->access_key ? names->access_key : names->secret_key,
                       keys->access_key ? names->secret_key : names->access_key);
    out->access_key = str_dup(keys->access_key);
    out->secret_key = secret_dup(keys->secret_key);
    out->session_token = secret_dup(keys->session_token);
    return 0;
}
