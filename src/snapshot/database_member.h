/* A member of the cluster as its database has it: under its id in hexadecimal a JSON object (etcd:
 * etcdserver/api/membership). */
#ifndef SNAPCTL_SNAPSHOT_DATABASE_MEMBER_H
#define SNAPCTL_SNAPSHOT_DATABASE_MEMBER_H

#include "snapctl/snapshot/database.h"

int database_member_parse(const unsigned char *key, size_t key_len, const unsigned char *value,
                          size_t value_len, struct database_member *member, struct sc_err *err) WARN_UNUSED;
void database_member_clear(struct database_member *member);

#endif
