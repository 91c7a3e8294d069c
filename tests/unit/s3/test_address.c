#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/s3/address.h"

static void test_finds_host_and_path(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint, *bucket;
        enum s3_lookup lookup;
        bool plain;
        const char *base, *host, *path;
    } cases[] = {
        {NULL,                                     "backups",    S3_LOOKUP_AUTO, false, "https://backups.s3.amazonaws.com",
         "backups.s3.amazonaws.com",                                                                                                                                        "/a/b.zip"           },
        {"",                                       "backups",    S3_LOOKUP_AUTO, false, "https://backups.s3.amazonaws.com",       "backups.s3.amazonaws.com",
         "/a/b.zip"                                                                                                                                                                              },
        {"s3.amazonaws.com",                       "my.backups", S3_LOOKUP_AUTO, false, "https://s3.amazonaws.com",
         "s3.amazonaws.com",                                                                                                                                                "/my.backups/a/b.zip"},
        {"s3.amazonaws.com",                       "my.backups", S3_LOOKUP_AUTO, true,  "http://my.backups.s3.amazonaws.com",
         "my.backups.s3.amazonaws.com",                                                                                                                                     "/a/b.zip"           },
        {"s3.amazonaws.com",                       "My_Backups", S3_LOOKUP_AUTO, false, "https://s3.amazonaws.com",
         "s3.amazonaws.com",                                                                                                                                                "/My_Backups/a/b.zip"},
        {"s3.amazonaws.com",                       "backups",    S3_LOOKUP_PATH, false, "https://s3.amazonaws.com",               "s3.amazonaws.com",
         "/backups/a/b.zip"                                                                                                                                                                      },
        {"https://S3.Eu-Central-1.amazonaws.com/", "backups",    S3_LOOKUP_AUTO, false,
         "https://backups.s3.eu-central-1.amazonaws.com",                                                                         "backups.s3.eu-central-1.amazonaws.com",
         "/a/b.zip"                                                                                                                                                                              },
        {"s3.cn-north-1.amazonaws.com.cn",         "backups",    S3_LOOKUP_AUTO, false,
         "https://backups.s3.cn-north-1.amazonaws.com.cn",                                                                        "backups.s3.cn-north-1.amazonaws.com.cn",
         "/a/b.zip"                                                                                                                                                                              },
        {"storage.googleapis.com",                 "backups",    S3_LOOKUP_AUTO, false, "https://backups.storage.googleapis.com",
         "backups.storage.googleapis.com",                                                                                                                                  "/a/b.zip"           },
        {"notamazonaws.com",                       "backups",    S3_LOOKUP_AUTO, false, "https://notamazonaws.com",               "notamazonaws.com",
         "/backups/a/b.zip"                                                                                                                                                                      },
        {"minio.example.com:9000",                 "backups",    S3_LOOKUP_AUTO, false, "https://minio.example.com:9000",
         "minio.example.com:9000",                                                                                                                                          "/backups/a/b.zip"   },
        {"minio.example.com:443",                  "backups",    S3_LOOKUP_AUTO, false, "https://minio.example.com",
         "minio.example.com",                                                                                                                                               "/backups/a/b.zip"   },
        {"minio.example.com:443",                  "backups",    S3_LOOKUP_AUTO, true,  "http://minio.example.com:443",
         "minio.example.com:443",                                                                                                                                           "/backups/a/b.zip"   },
        {"http://minio.example.com:80",            "backups",    S3_LOOKUP_DNS,  true,  "http://backups.minio.example.com",
         "backups.minio.example.com",                                                                                                                                       "/a/b.zip"           },
        {"127.0.0.1:9000",                         "backups",    S3_LOOKUP_AUTO, true,  "http://127.0.0.1:9000",                  "127.0.0.1:9000",
         "/backups/a/b.zip"                                                                                                                                                                      },
        {"[::1]:9000",                             "backups",    S3_LOOKUP_AUTO, false, "https://[::1]:9000",                     "[::1]:9000",
         "/backups/a/b.zip"                                                                                                                                                                      },
        {"[FD00::1]",                              "backups",    S3_LOOKUP_AUTO, false, "https://[fd00::1]",                      "[fd00::1]",                              "/backups/a/b.zip"   },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct s3_address a;
        AUTO_ERR struct sc_err err = {0};
        struct s3_address_setup setup = {.endpoint = cases[i].endpoint,
                                         .bucket = cases[i].bucket,
                                         .lookup = cases[i].lookup,
                                         .plain_http = cases[i].plain};
        if (s3_address_init(&a, &setup, &err) < 0)
            fail_msg("case %zu: %s", i, err.text);
        AUTO_FREE char *path = s3_address_path(&a, "a/b.zip");
        assert_string_equal(a.base, cases[i].base);
        assert_string_equal(a.host, cases[i].host);
        assert_string_equal(path, cases[i].path);
        s3_address_free(&a);
    }
}

static void test_finds_the_region(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint, *region, *fallback, *expected;
        enum s3_region_source source;
        const char *endpoint_used;
    } cases[] = {
        {NULL,                                                    NULL,         NULL,        "us-east-1",     S3_REGION_ASSUMED,  "s3.amazonaws.com"              },
        {NULL,                                                    "",           "",          "us-east-1",     S3_REGION_ASSUMED,  "s3.amazonaws.com"              },
        {NULL,                                                    "eu-west-1",  "eu-west-2", "eu-west-1",     S3_REGION_GIVEN,    "s3.eu-west-1.amazonaws.com"    },
        {NULL,                                                    NULL,         "eu-west-2", "eu-west-2",     S3_REGION_GIVEN,    "s3.eu-west-2.amazonaws.com"    },
        {NULL,                                                    "us-east-1",  NULL,        "us-east-1",     S3_REGION_GIVEN,    "s3.amazonaws.com"              },
        {NULL,                                                    "cn-north-1", NULL,        "cn-north-1",    S3_REGION_GIVEN,    "s3.cn-north-1.amazonaws.com.cn"},
        {"s3.eu-central-1.amazonaws.com",                         NULL,         "eu-west-2", "eu-central-1",  S3_REGION_ENDPOINT,
         "s3.eu-central-1.amazonaws.com"                                                                                                                          },
        {"s3.eu-central-1.amazonaws.com",                         "eu-west-1",  NULL,        "eu-west-1",     S3_REGION_GIVEN,
         "s3.eu-central-1.amazonaws.com"                                                                                                                          },
        {"s3-eu-west-1.amazonaws.com",                            NULL,         NULL,        "eu-west-1",     S3_REGION_ENDPOINT,
         "s3-eu-west-1.amazonaws.com"                                                                                                                             },
        {"s3.dualstack.eu-west-1.amazonaws.com",                  NULL,         NULL,        "eu-west-1",     S3_REGION_ENDPOINT,
         "s3.dualstack.eu-west-1.amazonaws.com"                                                                                                                   },
        {"s3-fips.us-gov-west-1.amazonaws.com",                   NULL,         NULL,        "us-gov-west-1", S3_REGION_ENDPOINT,
         "s3-fips.us-gov-west-1.amazonaws.com"                                                                                                                    },
        {"s3-fips-us-gov-west-1.amazonaws.com",                   NULL,         NULL,        "us-gov-west-1", S3_REGION_ENDPOINT,
         "s3-fips-us-gov-west-1.amazonaws.com"                                                                                                                    },
        {"bucket.vpce-1a2b-5c6d.s3.us-east-2.vpce.amazonaws.com", NULL,         NULL,        "us-east-2",     S3_REGION_ENDPOINT,
         "bucket.vpce-1a2b-5c6d.s3.us-east-2.vpce.amazonaws.com"                                                                                                  },
        {"s3.cn-north-1.amazonaws.com.cn",                        NULL,         NULL,        "cn-north-1",    S3_REGION_ENDPOINT,
         "s3.cn-north-1.amazonaws.com.cn"                                                                                                                         },
        {"s3-accelerate.amazonaws.com",                           NULL,         NULL,        "us-east-1",     S3_REGION_ASSUMED,
         "s3-accelerate.amazonaws.com"                                                                                                                            },
        {"s3-external-1.amazonaws.com",                           NULL,         NULL,        "us-east-1",     S3_REGION_ASSUMED,
         "s3-external-1.amazonaws.com"                                                                                                                            },
        {"s3.fr-par.scw.cloud",                                   NULL,         NULL,        "fr-par",        S3_REGION_ENDPOINT, "s3.fr-par.scw.cloud"           },
        {"s3.gra.io.cloud.ovh.net",                               NULL,         NULL,        "gra",           S3_REGION_ENDPOINT, "s3.gra.io.cloud.ovh.net"       },
        {"s3.wasabisys.com",                                      NULL,         NULL,        "us-east-1",     S3_REGION_ASSUMED,  "s3.wasabisys.com"              },
        {"minio.example.com:9000",                                NULL,         NULL,        "us-east-1",     S3_REGION_ASSUMED,  "minio.example.com:9000"        },
        {"s3.eu-central-1.example.com",                           NULL,         NULL,        "us-east-1",     S3_REGION_ASSUMED,
         "s3.eu-central-1.example.com"                                                                                                                            },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct s3_address a;
        struct s3_address_setup setup = {.endpoint = cases[i].endpoint,
                                         .bucket = "backups",
                                         .region = cases[i].region,
                                         .region_fallback = cases[i].fallback};
        assert_int_equal(s3_address_init(&a, &setup, NULL), 0);
        assert_string_equal(a.region, cases[i].expected);
        assert_int_equal(a.region_source, cases[i].source);
        assert_string_equal(a.endpoint, cases[i].endpoint_used);
        s3_address_free(&a);
    }
}

static void test_follows_the_store_to_its_region(void **state)
{
    (void)state;
    struct s3_address a;
    assert_int_equal(s3_address_init(&a, &(struct s3_address_setup){.bucket = "backups"}, NULL), 0);
    assert_int_equal(s3_address_set_region(&a, "us-east-1"), -1);
    assert_int_equal(s3_address_set_region(&a, ""), -1);
    assert_int_equal(s3_address_set_region(&a, "evil.com/?"), -1);
    assert_int_equal(s3_address_set_region(&a, "eu-west-1"), 0);
    assert_string_equal(a.host, "backups.s3.eu-west-1.amazonaws.com");
    assert_int_equal(a.region_source, S3_REGION_STORE);
    assert_int_equal(s3_address_set_region(&a, "us-east-1"), 0);
    assert_string_equal(a.host, "backups.s3.amazonaws.com");
    s3_address_free(&a);

    struct s3_address_setup own = {.bucket = "backups", .endpoint = "127.0.0.1:9000"};
    assert_int_equal(s3_address_init(&a, &own, NULL), 0);
    assert_int_equal(s3_address_set_region(&a, "zone-2"), 0);
    assert_string_equal(a.host, "127.0.0.1:9000");
    assert_string_equal(a.region, "zone-2");
    s3_address_free(&a);
}

static void test_refuses_what_cannot_work(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint, *bucket, *region;
        enum s3_lookup lookup;
        bool plain;
        const char *part;
    } cases[] = {
        {"http://minio:9000",  "backups",       NULL,      S3_LOOKUP_AUTO, false, "asks for plain HTTP"                 },
        {"https://minio:9000", "backups",       NULL,      S3_LOOKUP_AUTO, true,  "it asks for TLS"                     },
        {"minio:9000/bucket",  "backups",       NULL,      S3_LOOKUP_AUTO, false, "only host and port"                  },
        {"user:secret@minio",  "backups",       NULL,      S3_LOOKUP_AUTO, false, "only host and port"                  },
        {"minio:0",            "backups",       NULL,      S3_LOOKUP_AUTO, false, "the port is not a number"            },
        {"minio:65536",        "backups",       NULL,      S3_LOOKUP_AUTO, false, "the port is not a number"            },
        {"minio:",             "backups",       NULL,      S3_LOOKUP_AUTO, false, "the port is not a number"            },
        {"fd00::1",            "backups",       NULL,      S3_LOOKUP_AUTO, false, "needs brackets"                      },
        {"[fd00::1",           "backups",       NULL,      S3_LOOKUP_AUTO, false, "S3 endpoint"                         },
        {"[x]",                "backups",       NULL,      S3_LOOKUP_AUTO, false, "no host's name"                      },
        {"a b",                "backups",       NULL,      S3_LOOKUP_AUTO, false, "no host's name"                      },
        {"https://",           "backups",       NULL,      S3_LOOKUP_AUTO, false, "no host's name"                      },
        {"host\033[2J",        "backups",       NULL,      S3_LOOKUP_AUTO, false, "host\\x1b[2J"                        },
        {NULL,                 NULL,            NULL,      S3_LOOKUP_AUTO, false, "no S3 bucket is named"               },
        {NULL,                 "",              NULL,      S3_LOOKUP_AUTO, false, "no S3 bucket is named"               },
        {NULL,                 "ab",            NULL,      S3_LOOKUP_AUTO, false, "cannot be a bucket's name"           },
        {NULL,                 "bucket/folder", NULL,      S3_LOOKUP_AUTO, false, "cannot be a bucket's name"           },
        {NULL,                 "-bucket",       NULL,      S3_LOOKUP_AUTO, false, "cannot be a bucket's name"           },
        {NULL,                 "a..b",          NULL,      S3_LOOKUP_AUTO, false, "cannot be a bucket's name"           },
        {NULL,                 "backups",       "eu west", S3_LOOKUP_AUTO, false, "no region's name"                    },
        {"127.0.0.1",          "backups",       NULL,      S3_LOOKUP_DNS,  false, "cannot be addressed by a host's name"},
        {"[::1]",              "backups",       NULL,      S3_LOOKUP_DNS,  false, "cannot be addressed by a host's name"},
        {NULL,                 "My_Backups",    NULL,      S3_LOOKUP_DNS,  false, "cannot be addressed by a host's name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct s3_address a;
        AUTO_ERR struct sc_err err = {0};
        struct s3_address_setup setup = {.endpoint = cases[i].endpoint,
                                         .bucket = cases[i].bucket,
                                         .region = cases[i].region,
                                         .lookup = cases[i].lookup,
                                         .plain_http = cases[i].plain};
        if (s3_address_init(&a, &setup, &err) == 0)
            fail_msg("case %zu was taken", i);
        if (!strstr(err.text, cases[i].part))
            fail_msg("case %zu: %s", i, err.text);
        assert_int_equal(err.kind, ERR_CONFIG);
    }
}

static void test_makes_keys_that_rke_finds(void **state)
{
    (void)state;
    static const struct {
        const char *folder, *key, *path;
    } cases[] = {
        {NULL,          "a+b.zip",             "/backups/a%2Bb.zip"          },
        {"",            "a+b.zip",             "/backups/a%2Bb.zip"          },
        {"/",           "a+b.zip",             "/backups/a%2Bb.zip"          },
        {"folder",      "folder/a+b.zip",      "/backups/folder/a%2Bb.zip"   },
        {"/folder/",    "folder/a+b.zip",      "/backups/folder/a%2Bb.zip"   },
        {"//x///y z//", "x/y z/a+b.zip",       "/backups/x/y%20z/a%2Bb.zip"  },
        {"k\xc3\xb6ln", "k\xc3\xb6ln/a+b.zip", "/backups/k%C3%B6ln/a%2Bb.zip"},
        {"...",         ".../a+b.zip",         "/backups/.../a%2Bb.zip"      },
    };
    struct s3_address a;
    struct s3_address_setup setup = {.endpoint = "127.0.0.1", .bucket = "backups"};
    assert_int_equal(s3_address_init(&a, &setup, NULL), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *key = NULL;
        assert_int_equal(s3_address_key(cases[i].folder, "a+b", &key, NULL), 0);
        AUTO_FREE char *path = s3_address_path(&a, key);
        assert_string_equal(key, cases[i].key);
        assert_string_equal(path, cases[i].path);
        free(key);
    }
    AUTO_FREE char *bucket = s3_address_path(&a, NULL);
    assert_string_equal(bucket, "/backups");
    s3_address_free(&a);
    setup.endpoint = NULL;
    assert_int_equal(s3_address_init(&a, &setup, NULL), 0);
    AUTO_FREE char *root = s3_address_path(&a, NULL);
    assert_string_equal(root, "/");
    s3_address_free(&a);
}

static void test_refuses_bad_keys(void **state)
{
    (void)state;
    char lengthy[1021];
    memset(lengthy, 'x', sizeof lengthy - 1);
    lengthy[sizeof lengthy - 1] = '\0';
    const char *folders[] = {"a/../b", "./a", "a/.", "a\nb", "\xff", "\xe2\x80\xae", lengthy};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char *key = NULL;
        AUTO_ERR struct sc_err err = {0};
        assert_int_equal(s3_address_key(folders[i], "name", &key, &err), -1);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_null(key);
    }
    char *longest = NULL, *file = NULL;
    assert_int_equal(s3_address_file("/a//b/", "n.pki.bundle.tar.gz", &file, NULL), 0);
    assert_string_equal(file, "a/b/n.pki.bundle.tar.gz");
    free(file);
    lengthy[1024 - strlen("/n.zip")] = '\0';
    assert_int_equal(s3_address_key(lengthy, "n", &longest, NULL), 0);
    assert_int_equal(strlen(longest), S3_KEY_MAX);
    free(longest);
}

static void test_tells_whom_to_connect_to(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint;
        bool plain;
        const char *host;
        int port;
    } rows[] = {
        {"s3.example.org",             false, "s3.example.org",                    443 },
        {"s3.example.org",             true,  "s3.example.org",                    80  },
        {"s3.example.org:9000",        false, "s3.example.org",                    9000},
        {"[fd00::1]",                  false, "fd00::1",                           443 },
        {"[fd00::1]:9000",             true,  "fd00::1",                           9000},
        {"s3.eu-west-1.amazonaws.com", false, "bucket.s3.eu-west-1.amazonaws.com", 443 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct s3_address address = {0};
        const struct s3_address_setup setup = {
            .endpoint = rows[i].endpoint, .bucket = "bucket", .plain_http = rows[i].plain};
        int port = 0;
        assert_int_equal(s3_address_init(&address, &setup, NULL), 0);
        AUTO_FREE char *host = s3_address_peer(&address, &port);
        assert_string_equal(host, rows[i].host);
        assert_int_equal(port, rows[i].port);
        s3_address_free(&address);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_host_and_path),
        cmocka_unit_test(test_finds_the_region),
        cmocka_unit_test(test_follows_the_store_to_its_region),
        cmocka_unit_test(test_refuses_what_cannot_work),
        cmocka_unit_test(test_makes_keys_that_rke_finds),
        cmocka_unit_test(test_refuses_bad_keys),
        cmocka_unit_test(test_tells_whom_to_connect_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
