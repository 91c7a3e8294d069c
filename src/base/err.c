#include "snapctl/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"

static const struct {
    const char *name;
    bool retryable;
} kinds[] = {
    [ERR_NONE] = {"none",        false},
      [ERR_USAGE] = {"usage",       false},
    [ERR_CONFIG] = {"config",      false},
      [ERR_REFUSED] = {"refused",     false},
    [ERR_HOST_KEY] = {"host-key",    false},
      [ERR_AUTH] = {"auth",        false},
    [ERR_NETWORK] = {"network",     true },
      [ERR_TIMEOUT] = {"timeout",     true },
    [ERR_CANCELLED] = {"cancelled",   true },
      [ERR_DOCKER] = {"docker",      false},
    [ERR_IMAGE] = {"image",       false},
      [ERR_ETCD] = {"etcd",        true },
    [ERR_BUSY] = {"busy",        true },
      [ERR_SPACE] = {"space",       false},
    [ERR_SNAPSHOT] = {"snapshot",    true },
      [ERR_CORRUPT] = {"corrupt",     true },
    [ERR_SYSTEM] = {"system",      false},
      [ERR_CERTIFICATE] = {"certificate", false},
    [ERR_STORE] = {"store",       true },
};

const char *err_kind_name(enum err_kind kind)
{
    return kinds[kind].name;
}

bool err_kind_retryable(enum err_kind kind)
{
    return kinds[kind].retryable;
}

static void replace(char **slot, char *text)
{
    free(*slot);
    *slot = text;
}

/* The new text is made before the old one goes: it may have been made of it. */
static int set(struct sc_err *err, enum err_kind kind, char *text)
{
    if (!err) {
        free(text);
        return -1;
    }
    err->kind = kind;
    replace(&err->text, text);
    replace(&err->hint, NULL);
    return -1;
}

int err_set(struct sc_err *err, enum err_kind kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = str_vformat(format, args);
    va_end(args);
    return set(err, kind, text);
}

bool err_is_no_room(int number)
{
    return number == ENOSPC || number == EDQUOT || number == EFBIG;
}

int err_set_errno(struct sc_err *err, enum err_kind kind, const char *format, ...)
{
    int number = errno;
    va_list args;
    va_start(args, format);
    AUTO_FREE char *text = str_vformat(format, args);
    va_end(args);
    char reason[128];
    return set(err, kind, str_format("%s: %s", text, strerror_r(number, reason, sizeof reason)));
}

int err_wrap(struct sc_err *err, const char *format, ...)
{
    if (!err)
        return -1;
    va_list args;
    va_start(args, format);
    AUTO_FREE char *prefix = str_vformat(format, args);
    va_end(args);
    replace(&err->text, str_format("%s: %s", prefix, err->text ? err->text : "unknown error"));
    return -1;
}

int err_hint(struct sc_err *err, const char *format, ...)
{
    if (!err)
        return -1;
    va_list args;
    va_start(args, format);
    replace(&err->hint, str_vformat(format, args));
    va_end(args);
    return -1;
}

void err_copy(struct sc_err *to, const struct sc_err *from)
{
    err_set(to, from->kind, "%s", from->text ? from->text : "unknown error");
    if (from->hint)
        err_hint(to, "%s", from->hint);
}

void err_move(struct sc_err *to, struct sc_err *from)
{
    err_clear(to);
    *to = *from;
    *from = (struct sc_err){0};
}

void err_clear(struct sc_err *err)
{
    free(err->text);
    free(err->hint);
    *err = (struct sc_err){0};
}
