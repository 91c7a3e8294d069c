#include "snapctl/node/docker_version.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "snapctl/base/buf.h"

struct engine {
    int major, minor;
};

/* Ordered by age, so that a row is the first so many of them. */
static const struct engine engines[] = {
    {1,  13},
    {17, 3 },
    {17, 6 },
    {17, 9 },
    {18, 6 },
    {18, 9 },
    {19, 3 },
    {20, 10},
    {23, 0 },
    {24, 0 },
    {25, 0 },
    {26, 0 },
    {26, 1 },
    {27, 0 },
    {27, 1 },
    {27, 2 },
};

static const struct {
    int kubernetes_to; /* the last minor version of the row */
    size_t n_engines;
} rows[] = {
    {22,      8 },
    {24,      10},
    {26,      11},
    {INT_MAX, 16},
};

int docker_version_kubernetes_minor(const char *kubernetes)
{
    int minor;
    if (!kubernetes || sscanf(kubernetes, "v1.%4d", &minor) != 1 || minor < 0)
        return INT_MAX;
    return minor;
}

static size_t row_length(const char *kubernetes)
{
    int minor = docker_version_kubernetes_minor(kubernetes);
    size_t i = 0;
    while (rows[i].kubernetes_to < minor)
        i++;
    return rows[i].n_engines;
}

static bool newer(struct engine a, struct engine b)
{
    return a.major != b.major ? a.major > b.major : a.minor > b.minor;
}

enum docker_version_verdict docker_version_judge(const char *kubernetes, const char *engine)
{
    size_t n = row_length(kubernetes);
    struct engine e;
    if (sscanf(engine, "%4d.%4d", &e.major, &e.minor) != 2)
        return DOCKER_VERSION_UNSUPPORTED;
    for (size_t i = 0; i < n; i++)
        if (engines[i].major == e.major && engines[i].minor == e.minor)
            return DOCKER_VERSION_GOOD;
    return newer(e, engines[n - 1]) ? DOCKER_VERSION_NEWER : DOCKER_VERSION_UNSUPPORTED;
}

/* Docker wrote its months with two digits, 17.03 to 19.03, and nothing else. */
static const char *zero(struct engine e)
{
    return e.major >= 17 && e.major <= 19 && e.minor < 10 ? "0" : "";
}

char *docker_version_list(const char *kubernetes)
{
    struct buf out = {0};
    for (size_t i = 0; i < row_length(kubernetes); i++)
        buf_printf(&out, "%s%d.%s%d.x", i ? " " : "", engines[i].major, zero(engines[i]), engines[i].minor);
    return buf_take(&out);
}
