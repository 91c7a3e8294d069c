#include "tree.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "snapctl/base/str.h"

struct anchor {
    char *name;
    struct tree_node *node;
};

struct builder {
    const char *label, *text;
    size_t len;
    yaml_parser_t parser;
    struct tree *tree;
    struct tree_node *open[CLUSTER_MAX_DEPTH]; /* lists and maps that have not ended, the outermost first */
    size_t depth;
    struct anchor *anchors;
    size_t n_anchors;
    struct sc_err *err;
};

static struct cluster_mark mark_of(yaml_mark_t at)
{
    return (struct cluster_mark){at.line + 1, at.column + 1};
}

static int fail(struct builder *b, yaml_mark_t at, const char *format, ...) PRINTF_LIKE(3, 4);

static int fail(struct builder *b, yaml_mark_t at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    AUTO_FREE char *what = str_vformat(format, args);
    va_end(args);
    return err_set(b->err, ERR_CONFIG, "%s:%zu:%zu: %s", b->label, at.line + 1, at.column + 1, what);
}

/* Doubles at powers of two, so that the capacity need not be kept. */
static void *grown(void *array, size_t n, size_t size)
{
    return n & (n - 1) ? array : mem_realloc(array, n ? n * 2 : 1, size);
}

static struct tree_node *add_node(struct tree *tree, enum tree_kind kind)
{
    struct tree_node *node = mem_calloc(1, sizeof *node);
    node->kind = kind;
    node->weight = 1;
    tree->nodes = grown(tree->nodes, tree->n_nodes, sizeof(struct tree_node *));
    tree->nodes[tree->n_nodes++] = node;
    return node;
}

struct tree_node *tree_add_text(struct tree *tree, const char *text)
{
    struct tree_node *node = add_node(tree, TREE_TEXT);
    node->plain = true;
    node->text = str_dup(text);
    node->len = strlen(text);
    return node;
}

static int weigh(struct builder *b, yaml_mark_t at, const struct tree_node *node)
{
    if (!b->depth)
        return 0;
    struct tree_node *parent = b->open[b->depth - 1];
    parent->weight += node->weight;
    if (parent->weight <= TREE_MAX_VALUES)
        return 0;
    fail(b, at, "found more than %d values, aliases (*name) written out; a cluster.yml has some thousands",
         TREE_MAX_VALUES);
    return err_hint(b->err, "remove the aliases that multiply each other");
}

static void attach(struct builder *b, struct tree_node *node)
{
    if (!b->depth) {
        b->tree->root = node;
        return;
    }
    struct tree_node *parent = b->open[b->depth - 1];
    parent->items = grown(parent->items, parent->n_items, sizeof(struct tree_node *));
    parent->items[parent->n_items++] = node;
}

static int add_anchor(struct builder *b, yaml_mark_t at, const yaml_char_t *name, struct tree_node *node)
{
    if (!name)
        return 0;
    if (b->n_anchors == TREE_MAX_ANCHORS)
        return fail(b, at, "found more than %d anchors (&name)", TREE_MAX_ANCHORS);
    b->anchors = grown(b->anchors, b->n_anchors, sizeof *b->anchors);
    b->anchors[b->n_anchors++] = (struct anchor){str_dup((const char *)name), node};
    return 0;
}

/* Its name is not told: it may be a password that was to be in quotes. */
static int add_alias(struct builder *b, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    struct tree_node *node = NULL;
    /* An anchor may be given anew: the latest counts. */
    for (size_t i = b->n_anchors; i-- > 0 && !node;)
        if (strcmp(b->anchors[i].name, name) == 0)
            node = b->anchors[i].node;
    if (!node)
        return fail(b, event->start_mark,
                    "this alias names no anchor above it; a text that begins with * has to be in quotes");
    for (size_t i = 0; i < b->depth; i++)
        if (b->open[i] == node)
            return fail(b, event->start_mark, "this alias stands within the value it names");
    attach(b, node);
    return weigh(b, event->start_mark, node);
}

/* The parser tells how a tag was left out; a text under one of the core tags counts like a plain one. */
static bool is_plain(const yaml_event_t *event)
{
    static const char *const core[] = {YAML_NULL_TAG, YAML_BOOL_TAG, YAML_INT_TAG, YAML_FLOAT_TAG};
    const char *tag = (const char *)event->data.scalar.tag;
    for (size_t i = 0; tag && i < sizeof core / sizeof *core; i++)
        if (strcmp(tag, core[i]) == 0)
            return true;
    return event->data.scalar.plain_implicit != 0;
}

/* NULL if there are too many. */
static struct tree_node *new_node(struct builder *b, const yaml_event_t *event, enum tree_kind kind,
                                  const yaml_char_t *anchor)
{
    if (b->tree->n_nodes == TREE_MAX_VALUES) {
        fail(b, event->start_mark, "found more than %d values; a cluster.yml has some thousands",
             TREE_MAX_VALUES);
        return NULL;
    }
    struct tree_node *node = add_node(b->tree, kind);
    node->mark = mark_of(event->start_mark);
    attach(b, node);
    return add_anchor(b, event->start_mark, anchor, node) < 0 ? NULL : node;
}

static int add_scalar(struct builder *b, const yaml_event_t *event)
{
    struct tree_node *node = new_node(b, event, TREE_TEXT, event->data.scalar.anchor);
    if (!node)
        return -1;
    node->plain = is_plain(event);
    node->text = str_dup_n((const char *)event->data.scalar.value, event->data.scalar.length);
    node->len = event->data.scalar.length;
    return weigh(b, event->start_mark, node);
}

static int open_node(struct builder *b, const yaml_event_t *event, enum tree_kind kind,
                     const yaml_char_t *anchor)
{
    if (b->depth == CLUSTER_MAX_DEPTH)
        return fail(b, event->start_mark, "found lists and maps more than %d deep", CLUSTER_MAX_DEPTH);
    struct tree_node *node = new_node(b, event, kind, anchor);
    if (!node)
        return -1;
    b->open[b->depth++] = node;
    return 0;
}

static int close_node(struct builder *b, const yaml_event_t *event)
{
    const struct tree_node *node = b->open[--b->depth];
    return weigh(b, event->start_mark, node);
}

static int take(struct builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return add_alias(b, event);
    case YAML_SCALAR_EVENT:
        return add_scalar(b, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_node(b, event, TREE_LIST, event->data.sequence_start.anchor);
    case YAML_MAPPING_START_EVENT:
        return open_node(b, event, TREE_MAP, event->data.mapping_start.anchor);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_node(b, event);
    default:
        return 0;
    }
}

/* Bytes that are no text are told by their offset only. */
static yaml_mark_t mark_at_offset(const struct builder *b)
{
    yaml_mark_t at = {0};
    size_t end = b->parser.problem_offset < b->len ? b->parser.problem_offset : b->len;
    for (size_t i = 0; i < end; i++) {
        at.column = b->text[i] == '\n' ? 0 : at.column + 1;
        at.line += b->text[i] == '\n';
    }
    return at;
}

static bool line_begins_with_tab(const struct builder *b, size_t line)
{
    const char *at = b->text, *end = b->text + b->len;
    while (line-- && at) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    while (at && at < end && *at == ' ')
        at++;
    return at && at < end && *at == '\t';
}

static int fail_parser(struct builder *b)
{
    const yaml_parser_t *p = &b->parser;
    const char *problem = p->problem ? p->problem : "it ends too early";
    if (p->error == YAML_MEMORY_ERROR)
        return err_set(b->err, ERR_SYSTEM, "%s: out of memory", b->label);
    if (p->error == YAML_READER_ERROR) {
        fail(b, mark_at_offset(b), "not valid YAML: %s", problem);
        return err_hint(b->err, "save the file as UTF-8 text without control characters");
    }
    const char *context = p->context ? p->context : "";
    if (p->context && p->context_mark.line != p->problem_mark.line)
        fail(b, p->problem_mark, "not valid YAML: %s %s, which begins in line %zu", problem, context,
             p->context_mark.line + 1);
    else
        fail(b, p->problem_mark, "not valid YAML: %s%s%s", problem, *context ? " " : "", context);
    if (line_begins_with_tab(b, p->problem_mark.line))
        return err_hint(b->err, "the line begins with a tab: YAML is indented with blanks only");
    return err_hint(b->err, "check indentation, quotes and colons in this line and the one before");
}

static int next(struct builder *b, yaml_event_t *event)
{
    return yaml_parser_parse(&b->parser, event) ? 0 : fail_parser(b);
}

/* libyaml frees without wiping, and an event's text may be a key. */
static void drop_event(yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT)
        secret_wipe(event->data.scalar.value, event->data.scalar.length);
    yaml_event_delete(event);
}

static int build(struct builder *b)
{
    for (yaml_event_type_t type = YAML_NO_EVENT; type != YAML_DOCUMENT_END_EVENT;) {
        yaml_event_t event;
        if (next(b, &event) < 0)
            return -1;
        type = event.type;
        int result = take(b, &event);
        drop_event(&event);
        if (result < 0 || type == YAML_STREAM_END_EVENT)
            return result;
    }
    /* RKE never looks at what follows, so it need not be YAML. */
    yaml_event_t event;
    if (!yaml_parser_parse(&b->parser, &event)) {
        b->tree->rest = mark_of(b->parser.problem_mark);
        return 0;
    }
    if (event.type != YAML_STREAM_END_EVENT)
        b->tree->rest = mark_of(event.start_mark);
    drop_event(&event);
    return 0;
}

static void finish(struct builder *b)
{
    yaml_parser_t *p = &b->parser;
    secret_wipe(p->raw_buffer.start, (size_t)(p->raw_buffer.end - p->raw_buffer.start));
    secret_wipe(p->buffer.start, (size_t)(p->buffer.end - p->buffer.start));
    yaml_parser_delete(p);
    for (size_t i = 0; i < b->n_anchors; i++)
        free(b->anchors[i].name);
    free(b->anchors);
}

int tree_parse(const char *label, const char *text, size_t len, struct tree **out, struct sc_err *err)
{
    struct builder b = {.label = label, .text = text, .len = len, .err = err};
    if (!yaml_parser_initialize(&b.parser))
        return err_set(err, ERR_SYSTEM, "%s: out of memory", label);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)text, len);
    b.tree = mem_calloc(1, sizeof *b.tree);
    int result = build(&b);
    finish(&b);
    if (result < 0)
        tree_free(b.tree);
    else
        *out = b.tree;
    return result;
}

void tree_free(struct tree *tree)
{
    if (!tree)
        return;
    for (size_t i = 0; i < tree->n_nodes; i++) {
        struct tree_node *node = tree->nodes[i];
        if (node->text)
            secret_wipe(node->text, node->len);
        free(node->text);
        free(node->items);
        free(node);
    }
    free(tree->nodes);
    free(tree);
}

void tree_free_cleanup(struct tree **tree)
{
    tree_free(*tree);
}

const char *tree_kind_name(const struct tree_node *node)
{
    static const char *const names[] = {[TREE_TEXT] = "a text", [TREE_LIST] = "a list", [TREE_MAP] = "a map"};
    return names[node->kind];
}

bool tree_is_null(const struct tree_node *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    if (node->kind != TREE_TEXT || !node->plain)
        return false;
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
        if (strcmp(node->text, nulls[i]) == 0 && node->len == strlen(nulls[i]))
            return true;
    return false;
}
