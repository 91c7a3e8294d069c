/* The data of one zip entry after the other: unpacked, counted, its CRC-32 made, and handed on. */
#ifndef SNAPCTL_SNAPSHOT_ZIP_DATA_H
#define SNAPCTL_SNAPSHOT_ZIP_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zip_record.h"

struct zip_data;

/* Takes what was unpacked, piece by piece. */
typedef int zip_data_taker(void *arg, const unsigned char *data, size_t len, struct sc_err *err);

struct zip_data *zip_data_new(zip_data_taker *taker, void *arg) WARN_UNUSED;
void zip_data_free(struct zip_data *data);

/* The data behind this local header comes next. */
void zip_data_start(struct zip_data *data, const struct zip_entry *entry);

/* Takes data that stands at the offset `at`; *taken is less than len only where the entry's data ended. */
int zip_data_push(struct zip_data *data, const unsigned char *in, size_t len, uint64_t at, size_t *taken,
                  struct sc_err *err) WARN_UNUSED;
bool zip_data_ended(const struct zip_data *data);

/* After the end: CRC-32 and both sizes of the data, and the bytes that were taken though they stand behind
 * it. Returns their number. */
size_t zip_data_finish(struct zip_data *data, struct zip_entry *counted,
                       unsigned char rest[ZIP_DESCRIPTOR_VIEW]) WARN_UNUSED;

#endif
