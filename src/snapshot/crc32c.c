#include "crc32c.h"

#include <string.h>

#include "le.h"

/* Both ways work on the complement of the value. */
#if defined __x86_64__
static bool has_instruction(void)
{
    return __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t value, const unsigned char *p,
                                                                 size_t len)
{
    uint64_t wide = value;
    for (; len >= 8; p += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    value = (uint32_t)wide;
    for (; len; p++, len--)
        value = __builtin_ia32_crc32qi(value, *p);
    return value;
}
#else
static bool has_instruction(void)
{
    return false;
}

static uint32_t by_instruction(uint32_t value, const unsigned char *p, size_t len)
{
    (void)p;
    (void)len;
    return value;
}
#endif

/* Slicing by 8: table[i] is what a byte does when i more bytes have followed it. */
static uint32_t by_table(const struct crc32c *crc, uint32_t value, const unsigned char *p, size_t len)
{
    for (; len >= 8; p += 8, len -= 8) {
        uint32_t low = value ^ le_u32(p), high = le_u32(p + 4);
        value = crc->table[7][low & 255] ^ crc->table[6][low >> 8 & 255] ^ crc->table[5][low >> 16 & 255] ^
                crc->table[4][low >> 24] ^ crc->table[3][high & 255] ^ crc->table[2][high >> 8 & 255] ^
                crc->table[1][high >> 16 & 255] ^ crc->table[0][high >> 24];
    }
    for (; len; p++, len--)
        value = crc->table[0][(value ^ *p) & 255] ^ value >> 8;
    return value;
}

void crc32c_init_portable(struct crc32c *crc)
{
    static const uint32_t polynomial = 0x82F63B78; /* its bits reversed */
    crc->value = 0;
    crc->hardware = false;
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t value = byte;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ polynomial : value >> 1;
        crc->table[0][byte] = value;
    }
    for (int i = 1; i < 8; i++)
        for (int byte = 0; byte < 256; byte++) {
            uint32_t before = crc->table[i - 1][byte];
            crc->table[i][byte] = crc->table[0][before & 255] ^ before >> 8;
        }
}

void crc32c_init(struct crc32c *crc)
{
    if (has_instruction())
        *crc = (struct crc32c){.hardware = true};
    else
        crc32c_init_portable(crc);
}

void crc32c_update(struct crc32c *crc, const void *data, size_t len)
{
    crc->value =
        crc->hardware ? ~by_instruction(~crc->value, data, len) : ~by_table(crc, ~crc->value, data, len);
}
