/* A YAML document as a tree with marks, built from libyaml's events. An alias is the very node it names, so a
 * file that multiplies itself by aliases takes no more room than it has bytes; how large it would be written
 * out is counted, and bounded. */
#ifndef SNAPCTL_CONFIG_TREE_PRIVATE_H
#define SNAPCTL_CONFIG_TREE_PRIVATE_H

#include "snapctl/config/cluster.h"

/* Values that a file may have, aliases written out. A cluster of 1000 nodes has about 20000. */
enum { TREE_MAX_VALUES = 250000, TREE_MAX_ANCHORS = 1000 };

enum tree_kind { TREE_TEXT, TREE_LIST, TREE_MAP };

struct tree_node {
    enum tree_kind kind;
    bool plain;   /* a text without quotes: may stand for a number, a truth value or null */
    bool checked; /* its reader's, who warns about the keys of a map once, however often it is merged */
    struct cluster_mark mark;
    char *text; /* of a TREE_TEXT; len bytes and a NUL behind, there may be others within */
    size_t len;
    struct tree_node **items; /* of a list; of a map key, value, key, value … */
    size_t n_items;
    size_t weight; /* values in it, aliases written out, itself included */
};

struct tree {
    struct tree_node *root;   /* NULL: the document is empty */
    struct cluster_mark rest; /* of what follows the first document; line 0: nothing does */
    struct tree_node **nodes;
    size_t n_nodes;
};

/* Reads the first document. Errors are ERR_CONFIG and begin with "label:line:column: ". */
int tree_parse(const char *label, const char *text, size_t len, struct tree **out,
               struct sc_err *err) WARN_UNUSED;

/* Wipes and frees; NULL is allowed. */
void tree_free(struct tree *tree);
void tree_free_cleanup(struct tree **tree);

/* A plain text that is not in the file (mark.line is 0), owned by the tree. */
struct tree_node *tree_add_text(struct tree *tree, const char *text);

/* "a list", "a map" or "a text", for messages. */
const char *tree_kind_name(const struct tree_node *node);

/* YAML's null: nothing at all, or a plain ~ or null. */
bool tree_is_null(const struct tree_node *node);

#endif
