#include "archive_entries.h"

#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"

static const struct {
    const char *before, *behind;
} paths[] = {
    [ARCHIVE_SNAPSHOT] = {"/backup/",         ""         },
    [ARCHIVE_STATE] = {"/etc/kubernetes/", ".rkestate"},
};

static void set_name(struct archive_entries *entries, const char *name)
{
    entries->name = str_dup(name);
    for (int i = 0; i < ARCHIVE_ENTRY_KINDS; i++)
        entries->names[i] = str_format("%s%s%s", paths[i].before, name, paths[i].behind);
}

void archive_entries_init(struct archive_entries *entries, const char *name, bool want_state)
{
    *entries = (struct archive_entries){.want_state = want_state};
    if (name)
        set_name(entries, name);
}

/* A path that a restore unpacks to where it belongs, whatever stands between its ends. */
static int learn_name(struct archive_entries *entries, const char *path, size_t len, struct sc_err *err)
{
    for (int i = 0; i < ARCHIVE_ENTRY_KINDS; i++) {
        size_t before = strlen(paths[i].before), behind = strlen(paths[i].behind);
        if (len <= before + behind || memcmp(path, paths[i].before, before) != 0 ||
            memcmp(path + len - behind, paths[i].behind, behind) != 0)
            continue;
        AUTO_FREE char *name = str_dup_n(path + before, len - before - behind);
        if (strlen(name) != len - before - behind || strchr(name, '/') || name[0] == '.')
            continue;
        set_name(entries, name);
        return 0;
    }
    AUTO_FREE char *found = str_visible(path, len, false);
    return err_set(err, ERR_CORRUPT, "the archive must have an entry /backup/NAME, found %s", found);
}

void archive_entries_clear(struct archive_entries *entries)
{
    for (int i = 0; i < ARCHIVE_ENTRY_KINDS; i++)
        free(entries->names[i]);
    free(entries->name);
    *entries = (struct archive_entries){0};
}

int archive_entries_see(struct archive_entries *entries, const char *name, size_t len,
                        enum archive_entry *which, struct sc_err *err)
{
    if (!entries->name && learn_name(entries, name, len, err) < 0)
        return -1;
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
    if (!entries->name)
        return err_set(err, ERR_CORRUPT, "the archive has no entries");
    for (int i = 0; i < ARCHIVE_ENTRY_KINDS; i++)
        if (!entries->seen[i] && (i != ARCHIVE_STATE || entries->want_state))
            return err_set(err, ERR_CORRUPT, "the archive has no entry %s", entries->names[i]);
    return 0;
}
