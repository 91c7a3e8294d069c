#include "snapctl/s3/error.h"

#define BUSY                                                                                                 \
    "the store is overloaded or failing; the snapshot on the node is not affected, upload it again later"
#define CLOCK "the clocks of this machine and of {endpoint} differ by more than 15 minutes: set the wrong one"
#define REGION                                                                                               \
    "bucket {bucket} is not in region {region}: give --region with the bucket's own, or the endpoint of that region"
#define TOO_LARGE                                                                                            \
    "a limit of the store, or of a proxy before it (nginx: client_max_body_size); parts need at least 16 MiB"
#define TOKEN "get a new session token, or check where the credentials come from (--debug names the place)"
#define PARTS                                                                                                \
    "a part was lost or changed on its way: upload again; if it stays, look at proxies before {endpoint}"
#define KMS                                                                                                  \
    "check the key of --s3-sse aws:kms:KEY: it must be enabled, in the bucket's region, and allow kms:GenerateDataKey and kms:Decrypt to {access_key}"
#define QUOTA "make room: raise the quota of the bucket or of its user, or delete old snapshots"
#define LOCK "--s3-object-lock needs a bucket that has object lock, and the right s3:PutObjectRetention"
#define HELD                                                                                                 \
    "the object is locked there (object lock, legal hold, WORM): it can be deleted when that has ended"
#define UNSUPPORTED                                                                                          \
    "{endpoint} does not know this option: leave out --s3-sse, --s3-checksum, --s3-tag or --s3-object-lock"

/* Rows with a status come first among those of the same status: a bare 403 is AccessDenied. */
static const struct s3_error_row rows[] = {
  /* Keys and rights. */
    {"AccessDenied",                                   403, ERR_AUTH,    S3_FINAL,
     "{access_key} may not do this: a policy must allow {action} on arn:aws:s3:::{bucket}{/key}, and none may deny it"                                    },
    {"Unauthorized",                                   401, ERR_AUTH,    S3_FINAL,
     "{endpoint} wants a login that is not S3's: is it the S3 endpoint, or a proxy?"                                                                      },
    {"InvalidAccessKeyId",                             0,   ERR_AUTH,    S3_FINAL,
     "{endpoint} does not know the access key {access_key}: is it of this store, and still active?"                                                       },
    {"SignatureDoesNotMatch",                          0,   ERR_AUTH,    S3_FINAL,
     "the secret key does not belong to {access_key} (a blank or a line break copied along?), or a proxy before {endpoint} rewrites Host, path or headers"},
    {"InvalidToken",                                   0,   ERR_AUTH,    S3_FINAL,      TOKEN                                                             },
    {"InvalidSecurity",                                0,   ERR_AUTH,    S3_FINAL,      TOKEN                                                             },
    {"InvalidClientTokenId",                           0,   ERR_AUTH,    S3_FINAL,      TOKEN                                                             },
    {"ExpiredToken",                                   0,   ERR_AUTH,    S3_KEYS,       "the session token has expired: " TOKEN                           },
    {"TokenRefreshRequired",                           0,   ERR_AUTH,    S3_KEYS,       TOKEN                                                             },
    {"ExpiredTokenException",                          0,   ERR_AUTH,    S3_KEYS,       TOKEN                                                             },
    {"AccountProblem",                                 0,   ERR_AUTH,    S3_FINAL,      "the provider has closed or limited the account"                  },
    {"AllAccessDisabled",                              0,   ERR_AUTH,    S3_FINAL,      "the provider has disabled all access to {bucket}"                },
    {"NotSignedUp",                                    0,   ERR_AUTH,    S3_FINAL,      "the account has no S3 subscription"                              },
    {"UserSuspended",                                  0,   ERR_AUTH,    S3_FINAL,      "the store has suspended the user of {access_key}"                },
    {"InvalidPayer",                                   0,   ERR_AUTH,    S3_FINAL,      "the provider has disabled all access to {bucket}"                },
    {"CrossLocationLoggingProhibited",                 0,   ERR_AUTH,    S3_FINAL,      NULL                                                              },
    {"RequestTimeTooSkewed",                           0,   ERR_AUTH,    S3_CLOCK,      CLOCK                                                             },
    {"RequestExpired",                                 0,   ERR_AUTH,    S3_CLOCK,      CLOCK                                                             },
    {"AccessForbidden",                                0,   ERR_AUTH,    S3_FINAL,      "{access_key} may not do this: a policy must allow {action}"      },

 /* Bucket, region, address. */
    {"NoSuchBucket",                                   0,   ERR_CONFIG,  S3_FINAL,
     "there is no bucket {bucket} at {endpoint}: check --bucket-name and --s3-endpoint, or create it"                                                     },
    {"InvalidBucketName",                              0,   ERR_CONFIG,  S3_FINAL,
     "check --bucket-name; the folder has a setting of its own"                                                                                           },
    {"PermanentRedirect",                              301, ERR_CONFIG,  S3_REGION,     REGION                                                            },
    {"TemporaryRedirect",                              307, ERR_CONFIG,  S3_REGION,     REGION                                                            },
    {"Redirect",                                       0,   ERR_CONFIG,  S3_REGION,     REGION                                                            },
    {"AuthorizationHeaderMalformed",                   0,   ERR_CONFIG,  S3_REGION,     REGION                                                            },
    {"IllegalLocationConstraintException",             0,   ERR_CONFIG,  S3_REGION,     REGION                                                            },
    {"InvalidRegion",                                  0,   ERR_CONFIG,  S3_REGION,     REGION                                                            },
    {"BadRequest",                                     400, ERR_CONFIG,  S3_REGION,
     "check --region and --s3-endpoint; behind them may be an expired session token"                                                                      },
    {"MethodNotAllowed",                               405, ERR_CONFIG,  S3_FINAL,
     "is {endpoint} the S3 endpoint, or a web page of the store (its console has another port)?"                                                          },
    {"NoSuchKey",                                      404, ERR_CONFIG,  S3_FINAL,      NULL                                                              },
    {"NoSuchVersion",                                  0,   ERR_CONFIG,  S3_FINAL,      NULL                                                              },
    {"KeyTooLongError",                                0,   ERR_CONFIG,  S3_FINAL,      "folder and name together may have 1024 bytes"                    },
    {"InvalidURI",                                     0,   ERR_CONFIG,  S3_FINAL,
     "the store cannot take this folder or name: use plain letters and digits"                                                                            },
    {"XMinioInvalidObjectName",                        0,   ERR_CONFIG,  S3_FINAL,
     "the store cannot take this folder or name: use plain letters and digits"                                                                            },
    {"InvalidObjectState",                             0,   ERR_CONFIG,  S3_FINAL,
     "the object is archived (Glacier): restore it there first"                                                                                           },

 /* Options. */
    {"NotImplemented",                                 501, ERR_CONFIG,  S3_FINAL,      UNSUPPORTED                                                       },
    {"InvalidArgument",                                0,   ERR_CONFIG,  S3_FINAL,      UNSUPPORTED                                                       },
    {"InvalidRequest",                                 0,   ERR_CONFIG,  S3_FINAL,      UNSUPPORTED                                                       },
    {"InvalidTag",                                     0,   ERR_CONFIG,  S3_FINAL,
     "a tag of --s3-tag is not allowed there: at most 10, keys of 128, values of 256 letters, digits, blanks and + - = . _ : / @"                         },
    {"InvalidEncryptionAlgorithmError",                0,   ERR_CONFIG,  S3_FINAL,      "--s3-sse is AES256 or aws:kms"                                   },
    {"InvalidStorageClass",                            0,   ERR_CONFIG,  S3_FINAL,      NULL                                                              },
    {"InvalidRetentionPeriod",                         0,   ERR_CONFIG,  S3_FINAL,      LOCK                                                              },
    {"ObjectLockConfigurationNotFoundError",           0,   ERR_CONFIG,  S3_FINAL,      LOCK                                                              },
    {"MissingContentMD5",                              0,   ERR_CONFIG,  S3_FINAL,
     "the bucket wants a checksum (object lock): add --s3-checksum sha256"                                                                                },
    {"KMS.NotFoundException",                          0,   ERR_CONFIG,  S3_FINAL,      KMS                                                               },
    {"KMS.DisabledException",                          0,   ERR_CONFIG,  S3_FINAL,      KMS                                                               },
    {"KMS.KMSInvalidStateException",                   0,   ERR_CONFIG,  S3_FINAL,      KMS                                                               },
    {"KMS.InvalidKeyUsageException",                   0,   ERR_CONFIG,  S3_FINAL,      KMS                                                               },
    {"ServerSideEncryptionConfigurationNotFoundError", 0,   ERR_CONFIG,  S3_FINAL,      KMS                                                               },

 /* Sizes and parts. */
    {"EntityTooLarge",                                 413, ERR_CONFIG,  S3_FINAL,      TOO_LARGE                                                         },
    {"EntityTooSmall",                                 0,   ERR_CONFIG,  S3_FINAL,      "the store wants larger parts than it was sent"                   },
    {"InvalidPart",                                    0,   ERR_CORRUPT, S3_FINAL,      PARTS                                                             },
    {"InvalidPartOrder",                               0,   ERR_CORRUPT, S3_FINAL,      PARTS                                                             },
    {"NoSuchUpload",                                   0,   ERR_STORE,   S3_FINAL,
     "the multipart upload is gone: aborted by somebody else or by a rule of the bucket's life cycle"                                                     },
    {"XAmzContentSHA256Mismatch",                      0,   ERR_CORRUPT, S3_AGAIN_ONCE,
     "the body was changed on its way: look at proxies before {endpoint}, or use TLS"                                                                     },
    {"XAmzContentChecksumMismatch",                    0,   ERR_CORRUPT, S3_AGAIN_ONCE,
     "the body was changed on its way: look at proxies before {endpoint}, or use TLS"                                                                     },
    {"BadDigest",                                      0,   ERR_CORRUPT, S3_AGAIN_ONCE,
     "the body was changed on its way: look at proxies before {endpoint}, or use TLS"                                                                     },
    {"InvalidDigest",                                  0,   ERR_CORRUPT, S3_FINAL,      NULL                                                              },
    {"IncompleteBody",                                 0,   ERR_STORE,   S3_AGAIN,      BUSY                                                              },
    {"MissingContentLength",                           411, ERR_STORE,   S3_FINAL,      "a proxy before {endpoint} drops Content-Length"                  },
    {"MalformedXML",                                   0,   ERR_STORE,   S3_FINAL,      NULL                                                              },
    {"InvalidRange",                                   416, ERR_STORE,   S3_FINAL,      NULL                                                              },

 /* Somebody else's object. */
    {"PreconditionFailed",                             412, ERR_REFUSED, S3_FINAL,
     "an object {key} is in bucket {bucket} already: choose another name, or --force to replace it"                                                       },
    {"ConditionalRequestConflict",                     0,   ERR_STORE,   S3_AGAIN,
     "another upload of the same name runs at the same time"                                                                                              },
    {"OperationAborted",                               409, ERR_STORE,   S3_AGAIN,      "another operation on {bucket} runs at the same time"             },
    {"InvalidObjectLock",                              0,   ERR_REFUSED, S3_FINAL,      LOCK                                                              },
    {"ObjectLocked",                                   0,   ERR_REFUSED, S3_FINAL,      HELD                                                              },
    {"ObjectUnderActiveHold",                          0,   ERR_REFUSED, S3_FINAL,      HELD                                                              },
    {"RetentionPolicyNotMet",                          0,   ERR_REFUSED, S3_FINAL,      HELD                                                              },
    {"FileImmutable",                                  0,   ERR_REFUSED, S3_FINAL,      HELD                                                              },

 /* Room. */
    {"QuotaExceeded",                                  0,   ERR_SPACE,   S3_FINAL,      QUOTA                                                             },
    {"XMinioAdminBucketQuotaExceeded",                 0,   ERR_SPACE,   S3_FINAL,      QUOTA                                                             },
    {"XMinioStorageFull",                              507, ERR_SPACE,   S3_FINAL,      "the store's disks are full"                                      },
    {"StorageFull",                                    0,   ERR_SPACE,   S3_FINAL,      "the store's disks are full"                                      },

 /* Come again. */
    {"SlowDown",                                       0,   ERR_STORE,   S3_AGAIN,      BUSY                                                              },
    {"SlowDownWrite",                                  0,   ERR_STORE,   S3_AGAIN,      BUSY                                                              },
    {"SlowDownRead",                                   0,   ERR_STORE,   S3_AGAIN,      BUSY                                                              },
    {"TooManyRequests",                                429, ERR_STORE,   S3_AGAIN,      BUSY                                                              },
    {"Throttling",                                     0,   ERR_STORE,   S3_AGAIN,      BUSY                                                              },
    {"ThrottlingException",                            0,   ERR_STORE,   S3_AGAIN,      BUSY                                                              },
    {"ThrottledException",                             0,   ERR_STORE,   S3_AGAIN,      BUSY                                                              },
    {"RequestThrottled",                               0,   ERR_STORE,   S3_AGAIN,      BUSY                                                              },
    {"RequestThrottledException",                      0,   ERR_STORE,   S3_AGAIN,      BUSY                                                              },
    {"RequestLimitExceeded",                           0,   ERR_STORE,   S3_AGAIN,      BUSY                                                              },
    {"BandwidthLimitExceeded",                         0,   ERR_STORE,   S3_AGAIN,      BUSY                                                              },
    {"PriorRequestNotComplete",                        0,   ERR_STORE,   S3_AGAIN,      BUSY                                                              },
    {"KMS.ThrottlingException",                        0,   ERR_STORE,   S3_AGAIN,      BUSY                                                              },
    {"RequestTimeout",                                 408, ERR_STORE,   S3_AGAIN,      BUSY                                                              },
    {"RequestTimeoutException",                        0,   ERR_STORE,   S3_AGAIN,      BUSY                                                              },
    {"InternalError",                                  500, ERR_STORE,   S3_AGAIN,      BUSY                                                              },
    {"BadGateway",                                     502, ERR_STORE,   S3_AGAIN,
     "a proxy before {endpoint} does not reach the store: is it running?"                                                                                 },
    {"ServiceUnavailable",                             503, ERR_STORE,   S3_AGAIN,      BUSY                                                              },
    {"GatewayTimeout",                                 504, ERR_STORE,   S3_AGAIN,
     "a proxy before {endpoint} gets no answer from the store in time"                                                                                    },
    {"XMinioServerNotInitialized",                     0,   ERR_STORE,   S3_AGAIN,      BUSY                                                              },
};

const struct s3_error_row *s3_error_rows(size_t *n)
{
    *n = sizeof rows / sizeof *rows;
    return rows;
}
