#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/node/docker_version.h"

static void judges_by_row(void **state)
{
    (void)state;
    static const struct {
        const char *kubernetes, *engine;
        enum docker_version_verdict verdict;
    } cases[] = {
        {"v1.21.14-rancher1-1", "20.10.24+dfsg1", DOCKER_VERSION_GOOD       },
        {"v1.21.14-rancher1-1", "1.13.1",         DOCKER_VERSION_GOOD       },
        {"v1.22.9-rancher1-1",  "23.0.1",         DOCKER_VERSION_NEWER      },
        {"v1.23.6-rancher1-1",  "24.0.7",         DOCKER_VERSION_GOOD       },
        {"v1.24.4-rancher1-1",  "25.0.0",         DOCKER_VERSION_NEWER      },
        {"v1.26.4-rancher2-1",  "25.0.5",         DOCKER_VERSION_GOOD       },
        {"v1.27.10-rancher1-1", "27.2.0-rd",      DOCKER_VERSION_GOOD       },
        {"v1.30.1-rancher1-1",  "27.3.1",         DOCKER_VERSION_NEWER      },
        {"v1.30.1-rancher1-1",  "28.0.4",         DOCKER_VERSION_NEWER      },
        {"v1.30.1-rancher1-1",  "1.12.6",         DOCKER_VERSION_UNSUPPORTED},
        {"v1.30.1-rancher1-1",  "18.03.1-ce",     DOCKER_VERSION_UNSUPPORTED},
        {"v1.30.1-rancher1-1",  "17.12.0-ce",     DOCKER_VERSION_UNSUPPORTED},
        {"v1.40.0",             "27.0.3",         DOCKER_VERSION_GOOD       },
        {"v1.17.2-rancher1-1",  "19.03.15",       DOCKER_VERSION_GOOD       },
        {NULL,                  "26.1.5",         DOCKER_VERSION_GOOD       },
        {"nonsense",            "26.1.5",         DOCKER_VERSION_GOOD       },
        {NULL,                  "dev",            DOCKER_VERSION_UNSUPPORTED},
        {NULL,                  "",               DOCKER_VERSION_UNSUPPORTED},
        {NULL,                  "20",             DOCKER_VERSION_UNSUPPORTED},
        {NULL,                  "-1.5",           DOCKER_VERSION_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (docker_version_judge(cases[i].kubernetes, cases[i].engine) != cases[i].verdict)
            fail_msg("%s with Docker %s", cases[i].kubernetes ? cases[i].kubernetes : "(none)",
                     cases[i].engine);
}

static void lists_as_rke_does(void **state)
{
    (void)state;
    char *list = docker_version_list("v1.21.1-rancher1-1");
    assert_string_equal(list, "1.13.x 17.03.x 17.06.x 17.09.x 18.06.x 18.09.x 19.03.x 20.10.x");
    free(list);
    list = docker_version_list(NULL);
    assert_non_null(strstr(list, " 23.0.x 24.0.x 25.0.x 26.0.x 26.1.x 27.0.x 27.1.x 27.2.x"));
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_by_row),
        cmocka_unit_test(lists_as_rke_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
