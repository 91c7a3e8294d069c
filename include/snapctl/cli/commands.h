/* The commands: a row each. A new command is a function, a row, and a bit in its options' rows. */
#ifndef SNAPCTL_CLI_COMMANDS_H
#define SNAPCTL_CLI_COMMANDS_H

#include "snapctl/cli/console.h"
#include "snapctl/cli/options.h"

struct command;

/* A command as it was called. */
struct call {
    const struct command *command; /* NULL: the command line is wrong before it was known */
    struct console *console;
    struct log *log; /* prints on the console */
    const struct options *options;
    const bool *given;        /* for each row of options_table: it stood on the command line */
    const char *const *words; /* behind the command */
    size_t n_words;
};

struct command {
    const char *name;
    const char *synonym;                 /* RKE's words for it; NULL: none */
    const char *words;                   /* what may follow, for help; NULL: no words are taken */
    const char *summary;                 /* half a line */
    const char *text;                    /* a paragraph */
    const char *example;                 /* NULL: none is needed */
    unsigned bit;                        /* of the options that it knows */
    unsigned document;                   /* DOCUMENT_…: the fields of its JSON document; 0: it has none */
    int (*run)(const struct call *call); /* returns the exit status */
};

extern const struct command commands_table[];
extern const size_t commands_count;

/* By name or synonym. NULL: there is none. */
const struct command *commands_find(const char *words);

/* The words are the beginning of a synonym: another word may make it one. */
bool commands_begins_synonym(const char *words);

/* The command whose name is the nearest to a misspelled one; NULL: none is near. */
const struct command *commands_nearest(const char *words);

#endif
