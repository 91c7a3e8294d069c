/* archive FILE NAME PIECE: checks an archive in pieces of that many bytes, and prints the seconds of
 * processor time that it took and what was found. For archive.sh. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "snapctl/snapshot/archive.h"

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int check_file(FILE *file, struct archive_check *check, size_t piece, struct sc_err *err)
{
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    struct sink *sink = archive_check_sink(check);
    AUTO_FREE char *data = mem_calloc(piece, 1);
    size_t n;
    while ((n = fread(data, 1, piece, file)) > 0)
        if (sink->write(sink, &ctx, data, n, err) < 0)
            return -1;
    return sink->finish(sink, &ctx, err);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: archive FILE NAME PIECE\n");
        return 2;
    }
    FILE *file = fopen(argv[1], "rb");
    if (!file) {
        perror(argv[1]);
        return 2;
    }
    struct sc_err err = {0};
    struct archive_check *check = archive_check_new(argv[2], false);
    double start = seconds();
    int result = check_file(file, check, (size_t)strtoul(argv[3], NULL, 10), &err);
    const struct archive_facts *facts = archive_check_facts(check);
    if (result == 0)
        printf("%.3f %" PRIu64 " %s %" PRIu64 " %s %s\n", seconds() - start, facts->bytes, facts->sha256,
               facts->etcd_bytes, facts->etcd_sha256, facts->state_file ? "state" : "no-state");
    else
        printf("%s\n", err.text);
    err_clear(&err);
    archive_check_free(check);
    fclose(file);
    return result < 0;
}
