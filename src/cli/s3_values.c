#include "snapctl/cli/s3_values.h"

#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"

enum { DAYS_MAX = 36500, TAG_KEY_MAX = 128, TAG_VALUE_MAX = 256 };

static const char kms[] = "aws:kms";

int s3_value_sse(const char *text, const char **sse, const char **key, struct sc_err *err)
{
    size_t len = strlen(kms);
    *key = NULL;
    *sse = strcmp(text, "AES256") == 0 ? "AES256" : kms;
    if (*sse != kms || strcmp(text, kms) == 0)
        return 0;
    if (str_starts(text, kms) && text[len] == ':' && text[len + 1]) {
        *key = text + len + 1;
        return 0;
    }
    err_set(err, ERR_USAGE, "\"%s\" is no kind of encryption", text);
    return err_hint(err, "it is AES256, aws:kms, or aws:kms:KEY");
}

int s3_value_lock(const char *text, const char **mode, int *days, struct sc_err *err)
{
    static const char *const modes[] = {"GOVERNANCE", "COMPLIANCE"};
    const char *colon = strchr(text, ':');
    int64_t number;
    for (size_t i = 0; colon && i < sizeof modes / sizeof *modes; i++) {
        bool same =
            strlen(modes[i]) == (size_t)(colon - text) && strncasecmp(text, modes[i], strlen(modes[i])) == 0;
        if (!same || !str_to_int(colon + 1, 1, DAYS_MAX, &number))
            continue;
        *mode = modes[i];
        *days = (int)number;
        return 0;
    }
    err_set(err, ERR_USAGE, "\"%s\" is no object lock", text);
    return err_hint(err, "write MODE:DAYS, as in governance:30 or compliance:30, at most %d days", DAYS_MAX);
}

static size_t characters(const char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

int s3_value_tag(const char *text, char **name, struct sigv4_field *out, struct sc_err *err)
{
    size_t len = strcspn(text, "=");
    AUTO_FREE char *visible = str_visible(text, strlen(text), false);
    bool good = len && text[len] == '=' && characters(text, len) <= TAG_KEY_MAX &&
                characters(text + len + 1, strlen(text + len + 1)) <= TAG_VALUE_MAX &&
                strcmp(visible, text) == 0;
    if (!good) {
        err_set(err, ERR_USAGE, "\"%s\" is no tag", visible);
        return err_hint(err, "write KEY=VALUE, at most %d and %d characters", TAG_KEY_MAX, TAG_VALUE_MAX);
    }
    *name = str_dup_n(text, len);
    *out = (struct sigv4_field){*name, text + len + 1};
    return 0;
}
