/* The XML that an STS endpoint answers with: hostile. */
#include <stdint.h>
#include <stdlib.h>

#include "../../src/s3/sts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sts_answer answer;
    AUTO_ERR struct sc_err err = {0};
    if (sts_parse((const char *)data, size, &answer, &err) == 0) {
        bool keys = answer.credentials.access_key && answer.credentials.secret_key;
        bool refusal = answer.code || answer.message;
        if (keys == refusal)
            abort();
    } else if (answer.credentials.access_key) {
        abort();
    }
    sts_answer_free(&answer);
    return 0;
}
