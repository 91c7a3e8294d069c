#include "archive_entries.h"

#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"

void archive_entries_init(struct archive_entries *entries, const char *name, bool want_state)
{
    *entries = (struct archive_entries){
        .want_state = want_state,
        .names =
            {
                    [ARCHIVE_SNAPSHOT] = str_format("/backup/%s", name),
                    [ARCHIVE_STATE] = str_format("/etc/kubernetes/%s.rkestate", name),
                    },
    };
}

void archive_entries_clear(struct archive_entries *entries)
{
    for (int i = 0; i < ARCHIVE_ENTRY_KINDS; i++)
        free(entries->names[i]);
    *entries = (struct archive_entries){0};
}

int archive_entries_see(struct archive_entries *entries, const char *name, size_t len,
                        enum archive_entry *which, struct sc_err *err)
{
    for (int i = 0; i < ARCHIVE_ENTRY_KINDS; i++) {
        if (strlen(entries->names[i]) != len || memcmp(entries->names[i], name, len) != 0)
            continue;
        if (entries->seen[i])
            return err_set(err, ERR_CORRUPT, "the archive has two entries %s", entries->names[i]);
        entries->seen[i] = true;
        *which = (enum archive_entry)i;
        return 0;
    }
    AUTO_FREE char *found = str_visible(name, len, false);
    return err_set(err, ERR_CORRUPT, "the archive must have no other entries than %s and %s, found %s",
                   entries->names[ARCHIVE_SNAPSHOT], entries->names[ARCHIVE_STATE], found);
}

int archive_entries_complete(const struct archive_entries *entries, struct sc_err *err)
{
    for (int i = 0; i < ARCHIVE_ENTRY_KINDS; i++)
        if (!entries->seen[i] && (i != ARCHIVE_STATE || entries->want_state))
            return err_set(err, ERR_CORRUPT, "the archive has no entry %s", entries->names[i]);
    return 0;
}
