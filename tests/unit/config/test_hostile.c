/* Runs the files of tests/unit/data/config/hostile. The first line of each says what is hostile about it,
 * what is expected (error, warning, fine) and the text of it behind the file's name: "# what | kind | text".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/ctx.h"
#include "snapctl/base/secret.h"
#include "snapctl/base/str.h"
#include "snapctl/config/cluster.h"

enum { LEAST_FILES = 50, MAX_FILES = 200, LONGEST_MS = 2000 };

static const char folder[] = TEST_DATA "/config/hostile";

struct expected {
    char *kind;
    char *text;
};

static void collect(void *arg, const char *text)
{
    buf_printf(arg, "%s\n", text);
}

static struct expected read_expected(const char *name, const char *file)
{
    const char *newline = strchr(file, '\n');
    const char *kind = strstr(file, " | ");
    const char *text = kind ? strstr(kind + 3, " | ") : NULL;
    if (!text || !newline || text > newline)
        fail_msg("%s: the first line must be # what | kind | text", name);
    return (struct expected){str_dup_n(kind + 3, (size_t)(text - kind - 3)),
                             str_dup_n(text + 3, (size_t)(newline - text - 3))};
}

static void check(const char *name, const struct secret *file, const struct expected *expected)
{
    AUTO_ERR struct sc_err err = {0};
    CLEANUP(cluster_free_cleanup) struct cluster *cluster = NULL;
    struct buf warnings = {0};
    int64_t start = ctx_now_ms();
    int result = cluster_parse(name, secret_data(file), secret_len(file), "/home/op", collect, &warnings,
                               &cluster, &err);
    assert_true(ctx_now_ms() - start < LONGEST_MS);
    const char *kind = result < 0 ? "error" : warnings.len ? "warning" : "fine";
    if (strcmp(kind, expected->kind) != 0)
        fail_msg("%s: %s: %s%s", name, kind, result < 0 ? err.text : "", buf_text(&warnings));
    /* Texts begin with the place, "LINE:COLUMN: ", which follows the name at once. */
    bool placed = expected->text[0] >= '0' && expected->text[0] <= '9';
    AUTO_FREE char *text = str_format("%s:%s%s", name, placed ? "" : " ", expected->text);
    AUTO_FREE char *line = str_format("%s\n", text);
    if (result < 0)
        assert_string_equal(err.text, text);
    else if (warnings.len)
        assert_string_equal(buf_text(&warnings), line);
    if (result < 0)
        assert_null(strstr(err.text, "hunter2"));
    buf_free(&warnings);
}

static void run(const char *name)
{
    AUTO_FREE char *path = str_format("%s/%s", folder, name);
    AUTO_SECRET struct secret *file = NULL;
    struct sc_err err = {0};
    if (secret_read_file(path, CLUSTER_MAX_BYTES, 0, &file, &err) < 0)
        fail_msg("%s", err.text);
    struct expected expected = read_expected(name, secret_data(file));
    check(name, file, &expected);
    free(expected.kind);
    free(expected.text);
}

static void test_hostile_files(void **state)
{
    (void)state;
    struct dirent **entries;
    int n = scandir(folder, &entries, NULL, alphasort);
    int files = 0;
    assert_in_range(n, LEAST_FILES, MAX_FILES);
    for (int i = 0; i < n; i++) {
        if (str_ends(entries[i]->d_name, ".yml")) {
            run(entries[i]->d_name);
            files++;
        }
        free(entries[i]);
    }
    free(entries);
    assert_true(files >= LEAST_FILES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
