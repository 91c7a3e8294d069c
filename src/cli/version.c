#include "snapctl/cli/version.h"

#include <curl/curl.h>
#include <expat.h>
#include <jansson.h>
#include <libdeflate.h>
#include <openssl/crypto.h>
#include <yaml.h>
#include <zlib.h>

#include "snapctl/base/str.h"
#include "snapctl/net/ssh.h"

char *version_text(void)
{
    const XML_Expat_Version expat = XML_ExpatVersionInfo();
    return str_format(
        "snapctl version %s\n%s libcurl/%s OpenSSL/%s libyaml/%s zlib/%s libdeflate/%s jansson/%s expat/%d.%d.%d\n",
        SNAPCTL_VERSION, ssh_library_version(), curl_version_info(CURLVERSION_NOW)->version,
        OpenSSL_version(OPENSSL_VERSION_STRING), yaml_get_version_string(), zlibVersion(),
        LIBDEFLATE_VERSION_STRING, jansson_version_str(), expat.major, expat.minor, expat.micro);
}
