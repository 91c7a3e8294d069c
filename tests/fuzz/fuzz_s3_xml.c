/* What a store answers: hostile. The same bytes as an error and as a list. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/s3/error.h"
#include "snapctl/s3/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *arg, const char *path, const char *text)
{
    size_t *n = arg;
    if (!*path || strlen(text) > S3_XML_TEXT_MAX)
        abort();
    ++*n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct s3_request_names names = {
        .action = "s3:GetObject", .endpoint = "e", .bucket = "b", .region = "r"};
    const char *text = (const char *)data;
    size_t n = 0;
    if (s3_xml_parse(text, size, count, &n) == 0 && n == 0)
        abort();
    struct s3_refusal refusal;
    struct sc_err err = {0};
    s3_refusal_parse(size ? 400 + data[0] : 200, text, size, &refusal);
    if (s3_refusal_error(&refusal, &names, &err) != -1 || !err.text)
        abort();
    err_clear(&err);
    s3_refusal_free(&refusal);
    return 0;
}
