#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/config/schema.h"
#include "snapctl/base/secret.h"
#include "snapctl/base/str.h"

enum { MAX_DOC_BYTES = 1 << 20 };

static const char doc_file[] = TEST_DATA "/../../../docs/cluster-yml.md";

/* Every key of RKE v1.6 (types/rke_types.go, types/backup_types.go) that snapctl does not read. */
static const struct {
    enum schema_level level;
    const char *names;
} others[] = {
    {LEVEL_TOP,
     "network authentication addons addons_include authorization enable_cri_dockerd ingress cloud_provider "
     "win_prefix_path addon_job_timeout monitoring restore rotate_certificates rotate_encryption_key dns "
     "upgrade_strategy cri_dockerd_stream_server_address cri_dockerd_stream_server_port"},
    {LEVEL_NODE,     "nodeName labels taints"                                           },
    {LEVEL_BASTION,  "ignore_proxy_env_vars"                                            },
    {LEVEL_REGISTRY, "ecr_credential_plugin"                                            },
    {LEVEL_IMAGES,
     "nginx_proxy kubernetes_services_sidecar kubedns dnsmasq kubedns_sidecar kubedns_autoscaler coredns "
     "coredns_autoscaler nodelocal kubernetes flannel flannel_cni calico_node calico_cni "
     "calico_controllers calico_ctl calico_flexvol canal_node canal_cni canal_controllers canal_flannel "
     "canal_flexvol weave_node weave_cni pod_infra_container ingress ingress_backend ingress_webhook "
     "metrics_server windows_pod_infra_container tigera_operator aci_cni_deploy_container "
     "aci_host_container aci_opflex_container aci_mcast_container aci_ovs_container "
     "aci_controller_container aci_gbp_server_container aci_opflex_server_container"    },
    {LEVEL_SERVICES, "kube-api kube-controller scheduler kubelet kubeproxy"             },
    {LEVEL_ETCD,
     "image extra_args extra_args_array extra_binds win_extra_args win_extra_args_array win_extra_binds "
     "win_extra_env ca_cert cert key path uid gid snapshot retention creation"          },
    {LEVEL_BACKUP,   "enabled interval_hours retention safe_timestamp"                  },
};

static void test_other_keys_of_rke_are_no_near_misses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        for (const char *p = others[i].names; *p; p += strspn(p, " ")) {
            const struct schema_key *key = NULL;
            size_t len = strcspn(p, " ");
            if (schema_find(others[i].level, p, len) ||
                schema_guess(others[i].level, p, len, &key) != SCHEMA_FAR)
                fail_msg("%.*s is taken for %s", (int)len, p, key ? key->name : "ours");
            p += len;
        }
}

static const struct {
    enum schema_level level;
    const char *name;
    enum schema_nearness nearness;
    const char *key;
} guesses[] = {
    {LEVEL_TOP,      "sshKeyPath",         SCHEMA_SAME,   "ssh_key_path"      },
    {LEVEL_TOP,      "ssh-key-path",       SCHEMA_SAME,   "ssh_key_path"      },
    {LEVEL_TOP,      "ssh_keypath",        SCHEMA_SAME,   "ssh_key_path"      },
    {LEVEL_TOP,      "SSH_KEY_PATH",       SCHEMA_SAME,   "ssh_key_path"      },
    {LEVEL_TOP,      "shs_key_path",       SCHEMA_NEAR,   "ssh_key_path"      },
    {LEVEL_TOP,      "node",               SCHEMA_NEAR,   "nodes"             },
    {LEVEL_TOP,      "kubernetes-verison", SCHEMA_NEAR,   "kubernetes_version"},
    {LEVEL_TOP,      "privateRegistries",  SCHEMA_SAME,   "private_registries"},
    {LEVEL_NODE,     "internal_adress",    SCHEMA_NEAR,   "internal_address"  },
    {LEVEL_NODE,     "roles",              SCHEMA_NEAR,   "role"              },
    {LEVEL_NODE,     "sshCert",            SCHEMA_SAME,   "ssh_cert"          },
    {LEVEL_NODE,     "rules",              SCHEMA_FAR,    NULL                },
    {LEVEL_BACKUP,   "s3_backup_config",   SCHEMA_SAME,   "s3backupconfig"    },
    {LEVEL_BACKUP,   "s3BackupConfig",     SCHEMA_SAME,   "s3backupconfig"    },
    {LEVEL_S3,       "bucketName",         SCHEMA_SAME,   "bucket_name"       },
    {LEVEL_S3,       "bucket",             SCHEMA_FAR,    NULL                },
    {LEVEL_REGISTRY, "uri",                SCHEMA_NEAR,   "url"               },
    {LEVEL_ETCD,     "s3_backup_config",   SCHEMA_ASTRAY, "s3backupconfig"    },
    {LEVEL_TOP,      "backup_config",      SCHEMA_ASTRAY, "backup_config"     },
    {LEVEL_SERVICES, "nodes",              SCHEMA_ASTRAY, "nodes"             },
    {LEVEL_TOP,      "x-anything",         SCHEMA_FAR,    NULL                },
    {LEVEL_TOP,      "",                   SCHEMA_FAR,    NULL                },
    {LEVEL_TOP,      "___",                SCHEMA_FAR,    NULL                },
};

static void test_guesses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof guesses / sizeof *guesses; i++) {
        const struct schema_key *key = NULL;
        enum schema_nearness found =
            schema_guess(guesses[i].level, guesses[i].name, strlen(guesses[i].name), &key);
        if (found != guesses[i].nearness || !str_equal(key ? key->name : NULL, guesses[i].key))
            fail_msg("%s: %d %s", guesses[i].name, (int)found, key ? key->name : "none");
    }
}

static void test_an_endless_name_is_far(void **state)
{
    (void)state;
    const struct schema_key *key = NULL;
    size_t len = (size_t)1 << 20;
    AUTO_FREE char *name = mem_calloc(len + 1, 1);
    memset(name, 'a', len);
    assert_int_equal(schema_guess(LEVEL_TOP, name, len, &key), SCHEMA_FAR);
}

static const char *const type_words[] = {
    [TYPE_TEXT] = "text",  [TYPE_BLOCK] = "block", [TYPE_BOOL] = "bool",         [TYPE_INT] = "int",
    [TYPE_TEXTS] = "list", [TYPE_MAP] = "map",     [TYPE_MAPS] = "list of maps",
};

/* The row that the page must have for a key, up to its notes. */
static char *doc_row(const struct schema_key *key)
{
    AUTO_FREE char *path = schema_path(key);
    AUTO_FREE char *literal = key->fallback ? str_format("`%s`", key->fallback) : NULL;
    return str_format("| `%s` | %s%s | %s |", path, type_words[key->type], key->secret ? ", secret" : "",
                      literal     ? literal
                      : key->note ? key->note
                                  : "none");
}

static void test_every_key_is_documented(void **state)
{
    (void)state;
    AUTO_SECRET struct secret *doc = NULL;
    struct sc_err err = {0};
    assert_int_equal(secret_read_file(doc_file, MAX_DOC_BYTES, 0, &doc, &err), 0);
    for (size_t i = 0; i < schema_count(); i++) {
        AUTO_FREE char *row = doc_row(schema_at(i));
        AUTO_FREE char *line = str_format("\n%s", row);
        if (!strstr(secret_data(doc), line))
            fail_msg("docs/cluster-yml.md lacks: %s", row);
    }
}

static void test_nothing_else_is_documented(void **state)
{
    (void)state;
    AUTO_SECRET struct secret *doc = NULL;
    struct sc_err err = {0};
    size_t rows = 0;
    assert_int_equal(secret_read_file(doc_file, MAX_DOC_BYTES, 0, &doc, &err), 0);
    for (const char *p = secret_data(doc); (p = strstr(p, "\n| `")); p++)
        rows++;
    assert_int_equal(rows, schema_count());
}

/* A default is read like a text of the file, so it must be one that the file may have. */
static void test_defaults_are_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < schema_count(); i++) {
        const struct schema_key *key = schema_at(i);
        assert_false(key->fallback && key->note);
        assert_non_null(key->example);
        assert_true(str_starts(key->example, key->name));
        if (key->fallback && key->check)
            assert_null(key->check(key->fallback));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_keys_of_rke_are_no_near_misses),
        cmocka_unit_test(test_guesses),
        cmocka_unit_test(test_an_endless_name_is_far),
        cmocka_unit_test(test_every_key_is_documented),
        cmocka_unit_test(test_nothing_else_is_documented),
        cmocka_unit_test(test_defaults_are_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
