/* Objects as sources, from the S3 of fake_s3.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "fake_s3.h"
#include "snapctl/s3/download.h"
#include "snapctl/s3/object.h"

enum { BYTES = (4 << 20) + 4711 }; /* two pieces */

static char *make_object(struct fake *f, struct s3_client *client, char first)
{
    struct ctx ctx = fake_ctx(f);
    AUTO_WRITTEN struct s3_written written = {0};
    struct s3_write write = {.key = "x", .overwrite = true};
    char *data = mem_calloc(BYTES, 1);
    for (size_t i = 0; i < BYTES; i++)
        data[i] = (char)(i * 7 / 5);
    data[0] = first;
    s3_write_mark(&write);
    assert_int_equal(s3_object_put(client, &ctx, &write, data, BYTES, &written, NULL), 0);
    return data;
}

static int read_all(struct fake *f, struct s3_download *download, struct buf *out, struct sc_err *err)
{
    struct ctx ctx = fake_ctx(f);
    struct source *source = s3_download_source(download);
    char piece[65536];
    size_t got = 1;
    while (got) {
        if (source->read(source, &ctx, piece, sizeof piece, &got, err) < 0)
            return -1;
        buf_append(out, piece, got);
    }
    return 0;
}

static void test_reads_it_whole_though_the_store_stumbles(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    AUTO_ERR struct sc_err err = {0};
    AUTO_BUF struct buf out = {.max = 2 * BYTES};
    AUTO_FREE char *data = make_object(f, client, 'a');
    struct s3_download *download = s3_download_new(client, "x", BYTES);
    fake_rule(f, "method=GET&count=1&do=cut");
    assert_int_equal(read_all(f, download, &out, &err), 0);
    assert_int_equal(out.len, BYTES);
    assert_memory_equal(out.data, data, BYTES);
    s3_download_free(download);

    buf_reset(&out);
    download = s3_download_new(client, "x", 0);
    assert_int_equal(read_all(f, download, &out, &err), 0);
    assert_int_equal(out.len, 0);
    s3_download_free(download);
    s3_client_free(client);
}

/* What the store said instead is no data. */
static void test_goes_on_after_an_error(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    struct ctx ctx = fake_ctx(f);
    AUTO_ERR struct sc_err err = {0};
    AUTO_BUF struct buf out = {.max = 2 * BYTES};
    AUTO_FREE char *data = make_object(f, client, 'a');
    struct s3_download *download = s3_download_new(client, "x", BYTES);
    struct source *source = s3_download_source(download);
    char piece[16];
    size_t got;
    fake_rule(f, "method=GET&count=1&do=error:403:AccessDenied");
    assert_int_equal(source->read(source, &ctx, piece, sizeof piece, &got, &err), -1);
    assert_int_equal(err.kind, ERR_AUTH);
    assert_int_equal(read_all(f, download, &out, &err), 0);
    assert_int_equal(out.len, BYTES);
    assert_memory_equal(out.data, data, BYTES);
    s3_download_free(download);
    s3_client_free(client);
}

static void test_notices_another_object_in_its_place(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    struct ctx ctx = fake_ctx(f);
    AUTO_ERR struct sc_err err = {0};
    AUTO_BUF struct buf out = {.max = 2 * BYTES};
    free(make_object(f, client, 'a'));
    struct s3_download *download = s3_download_new(client, "x", BYTES);
    struct source *source = s3_download_source(download);
    char first;
    size_t got;
    assert_int_equal(source->read(source, &ctx, &first, 1, &got, &err), 0);
    free(make_object(f, client, 'b'));
    assert_int_equal(read_all(f, download, &out, &err), -1);
    assert_int_equal(err.kind, ERR_STORE);
    assert_non_null(strstr(err.text, "replaced"));
    s3_download_free(download);
    s3_client_free(client);
}

static void test_tells_what_is_not_as_announced(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    AUTO_ERR struct sc_err err = {0};
    AUTO_BUF struct buf out = {.max = 2 * BYTES};
    free(make_object(f, client, 'a'));
    struct s3_download *download = s3_download_new(client, "x", BYTES + 1);
    assert_int_equal(read_all(f, download, &out, &err), -1);
    assert_int_equal(err.kind, ERR_STORE);
    s3_download_free(download);

    download = s3_download_new(client, "nothing", 5);
    assert_int_equal(read_all(f, download, &out, &err), -1);
    s3_download_free(download);
    s3_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_reads_it_whole_though_the_store_stumbles, fake_reset),
        cmocka_unit_test_setup(test_goes_on_after_an_error, fake_reset),
        cmocka_unit_test_setup(test_notices_another_object_in_its_place, fake_reset),
        cmocka_unit_test_setup(test_tells_what_is_not_as_announced, fake_reset),
    };
    signal(SIGPIPE, SIG_IGN);
    http_init();
    int failed = cmocka_run_group_tests(tests, fake_start, fake_stop);
    http_exit();
    return failed;
}
