/* Makes a file of its template: `generate TEMPLATE OUTPUT`. A line @WORD@ is replaced by what the tables of
 * cli say. Runs in the build. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/cli/manual.h"

enum { LINE_BYTES = 4096 };

static const struct part {
    const char *line;
    void (*print)(struct buf *out);
} parts[] = {
    {"@COMMANDS@\n",            manual_commands    },
    {"@OPTIONS@\n",             manual_options     },
    {"@ENVIRONMENT@\n",         manual_environment },
    {"@EXIT_STATUS@\n",         manual_exit_status },
    {"@COMPLETION_COMMANDS@\n", completion_commands},
    {"@COMPLETION_OPTIONS@\n",  completion_options },
    {"@COMPLETION_VALUES@\n",   completion_values  },
};

static void fail(const char *what, const char *about)
{
    fprintf(stderr, "generate: %s: %s\n", about, what);
    exit(1);
}

static void print_line(struct buf *out, const char *line)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(line, parts[i].line) == 0) {
            parts[i].print(out);
            return;
        }
    if (*line == '@')
        fail("there is no such part", line);
    buf_puts(out, line);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        fail("usage: generate TEMPLATE OUTPUT", "arguments");
    AUTO_BUF struct buf out = {0};
    char line[LINE_BYTES];
    FILE *template = fopen(argv[1], "re");
    if (!template)
        fail("cannot be read", argv[1]);
    while (fgets(line, sizeof line, template))
        print_line(&out, line);
    if (ferror(template) || fclose(template) != 0)
        fail("cannot be read", argv[1]);
    FILE *file = fopen(argv[2], "we");
    if (!file || fputs(buf_text(&out), file) < 0 || fclose(file) != 0)
        fail("cannot be written", argv[2]);
    return 0;
}
