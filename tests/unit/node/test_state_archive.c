#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapctl/base/str.h"
#include "snapctl/node/node.h"

/* Unpacks the archive with the system's tar and compares what comes out. */
static void unpacks(const char *name, size_t len)
{
    char *content = mem_calloc(len + 1, 1);
    for (size_t i = 0; i < len; i++)
        content[i] = (char)(i * 7 + i / 512);
    struct secret *secret = secret_new(content, len);
    struct secret *archive = node_state_archive(name, secret);
    assert_int_equal(secret_len(archive) % 512, 0);

    char folder[] = "/tmp/snapctl-tar-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *unpack = str_format("tar -C %s -xf -", folder);
    FILE *tar = popen(unpack, "w");
    assert_non_null(tar);
    assert_int_equal(fwrite(secret_data(archive), 1, secret_len(archive), tar), secret_len(archive));
    assert_int_equal(pclose(tar), 0);

    char *path = str_format("%s/%s.rkestate", folder, name);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0400);
    struct sc_err err = {0};
    struct secret *back;
    assert_int_equal(secret_read_file(path, len + 1, 0, &back, &err), 0);
    assert_int_equal(secret_len(back), len);
    assert_memory_equal(secret_data(back), content, len);

    unlink(path);
    rmdir(folder);
    secret_free(back);
    secret_free(archive);
    secret_free(secret);
    free(path);
    free(unpack);
    free(content);
}

static void short_names(void **state)
{
    (void)state;
    unpacks("before-upgrade", 1);
    unpacks("x", 511);
    unpacks("x", 512);
    unpacks("x", 513);
    unpacks("x", 300000);
}

/* 91 + ".rkestate" fills the header's field; one more needs a pax record. */
static void names_around_the_header_field(void **state)
{
    (void)state;
    char name[NODE_NAME_MAX + 1];
    static const size_t lengths[] = {90, 91, 92, 93, 101, NODE_NAME_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memset(name, 'n', lengths[i]);
        name[lengths[i]] = '\0';
        unpacks(name, 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_names),
        cmocka_unit_test(names_around_the_header_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
