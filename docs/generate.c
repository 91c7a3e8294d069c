/* Makes a file of its template: `generate TEMPLATE OUTPUT`. A line @WORD@ is replaced by what the tables of
 * cli say. Runs in the build. `generate errors` prints the table of S3's errors as docs/s3.md has it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/cli/manual.h"
#include "snapctl/s3/error.h"

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

static int print_errors(void)
{
    static const char *const again[] = {
        [S3_FINAL] = "no",
        [S3_AGAIN] = "yes",
        [S3_AGAIN_ONCE] = "once",
        [S3_REGION] = "once, in the region that the store tells",
        [S3_CLOCK] = "once, with the store's time",
        [S3_KEYS] = "once, with new keys",
    };
    size_t n;
    const struct s3_error_row *rows = s3_error_rows(&n);
    for (size_t i = 0; i < n; i++) {
        printf("| `%s`", rows[i].code);
        if (rows[i].status)
            printf(" (%d)", rows[i].status);
        printf(" | %s | %s | %s |\n", err_kind_name(rows[i].kind), again[rows[i].retry],
               rows[i].hint ? rows[i].hint : "-");
    }
    return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "errors") == 0)
        return print_errors();
    if (argc != 3)
        fail("usage: generate TEMPLATE OUTPUT, or generate errors", "arguments");
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
