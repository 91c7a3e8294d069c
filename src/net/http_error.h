/* What libcurl says went wrong, as an error that a person can act on. */
#ifndef SNAPCTL_NET_HTTP_ERROR_H
#define SNAPCTL_NET_HTTP_ERROR_H

#include <curl/curl.h>

#include "snapctl/base/err.h"

/* where is "host:port" of the URL, detail libcurl's own text (CURLOPT_ERRORBUFFER, may be empty). Returns -1.
 */
int http_error(CURL *easy, CURLcode code, const char *where, const char *detail, struct sc_err *err);

#endif
