/* upload FILE KEY: uploads a file to the S3 that the environment names (see upload.sh), and prints seconds,
 * peak memory and what the store keeps. PART_SIZE in bytes and CONCURRENCY may be set; ABORT_AT=BYTES aborts
 * there. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "snapctl/base/str.h"
#include "snapctl/s3/upload.h"

enum { PIECE = 64 * 1024, CA_MAX = 1 << 20 };

static void print_line(void *arg, enum log_level level, const char *who, const char *line)
{
    (void)arg;
    (void)who;
    fprintf(stderr, "log %d: %s\n", (int)level, line);
}

static const char *wanted(const char *name)
{
    const char *value = getenv(name);
    if (!value) {
        fprintf(stderr, "%s is not set\n", name);
        exit(2);
    }
    return value;
}

static uint64_t number(const char *name)
{
    const char *value = getenv(name);
    return value ? strtoull(value, NULL, 10) : 0;
}

static struct http *connections(struct sc_err *err)
{
    AUTO_SECRET struct secret *ca = NULL;
    struct http *http = NULL;
    if (getenv("S3_CA") && secret_read_file(getenv("S3_CA"), CA_MAX, 0, &ca, err) < 0)
        return NULL;
    struct http_setup setup = {.ca_pem = ca ? secret_data(ca) : NULL};
    return http_new(&setup, &http, err) == 0 ? http : NULL;
}

static struct s3_client *client_of(struct http *http, struct sc_err *err)
{
    const char *key = wanted("AWS_ACCESS_KEY_ID"), *secret = wanted("AWS_SECRET_ACCESS_KEY");
    struct credentials credentials = {.access_key = str_dup(key),
                                      .secret_key = secret_new(secret, strlen(secret)),
                                      .expires = CREDENTIALS_NEVER};
    struct s3_address address;
    struct s3_address_setup at = {.endpoint = wanted("S3_ENDPOINT"),
                                  .bucket = wanted("S3_BUCKET"),
                                  .plain_http = str_starts(wanted("S3_ENDPOINT"), "http://")};
    if (s3_address_init(&address, &at, err) < 0)
        return NULL;
    struct s3_client_setup setup = {.http = http, .address = &address, .credentials = &credentials};
    return s3_client_new(&setup);
}

static int copy(FILE *file, struct sink *sink, const struct ctx *ctx, struct sc_err *err)
{
    static char piece[PIECE];
    uint64_t abort_at = number("ABORT_AT"), total = 0;
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, file)) > 0) {
        if (sink->write(sink, ctx, piece, n, err) < 0)
            return -1;
        total += n;
        if (abort_at && total >= abort_at)
            return err_set(err, ERR_CANCELLED, "aborted as asked");
    }
    return 0;
}

static int upload(FILE *file, const char *key, struct s3_client *client, struct sc_err *err)
{
    AUTO_ERR struct sc_err why = {0};
    struct log *log = log_new(LOG_INFO, print_line, NULL);
    struct ctx ctx = {.log = log, .deadline_ms = CTX_NO_DEADLINE};
    struct s3_upload *u = NULL;
    fseek(file, 0, SEEK_END);
    struct s3_upload_setup setup = {
        .client = client,
        .write = {.key = key, .overwrite = true},
        .total = (uint64_t)ftell(file),
        .part_size = number("PART_SIZE"),
        .concurrency = (unsigned)number("CONCURRENCY")
    };
    rewind(file);
    int64_t began = ctx_now_ms();
    int result = s3_upload_new(&ctx, &setup, &u, err);
    if (result == 0) {
        struct sink *sink = s3_upload_sink(u);
        result = copy(file, sink, &ctx, err);
        if (result == 0)
            result = sink->finish(sink, &ctx, err);
        else
            sink->abort(sink);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    if (result == 0)
        printf("%.2f s, peak %ld KiB, %.2f s of processor, %u parts, ETag %s, read back %d\n",
               (double)(ctx_now_ms() - began) / 1000, usage.ru_maxrss,
               (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6,
               s3_upload_facts(u)->parts, s3_upload_facts(u)->etag, s3_upload_facts(u)->read_back);
    s3_upload_free(u);
    log_free(log);
    return result;
}

int main(int argc, char **argv)
{
    struct sc_err err = {0};
    FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
    if (!file) {
        fprintf(stderr, "usage: upload FILE KEY\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    http_init();
    struct http *http = connections(&err);
    struct s3_client *client = http ? client_of(http, &err) : NULL;
    int result = client ? upload(file, argv[2], client, &err) : -1;
    if (result < 0)
        fprintf(stderr, "upload: %s\n%s\n", err.text, err.hint ? err.hint : "");
    err_clear(&err);
    s3_client_free(client);
    http_free(http);
    http_exit();
    fclose(file);
    return result < 0;
}
