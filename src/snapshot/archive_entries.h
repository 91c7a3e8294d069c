/* Which entries an archive of a snapshot has: the snapshot, and perhaps the state file, each once and nothing
 * else, as a restore unpacks all there is to where its name says. */
#ifndef SNAPCTL_SNAPSHOT_ARCHIVE_ENTRIES_H
#define SNAPCTL_SNAPSHOT_ARCHIVE_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>

#include "snapctl/base/err.h"
#include "snapctl/base/mem.h"

enum archive_entry { ARCHIVE_SNAPSHOT, ARCHIVE_STATE, ARCHIVE_ENTRY_KINDS };

struct archive_entries {
    bool want_state;
    char *name;                       /* of the snapshot; NULL: not known yet */
    char *names[ARCHIVE_ENTRY_KINDS]; /* NULL as long as name is */
    bool seen[ARCHIVE_ENTRY_KINDS];
};

/* name NULL: the first entry tells it. */
void archive_entries_init(struct archive_entries *entries, const char *name, bool want_state);
void archive_entries_clear(struct archive_entries *entries);

/* There is an entry of this name: which one is it? -1 if it must not be there. */
int archive_entries_see(struct archive_entries *entries, const char *name, size_t len,
                        enum archive_entry *which, struct sc_err *err) WARN_UNUSED;

/* -1 if one is missing. */
int archive_entries_complete(const struct archive_entries *entries, struct sc_err *err) WARN_UNUSED;

#endif
