/* Little-endian numbers out of bytes. */
#ifndef SNAPCTL_SNAPSHOT_LE_H
#define SNAPCTL_SNAPSHOT_LE_H

#include <stdint.h>

static inline uint16_t le_u16(const unsigned char *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t le_u32(const unsigned char *p)
{
    return (uint32_t)le_u16(p) | (uint32_t)le_u16(p + 2) << 16;
}

static inline uint64_t le_u64(const unsigned char *p)
{
    return (uint64_t)le_u32(p) | (uint64_t)le_u32(p + 4) << 32;
}

#endif
