/* What `check` asks of the store. */
#ifndef SNAPCTL_SRC_CORE_CHECK_STORE_H
#define SNAPCTL_SRC_CORE_CHECK_STORE_H

#include "snapctl/core/findings.h"
#include "store.h"

struct check_store_what {
    const struct store_options *options;
    const char *cluster; /* its name; NULL: it has none */
    bool fix;            /* abort uploads of ours that are older than a day */
};

/* Tries each action that save needs on a key that nobody has, in the store's folder; nothing is left, unless
 * a finding says so. -1 with ERR_CANCELLED; what fails is a finding. */
int check_store(struct run *run, const struct check_store_what *what, struct findings *findings,
                struct sc_err *err) WARN_UNUSED;

/* An unfinished upload of that key is one of ours, whose run is dead: [folder/]NAME.zip, or with --legacy
 * [folder/]NAME, begun more than a day before now. The store tells nothing of it but the key, so that a NAME
 * with a dot, which is what files of all kinds are called, is left alone. Times are in seconds since 1970; 0:
 * not told. folder: "folder/", or "". Pure. */
bool check_is_abandoned(const char *key, const char *folder, int64_t begun, int64_t now);

#endif
