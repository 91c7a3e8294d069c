#include "crc32c.h"

#include <string.h>

#include "le.h"

/* Polynomials have their bits reversed: the highest is that of x^0. */
static const uint32_t polynomial = 0x82F63B78, one = 0x80000000, x_to_the_8 = 0x00800000;

static uint32_t times_x(uint32_t value)
{
    return value & 1 ? value >> 1 ^ polynomial : value >> 1;
}

/* The product of two polynomials, modulo the one. */
static uint32_t multiply(uint32_t a, uint32_t b)
{
    uint32_t product = 0;
    for (uint32_t bit = one; bit; bit >>= 1) {
        if (a & bit)
            product ^= b;
        b = times_x(b);
    }
    return product;
}

static void init_powers(struct crc32c *crc)
{
    uint32_t power = x_to_the_8;
    for (int i = 0; i < CRC32C_POWERS; i++) {
        crc->powers[i] = power;
        power = multiply(power, power);
    }
}

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
    init_powers(crc);
    crc->value = 0;
    crc->hardware = false;
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t value = byte;
        for (int bit = 0; bit < 8; bit++)
            value = times_x(value);
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
    if (!has_instruction()) {
        crc32c_init_portable(crc);
        return;
    }
    *crc = (struct crc32c){.hardware = true};
    init_powers(crc);
}

void crc32c_update(struct crc32c *crc, const void *data, size_t len)
{
    crc->value =
        crc->hardware ? ~by_instruction(~crc->value, data, len) : ~by_table(crc, ~crc->value, data, len);
}

/* To put len bytes behind others multiplies the others' value by x^(8 * len). */
void crc32c_append(struct crc32c *crc, uint32_t value, uint64_t len)
{
    for (int i = 0; len; i++, len >>= 1)
        if (len & 1)
            crc->value = multiply(crc->value, crc->powers[i]);
    crc->value ^= value;
}
