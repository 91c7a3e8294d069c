#include "raw.h"

#include <stdlib.h>
#include <string.h>

#include "schema.h"
#include "snapctl/base/str.h"
#include "values.h"

struct reader {
    struct tree *tree;
    struct message *m;
};

static int read_map(struct reader *r, enum schema_level level, struct tree_node *map, const char *where,
                    void *into);

static char *join(const char *where, const char *name)
{
    return str_format("%s%s%s", where, *where ? "." : "", name);
}

/* What was found, for a message; a secret is only named by its kind, and so is a key in a wrong place. */
static char *found(const struct schema_key *key, const struct tree_node *value)
{
    if (value->kind != TREE_TEXT)
        return str_dup(tree_kind_name(value));
    return key->secret || strstr(value->text, "PRIVATE KEY") ? str_dup("a text (not shown)")
                                                             : message_quote(value->text, value->len);
}

static int wrong(struct reader *r, const struct schema_key *key, const struct tree_node *value,
                 const char *path, const char *right)
{
    AUTO_FREE char *what = found(key, value);
    message_error(r->m, &value->mark, path, "found %s; %s", what, right);
    return err_hint(r->m->err, "for example: %s", key->example);
}

static int wrong_type(struct reader *r, const struct schema_key *key, const struct tree_node *value,
                      const char *path)
{
    AUTO_FREE char *right = str_format("must be %s", schema_type_name(key->type));
    return wrong(r, key, value, path, right);
}

static bool is_unset(const struct tree_node *value)
{
    return tree_is_null(value) || (value->kind == TREE_TEXT && value->len == 0);
}

static int check_text(struct reader *r, const struct schema_key *key, const struct tree_node *value,
                      const char *path)
{
    bool ignored_bool;
    if (value->kind != TREE_TEXT)
        return wrong_type(r, key, value, path);
    AUTO_FREE char *control = values_find_control(value->text, value->len, key->type == TYPE_BLOCK);
    if (control) {
        message_error(r->m, &value->mark, path, "found the control character %s; must be %s", control,
                      key->type == TYPE_BLOCK ? "plain text" : "plain text in one line");
        return err_hint(r->m->err, "for example: %s", key->example);
    }
    if (key->type == TYPE_BOOL && !(value->plain && values_to_bool(value->text, &ignored_bool)))
        return wrong_type(r, key, value, path);
    if (key->type == TYPE_INT && !value->plain)
        return wrong_type(r, key, value, path);
    const char *right = key->check ? key->check(value->text) : NULL;
    return right ? wrong(r, key, value, path, right) : 0;
}

const struct tree_node *raw_item(const struct tree_node *list, size_t i)
{
    if (!list || list->kind == TREE_TEXT)
        return i == 0 ? list : NULL;
    return i < list->n_items ? list->items[i] : NULL;
}

static int check_texts(struct reader *r, const struct schema_key *key, const struct tree_node *value,
                       const char *path)
{
    const struct tree_node *item;
    if (value->kind == TREE_MAP)
        return wrong_type(r, key, value, path);
    for (size_t i = 0; (item = raw_item(value, i)); i++) {
        AUTO_FREE char *item_path = str_format("%s[%zu]", path, i);
        if (item->kind != TREE_TEXT || is_unset(item))
            return wrong(r, key, item, item_path, "must be a text that is not empty");
        if (check_text(r, key, item, item_path) < 0)
            return -1;
    }
    return 0;
}

static int read_items(struct reader *r, const struct schema_key *key, const struct tree_node *value,
                      const char *path, char *items)
{
    for (size_t i = 0; i < value->n_items; i++) {
        AUTO_FREE char *item_path = str_format("%s[%zu]", path, i);
        struct tree_node *item = value->items[i];
        if (item->kind != TREE_MAP)
            return message_error(r->m, &item->mark, item_path, "found %s; must be a map of keys",
                                 tree_is_null(item) ? "nothing" : tree_kind_name(item));
        if (read_map(r, key->inner, item, item_path, items + i * schema_level_size(key->inner)) < 0)
            return -1;
    }
    return 0;
}

static int read_maps(struct reader *r, const struct schema_key *key, const struct tree_node *value,
                     const char *path, struct raw_list *list)
{
    if (value->kind != TREE_LIST)
        return wrong_type(r, key, value, path);
    AUTO_FREE char *items = mem_calloc(value->n_items, schema_level_size(key->inner));
    if (read_items(r, key, value, path, items) < 0)
        return -1;
    free(list->items);
    *list = (struct raw_list){value, mem_take(&items), value->n_items};
    return 0;
}

static void unset(const struct schema_key *key, void *field)
{
    if (key->type == TYPE_MAPS) {
        free(((struct raw_list *)field)->items);
        memset(field, 0, sizeof(struct raw_list));
    } else {
        memset(field, 0, key->type == TYPE_MAP ? schema_level_size(key->inner) : sizeof(struct tree_node *));
    }
}

static int read_value(struct reader *r, const struct schema_key *key, struct tree_node *value,
                      const char *where, void *into)
{
    char *field = (char *)into + key->field;
    AUTO_FREE char *path = join(where, key->name);
    bool text = key->type != TYPE_MAP && key->type != TYPE_MAPS;
    if (tree_is_null(value) || (text && is_unset(value))) {
        unset(key, field);
        return 0;
    }
    if (key->type == TYPE_MAPS)
        return read_maps(r, key, value, path, (struct raw_list *)field);
    if (key->type == TYPE_MAP)
        return value->kind == TREE_MAP ? read_map(r, key->inner, value, path, field)
                                       : wrong_type(r, key, value, path);
    *(const struct tree_node **)field = value;
    return (key->type == TYPE_TEXTS ? check_texts : check_text)(r, key, value, path);
}

static bool is_merge(const struct tree_node *name)
{
    return name->plain && strcmp(name->text, "<<") == 0;
}

/* gopkg.in/yaml.v2 merges where << stands: what is given above it in the same map is replaced, against the
 * letter of YAML, which has it the other way round. */
static void warn_replaced(struct reader *r, enum schema_level level, const struct cluster_mark *at,
                          const struct tree_node *merged, const bool *given, const char *where)
{
    for (size_t i = 0; i < merged->n_items; i += 2) {
        const struct tree_node *name = merged->items[i];
        const struct schema_key *key =
            name->kind == TREE_TEXT ? schema_find(level, name->text, name->len) : NULL;
        if (!key || !given[key - schema_at(0)])
            continue;
        AUTO_FREE char *path = join(where, key->name);
        message_warn(r->m, at, path,
                     "<< replaces the value that is given above it, as in RKE; put << first to keep it");
    }
}

static int merge(struct reader *r, enum schema_level level, const struct cluster_mark *at,
                 struct tree_node *value, const bool *given, const char *where, void *into)
{
    size_t n = value->kind == TREE_LIST ? value->n_items : 1;
    /* Backwards, as the earlier maps of a list win. */
    for (size_t i = n; i-- > 0;) {
        struct tree_node *one = value->kind == TREE_LIST ? value->items[i] : value;
        AUTO_FREE char *path = join(where, "<<");
        if (one->kind != TREE_MAP)
            return message_error(r->m, at, path, "found %s; must be a map, or a list of maps, to merge",
                                 tree_kind_name(one));
        warn_replaced(r, level, at, one, given, where);
        if (read_map(r, level, one, where, into) < 0)
            return -1;
    }
    return 0;
}

static void guess(struct reader *r, enum schema_level level, const struct tree_node *name, const bool *given,
                  const char *where)
{
    const struct schema_key *key = NULL;
    enum schema_nearness nearness = schema_guess(level, name->text, name->len, &key);
    if (nearness == SCHEMA_FAR)
        return;
    AUTO_FREE char *quoted = message_quote(name->text, name->len);
    AUTO_FREE char *right = schema_path(key);
    if (nearness == SCHEMA_ASTRAY) {
        message_warn(r->m, &name->mark, where, "the key %s is ignored here; it belongs at %s", quoted, right);
        return;
    }
    /* Two different keys, one of which happens to look like ours. */
    if (nearness == SCHEMA_NEAR && given[key - schema_at(0)])
        return;
    message_warn(r->m, &name->mark, where, "the key %s is ignored, as RKE does not know it; did you mean %s?",
                 quoted, key->name);
}

static int by_text(const void *a, const void *b)
{
    const struct tree_node *x = *(struct tree_node *const *)a, *y = *(struct tree_node *const *)b;
    int order = strcmp(x->text, y->text);
    if (order)
        return order;
    if (x->mark.line != y->mark.line)
        return x->mark.line < y->mark.line ? -1 : 1;
    return (x->mark.column > y->mark.column) - (x->mark.column < y->mark.column);
}

static void warn_repeated(struct reader *r, const struct tree_node *map, const char *where)
{
    size_t n = map->n_items / 2;
    AUTO_FREE struct tree_node **names = mem_calloc(n, sizeof(struct tree_node *));
    for (size_t i = 0; i < n; i++)
        names[i] = map->items[2 * i];
    qsort(names, n, sizeof(struct tree_node *), by_text);
    for (size_t i = 1; i < n; i++) {
        if (strcmp(names[i]->text, names[i - 1]->text) != 0 || is_merge(names[i]))
            continue;
        AUTO_FREE char *quoted = message_quote(names[i]->text, names[i]->len);
        message_warn(r->m, &names[i]->mark, where,
                     "the key %s is given again (first in line %zu); the last one wins, as in RKE", quoted,
                     names[i - 1]->mark.line);
    }
}

static void warn_about_names(struct reader *r, enum schema_level level, struct tree_node *map,
                             const bool *given, const char *where)
{
    if (map->checked)
        return;
    map->checked = true;
    warn_repeated(r, map, where);
    for (size_t i = 0; i < map->n_items; i += 2) {
        const struct tree_node *name = map->items[i];
        if (!is_merge(name) && !schema_find(level, name->text, name->len))
            guess(r, level, name, given, where);
    }
}

/* Key by key in the file's order into the one struct, as gopkg.in/yaml.v2 does: so a later value wins, and
 * maps that are given twice, or merged, are joined key by key. */
static int read_map(struct reader *r, enum schema_level level, struct tree_node *map, const char *where,
                    void *into)
{
    AUTO_FREE bool *given = mem_calloc(schema_count(), sizeof *given);
    for (size_t i = 0; i < map->n_items; i += 2) {
        const struct tree_node *name = map->items[i];
        struct tree_node *value = map->items[i + 1];
        if (name->kind != TREE_TEXT)
            return message_error(r->m, &name->mark, where, "found %s as a key; must be a text",
                                 tree_kind_name(name));
        const struct schema_key *key = schema_find(level, name->text, name->len);
        if (is_merge(name) && merge(r, level, &name->mark, value, given, where, into) < 0)
            return -1;
        if (key && read_value(r, key, value, where, into) < 0)
            return -1;
        if (key)
            given[key - schema_at(0)] = true;
    }
    *(const struct tree_node **)into = map;
    warn_about_names(r, level, map, given, where);
    return 0;
}

static void set_defaults(struct reader *r, enum schema_level level, void *into)
{
    for (size_t i = 0; i < schema_count(); i++) {
        const struct schema_key *key = schema_at(i);
        char *field = (char *)into + key->field;
        if (key->level != level)
            continue;
        if (key->type == TYPE_MAP)
            set_defaults(r, key->inner, field);
        const struct raw_list *list = (const struct raw_list *)field;
        for (size_t k = 0; key->type == TYPE_MAPS && k < list->n; k++)
            set_defaults(r, key->inner, (char *)list->items + k * schema_level_size(key->inner));
        if (key->fallback && !*(const struct tree_node **)field)
            *(const struct tree_node **)field = tree_add_text(r->tree, key->fallback);
    }
}

int raw_read(struct tree *tree, struct message *m, struct raw_cluster *out)
{
    struct reader r = {tree, m};
    if (!tree->root || tree_is_null(tree->root)) {
        message_error(m, NULL, "", "the file is empty; must be a map of keys");
        return err_hint(m->err, "for example: %s", schema_find(LEVEL_TOP, "nodes", 5)->example);
    }
    if (tree->root->kind != TREE_MAP)
        return message_error(m, &tree->root->mark, "", "found %s; must be a map of keys, such as nodes",
                             tree_kind_name(tree->root));
    if (tree->rest.line)
        message_warn(m, &tree->rest, "", "only the first YAML document is read, as in RKE");
    if (read_map(&r, LEVEL_TOP, tree->root, "", out) < 0)
        return -1;
    set_defaults(&r, LEVEL_TOP, out);
    return 0;
}

void raw_free(struct raw_cluster *raw)
{
    free(raw->nodes.items);
    free(raw->registries.items);
}
