#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../../src/net/libssh2_chacha.h"

/* RFC 8439, section 2.4.2: the counter is 1, and of the nonce of 12 bytes the first 4 are the counter's upper
 * half here. */
static void enciphers_as_the_rfc_does(void **state)
{
    static const char text[] =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
        "future, sunscreen would be it.";
    static const unsigned char counter[8] = {1}, nonce[8] = {0, 0, 0, 0x4a};
    static const unsigned char first[] = {0x6e, 0x2e, 0x35, 0x9a, 0x25, 0x68, 0xf9, 0x80},
                               last[] = {0x0b, 0xbf, 0x74, 0xa3, 0x5b, 0xe6, 0xb4, 0x0b,
                                         0x8e, 0xed, 0xf2, 0x78, 0x5e, 0x42, 0x87, 0x4d};
    unsigned char key[32], data[sizeof text - 1];
    struct chacha_ctx ctx;
    (void)state;
    for (unsigned char i = 0; i < sizeof key; i++)
        key[i] = i;
    memcpy(data, text, sizeof data);
    chacha_keysetup(&ctx, key, 256);
    chacha_ivsetup(&ctx, nonce, counter);
    chacha_encrypt_bytes(&ctx, data, data, sizeof data);
    assert_memory_equal(data, first, sizeof first);
    assert_memory_equal(data + sizeof data - sizeof last, last, sizeof last);
    chacha_ivsetup(&ctx, nonce, counter);
    chacha_encrypt_bytes(&ctx, data, data, sizeof data);
    assert_memory_equal(data, text, sizeof data);
}

static void begins_at_the_counter_that_was_set(void **state)
{
    static const unsigned char key[32] = {7}, nonce[8] = {1}, one[8] = {1}, zeros[128] = {0};
    unsigned char two_blocks[128], second[64];
    struct chacha_ctx ctx;
    (void)state;
    chacha_keysetup(&ctx, key, 256);
    chacha_ivsetup(&ctx, nonce, one);
    chacha_ivsetup(&ctx, nonce, NULL);
    chacha_encrypt_bytes(&ctx, zeros, two_blocks, sizeof two_blocks);
    chacha_ivsetup(&ctx, nonce, one);
    chacha_encrypt_bytes(&ctx, zeros, second, sizeof second);
    assert_memory_equal(second, two_blocks + 64, sizeof second);
}

/* RFC 8439, section 2.5.2. */
static void authenticates_as_the_rfc_does(void **state)
{
    static const char text[] = "Cryptographic Forum Research Group";
    static const unsigned char key[32] = {0x85, 0xd6, 0xbe, 0x78, 0x57, 0x55, 0x6d, 0x33, 0x7f, 0x44, 0x52,
                                          0xfe, 0x42, 0xd5, 0x06, 0xa8, 0x01, 0x03, 0x80, 0x8a, 0xfb, 0x0d,
                                          0xb2, 0xfd, 0x4a, 0xbf, 0xf6, 0xaf, 0x41, 0x49, 0xf5, 0x1b};
    static const unsigned char expected[16] = {0xa8, 0x06, 0x1d, 0xc1, 0x30, 0x51, 0x36, 0xc6,
                                               0xc2, 0x2b, 0x8b, 0xaf, 0x0c, 0x01, 0x27, 0xa9};
    unsigned char tag[16];
    (void)state;
    poly1305_auth(tag, (const unsigned char *)text, sizeof text - 1, key);
    assert_memory_equal(tag, expected, sizeof tag);
    assert_true(libssh2_chacha_works());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enciphers_as_the_rfc_does),
        cmocka_unit_test(begins_at_the_counter_that_was_set),
        cmocka_unit_test(authenticates_as_the_rfc_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
