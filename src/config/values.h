/* What a single value of cluster.yml may be. The checks return NULL for a good value, else what would be
 * right, to stand behind "found …; ". They are given texts that are not empty and hold no control character
 * (line breaks and tabs in keys and certificates). */
#ifndef SNAPCTL_CONFIG_VALUES_PRIVATE_H
#define SNAPCTL_CONFIG_VALUES_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/mem.h"

enum { VALUES_MAX_TIMEOUT_S = 86400 };

const char *values_check_address(const char *text);     /* a name or an IP address */
const char *values_check_host_name(const char *text);   /* a name */
const char *values_check_port(const char *text);        /* 1 to 65535 */
const char *values_check_user(const char *text);        /* not an option of ssh */
const char *values_check_role(const char *text);        /* etcd, controlplane, worker */
const char *values_check_path(const char *text);        /* absolute, on the node */
const char *values_check_file(const char *text);        /* here: no key or certificate itself */
const char *values_check_mount(const char *text);       /* the same, fit for docker's -v */
const char *values_check_version(const char *text);     /* v1.2… */
const char *values_check_image(const char *text);       /* of a container */
const char *values_check_word(const char *text);        /* no blanks */
const char *values_check_env(const char *text);         /* NAME=value */
const char *values_check_timeout(const char *text);     /* seconds; 0 stands for the default */
const char *values_check_key(const char *text);         /* a PEM or OpenSSH private key */
const char *values_check_certificate(const char *text); /* an OpenSSH user certificate */
const char *values_check_pem(const char *text);         /* X.509 certificates */

/* The first character that may not be in a value, as str_visible shows it, or NULL. Line breaks and tabs are
 * fine if lines. The caller frees it. */
char *values_find_control(const char *text, size_t len, bool lines) WARN_UNUSED;

/* A truth value or a whole number as gopkg.in/yaml.v2 reads them from a plain text; false if it is none. */
bool values_to_bool(const char *text, bool *out);
bool values_to_int(const char *text, int64_t *out);

/* An address so that equal ones are equal texts: short form of IP addresses, lower case. */
char *values_canonical_address(const char *text) WARN_UNUSED;

#endif
