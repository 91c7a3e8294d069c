/* JSON documents on standard output: what all of them have in common. Values are jansson's, and taken over by
 * what they are added to; memory that runs out ends the process. */
#ifndef SNAPCTL_CLI_DOCUMENT_H
#define SNAPCTL_CLI_DOCUMENT_H

#include <jansson.h>
#include <stdint.h>

#include "snapctl/base/err.h"
#include "snapctl/base/log.h"
#include "snapctl/core/store.h"
#include "snapctl/snapshot/database.h"

/* Takes value over. */
void document_add(json_t *object, const char *key, json_t *value);
void document_append(json_t *array, json_t *value);

/* A string made fit to be shown, null for NULL and "". log: its secrets are replaced; NULL for what is known
 * to hold none, which might be a word of it by chance. */
json_t *document_text(const char *text, struct log *log);

/* The same, with its line breaks. */
json_t *document_lines(const char *text, struct log *log);

/* A number of bytes or the like; what JSON's integers cannot hold becomes the largest. */
json_t *document_number(uint64_t value);

/* Seconds since 1970 as RFC 3339 in UTC. */
json_t *document_time(int64_t seconds);

/* {"bytes","sha256"} of the database in an archive. */
json_t *document_etcd(const struct archive_facts *facts);

/* {"kind","text","hint","retryable"}, null for none. */
json_t *document_error(const struct sc_err *err, struct log *log);

/* Adds what was found in a database: "hash", "revision", "total_keys", "total_bytes", and "members", an array
 * of {"id","name","peer_urls"}; all null for NULL. The hash is a number, as etcdctl prints it, and the ids
 * are hexadecimal. */
void document_add_database(json_t *object, const struct database_facts *facts);

/* Adds where a command that looks at many objects found them: "endpoint", "bucket", "folder", "region",
 * "via", "credentials". */
void document_add_store(json_t *object, const struct store_result *store);

/* The head of every document: {"schema":1,"status","started","duration_ms","error"}. */
json_t *document_new(const char *status, int64_t started, int64_t duration_ms, const struct sc_err *err,
                     struct log *log);

/* The text, ended by a newline, and frees the document. The caller frees the text. */
char *document_print(json_t *document) WARN_UNUSED;

#endif
