#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"

static void add(struct s3_pair *pairs, size_t *n, size_t max, const char *name, const char *value)
{
    if (*n == max)
        abort();
    pairs[(*n)++] = (struct s3_pair){str_dup(name), str_dup(value)};
}

void s3_request_header(struct s3_request *request, const char *name, const char *value)
{
    add(request->headers, &request->n_headers, S3_REQUEST_HEADERS, name, value);
}

void s3_request_query(struct s3_request *request, const char *name, const char *value)
{
    add(request->query, &request->n_query, S3_REQUEST_QUERY, name, value);
}

static void free_pair(const struct s3_pair *pair)
{
    free(pair->name);
    free(pair->value);
}

bool s3_request_drop_header(struct s3_request *request, const char *name)
{
    for (size_t i = 0; i < request->n_headers; i++)
        if (strcmp(request->headers[i].name, name) == 0) {
            free_pair(&request->headers[i]);
            request->headers[i] = request->headers[--request->n_headers];
            return true;
        }
    return false;
}

void s3_request_free(struct s3_request *request)
{
    for (size_t i = 0; i < request->n_headers; i++)
        free_pair(&request->headers[i]);
    for (size_t i = 0; i < request->n_query; i++)
        free_pair(&request->query[i]);
    *request = (struct s3_request){0};
}
