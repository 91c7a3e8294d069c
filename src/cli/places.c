#include "snapctl/cli/places.h"

#include "snapctl/base/str.h"

static bool is_from_store(const struct options *o)
{
    return str_equal(o->from, "s3");
}

/* Without --from. */
static bool asks_nodes(const struct options *o)
{
    return o->local || o->s3 != SWITCH_ON;
}

static enum option_switch asks_store(const struct options *o)
{
    if (o->s3 != SWITCH_NOT_GIVEN)
        return o->s3;
    if (o->local)
        return SWITCH_OFF;
    return o->bucket_name ? SWITCH_ON : SWITCH_NOT_GIVEN;
}

bool places_nodes(const struct options *o)
{
    return o->from ? !is_from_store(o) : asks_nodes(o);
}

enum option_switch places_store(const struct options *o)
{
    if (!o->from)
        return asks_store(o);
    return is_from_store(o) ? SWITCH_ON : SWITCH_OFF;
}

int places_check(const struct options *o, struct sc_err *err)
{
    if (!o->from || (is_from_store(o) ? asks_store(o) != SWITCH_OFF : asks_nodes(o)))
        return 0;
    const char *other = o->s3 == SWITCH_ON ? "--s3" : o->s3 == SWITCH_OFF ? "--s3=false" : "--local";
    err_set(err, ERR_USAGE, "--from %s and %s contradict each other", o->from, other);
    return err_hint(err, "--from alone tells where the snapshot is taken from");
}
