/* The one table of the keys that snapctl reads: it drives reading, checks, defaults, warnings about near
 * misses, and the test of docs/cluster-yml.md. Source: rancher/rke, types/rke_types.go, types/backup_types.go
 * and cluster/defaults.go. */
#ifndef SNAPCTL_CONFIG_SCHEMA_PRIVATE_H
#define SNAPCTL_CONFIG_SCHEMA_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "snapctl/base/mem.h"

/* A level is a map with keys of its own. */
enum schema_level {
    LEVEL_TOP,
    LEVEL_NODE,
    LEVEL_BASTION,
    LEVEL_REGISTRY,
    LEVEL_IMAGES,
    LEVEL_SERVICES,
    LEVEL_ETCD,
    LEVEL_BACKUP,
    LEVEL_S3,
};

enum schema_type {
    TYPE_TEXT,  /* one line; numbers and truth values count as the text that was written */
    TYPE_BLOCK, /* a text of several lines */
    TYPE_BOOL,
    TYPE_INT,
    TYPE_TEXTS, /* a list of texts of one line, or a single one */
    TYPE_MAP,   /* of the level `inner` */
    TYPE_MAPS,  /* a list of them */
};

struct schema_key {
    const char *name;
    size_t field;         /* in the level's raw struct */
    const char *fallback; /* the default, as it would be written in the file; NULL: see note */
    const char *note;     /* the default in words; NULL: none */
    const char *example;  /* for hints */
    const char *(*check)(const char *text);
    enum schema_level level;
    enum schema_type type;
    enum schema_level inner; /* of a map, or of the maps in a list */
    bool secret;             /* never shown */
};

size_t schema_count(void);
const struct schema_key *schema_at(size_t i);

/* The key of that name at a level, or NULL. */
const struct schema_key *schema_find(enum schema_level level, const char *name, size_t len);

/* "nodes[]", "" for the top. */
const char *schema_level_path(enum schema_level level);

/* Bytes of the level's raw struct. */
size_t schema_level_size(enum schema_level level);

/* "nodes[].port". The caller frees it. */
char *schema_path(const struct schema_key *key) WARN_UNUSED;

/* "a list of maps" and so on. */
const char *schema_type_name(enum schema_type type);

/* How near a name is to the key that was found for it, from far to near. */
enum schema_nearness {
    SCHEMA_FAR,
    SCHEMA_NEAR,   /* a letter or two differ */
    SCHEMA_ASTRAY, /* the name of a key at another level */
    SCHEMA_SAME,   /* but for case, dashes and underscores */
};

/* The key that was probably meant by a name that schema_find does not know. The other keys that RKE has at a
 * level are all SCHEMA_FAR: none resembles one of ours (tests/unit/config/test_schema.c has the list). */
enum schema_nearness schema_guess(enum schema_level level, const char *name, size_t len,
                                  const struct schema_key **out);

#endif
