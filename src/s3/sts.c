#include "sts.h"

#include <stdlib.h>
#include <string.h>

#include "rfc3339.h"
#include "snapctl/base/str.h"
#include "snapctl/s3/xml.h"

#define CREDENTIALS "AssumeRoleWithWebIdentityResponse/AssumeRoleWithWebIdentityResult/Credentials/"

enum field {
    ACCESS_KEY,
    SECRET_KEY,
    SESSION_TOKEN,
    EXPIRATION,
    CODE,
    MESSAGE,
    PLAIN_CODE,
    PLAIN_MESSAGE,
    FIELDS
};

static const char *const paths[FIELDS] = {
    [ACCESS_KEY] = CREDENTIALS "AccessKeyId",
    [SECRET_KEY] = CREDENTIALS "SecretAccessKey",
    [SESSION_TOKEN] = CREDENTIALS "SessionToken",
    [EXPIRATION] = CREDENTIALS "Expiration",
    [CODE] = "ErrorResponse/Error/Code",
    [MESSAGE] = "ErrorResponse/Error/Message",
    /* As radosgw refuses. */
    [PLAIN_CODE] = "Error/Code",
    [PLAIN_MESSAGE] = "Error/Message",
};

static bool is_there(const char *text)
{
    return text && *text;
}

static char *visible(const char *text)
{
    return is_there(text) ? str_visible(text, strlen(text), false) : NULL;
}

static int take_keys(char *const values[FIELDS], struct credentials *c, struct sc_err *err)
{
    if (!is_there(values[ACCESS_KEY]) || !is_there(values[SECRET_KEY]) || !is_there(values[SESSION_TOKEN]))
        return err_set(err, ERR_STORE, "the answer of STS holds neither keys nor an error");
    if (!values[EXPIRATION] || !rfc3339_parse(values[EXPIRATION], &c->expires))
        return err_set(err, ERR_STORE, "the Expiration in the answer of STS is no time");
    c->access_key = str_dup(values[ACCESS_KEY]);
    c->secret_key = secret_new(values[SECRET_KEY], strlen(values[SECRET_KEY]));
    c->session_token = secret_new(values[SESSION_TOKEN], strlen(values[SESSION_TOKEN]));
    return 0;
}

static int take_values(char *const values[FIELDS], struct sts_answer *out, struct sc_err *err)
{
    out->code = visible(values[values[CODE] ? CODE : PLAIN_CODE]);
    out->message = visible(values[values[MESSAGE] ? MESSAGE : PLAIN_MESSAGE]);
    return out->code || out->message ? 0 : take_keys(values, &out->credentials, err);
}

int sts_parse(const char *xml, size_t len, struct sts_answer *out, struct sc_err *err)
{
    char *values[FIELDS] = {NULL};
    struct s3_xml_field fields[FIELDS];
    for (size_t i = 0; i < FIELDS; i++)
        fields[i] = (struct s3_xml_field){paths[i], &values[i]};
    *out = (struct sts_answer){0};
    int rc = s3_xml_fields(xml, len, fields, FIELDS) < 0
                 ? err_set(err, ERR_STORE, "the answer is not the XML of STS")
                 : take_values(values, out, err);
    for (size_t i = 0; i < FIELDS; i++) {
        if (values[i])
            secret_wipe(values[i], strlen(values[i]));
        free(values[i]);
    }
    return rc;
}

void sts_answer_free(struct sts_answer *answer)
{
    credentials_free(&answer->credentials);
    free(answer->code);
    free(answer->message);
    *answer = (struct sts_answer){0};
}
