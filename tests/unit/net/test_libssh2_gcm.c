#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libssh2.h>
#include <string.h>

#include "../../../src/net/libssh2_gcm.h"

enum { SIZE = 4, TEXT = 32, TAG = 16, PACKET = SIZE + TEXT + TAG };

/* A cipher for one direction, with a key of 0, 1, 2 … and an IV whose counter is about to carry. */
static void *begin(const struct libssh2_crypt_method *method, int encrypts)
{
    unsigned char key[32], iv[12] = {1, 2, 3, 4, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
    int free_iv = 0, free_key = 0;
    void *self = NULL;
    for (unsigned char i = 0; i < sizeof key; i++)
        key[i] = i;
    assert_int_equal(method->init(NULL, method, iv, &free_iv, key, &free_key, encrypts, &self), 0);
    assert_true(free_iv && free_key);
    assert_non_null(self);
    return self;
}

static void end(const struct libssh2_crypt_method *method, void **self)
{
    assert_int_equal(method->free(NULL, self), 0);
    assert_null(*self);
}

static void make_packet(unsigned char packet[PACKET])
{
    static const unsigned char size[SIZE] = {0, 0, 0, TEXT};
    memset(packet, 0, PACKET);
    memcpy(packet, size, SIZE);
    for (unsigned char i = 0; i < TEXT; i++)
        packet[SIZE + i] = (unsigned char)(0x40 + i);
}

/* What came out of Python's cryptography, AESGCM(key).encrypt(iv, text, size), for two packets in a row. */
static const struct {
    unsigned char first[2][4], tag[2][TAG];
} expected[LIBSSH2_GCM_METHODS] = {
    {{{0x2c, 0x03, 0x03, 0x80}, {0xf1, 0x31, 0x11, 0x3b}},
     {{0x43, 0x1b, 0x3d, 0xbf, 0x97, 0x39, 0xf0, 0x7d, 0xca, 0x07, 0x6d, 0x46, 0xbc, 0x99, 0x77, 0x6c},
      {0xd7, 0x8a, 0x63, 0xce, 0x29, 0x04, 0x70, 0x9b, 0xa8, 0x0a, 0x69, 0x3b, 0x5d, 0x3f, 0x78, 0x94}}},
    {{{0xdf, 0xf0, 0x8e, 0xa9}, {0xda, 0xdc, 0x37, 0x25}},
     {{0xae, 0xe1, 0x7c, 0x88, 0x2e, 0xc9, 0xfd, 0xdc, 0xf4, 0x43, 0x07, 0xee, 0xa2, 0x56, 0xea, 0x42},
      {0xef, 0xec, 0xe9, 0x70, 0x63, 0x99, 0xca, 0xd0, 0x94, 0x6d, 0xd1, 0x56, 0xc6, 0xa9, 0xee, 0x55}}},
};

static void enciphers_packet_by_packet(void **state)
{
    (void)state;
    for (size_t i = 0; i < LIBSSH2_GCM_METHODS; i++) {
        const struct libssh2_crypt_method *method = &libssh2_gcm_methods[i];
        void *self = begin(method, 1);
        for (unsigned n = 0; n < 2; n++) {
            unsigned char packet[PACKET], plain[PACKET];
            make_packet(packet);
            make_packet(plain);
            assert_int_equal(method->crypt(NULL, n, packet, SIZE + TEXT, &self, 0), 0);
            assert_memory_equal(packet, plain, SIZE);
            assert_memory_equal(packet + SIZE, expected[i].first[n], 4);
            assert_memory_equal(packet + SIZE + TEXT, expected[i].tag[n], TAG);
        }
        end(method, &self);
    }
}

static void deciphers_what_it_enciphered(void **state)
{
    (void)state;
    for (size_t i = 0; i < LIBSSH2_GCM_METHODS; i++) {
        const struct libssh2_crypt_method *method = &libssh2_gcm_methods[i];
        void *there = begin(method, 1), *back = begin(method, 0);
        for (unsigned n = 0; n < 300; n++) {
            unsigned char packet[PACKET], plain[PACKET];
            unsigned size = 0;
            make_packet(packet);
            make_packet(plain);
            assert_int_equal(method->crypt(NULL, n, packet, SIZE + TEXT, &there, 0), 0);
            assert_int_equal(method->size(NULL, n, packet, PACKET, &size, &back), 0);
            assert_int_equal(size, TEXT);
            assert_int_equal(method->crypt(NULL, n, packet, size, &back, 0), 0);
            assert_memory_equal(packet, plain + SIZE, TEXT);
        }
        end(method, &there);
        end(method, &back);
    }
}

/* Of every byte, the size's and the tag's among them. */
static void a_flipped_bit_is_refused(void **state)
{
    const struct libssh2_crypt_method *method = &libssh2_gcm_methods[0];
    (void)state;
    for (size_t at = 0; at < PACKET; at++) {
        void *there = begin(method, 1), *back = begin(method, 0);
        unsigned char packet[PACKET];
        make_packet(packet);
        assert_int_equal(method->crypt(NULL, 0, packet, SIZE + TEXT, &there, 0), 0);
        packet[at] ^= (unsigned char)(1 << at % 8);
        assert_int_not_equal(method->crypt(NULL, 0, packet, TEXT, &back, 0), 0);
        end(method, &there);
        end(method, &back);
    }
}

/* One that is left out, or comes twice. */
static void packets_keep_their_order(void **state)
{
    const struct libssh2_crypt_method *method = &libssh2_gcm_methods[0];
    void *there = begin(method, 1), *back = begin(method, 0), *late = begin(method, 0);
    unsigned char first[PACKET], again[PACKET], second[PACKET];
    (void)state;
    make_packet(first);
    make_packet(second);
    assert_int_equal(method->crypt(NULL, 0, first, SIZE + TEXT, &there, 0), 0);
    assert_int_equal(method->crypt(NULL, 1, second, SIZE + TEXT, &there, 0), 0);
    memcpy(again, first, sizeof again);
    assert_int_equal(method->crypt(NULL, 0, first, TEXT, &back, 0), 0);
    assert_int_not_equal(method->crypt(NULL, 1, again, TEXT, &back, 0), 0);
    assert_int_not_equal(method->crypt(NULL, 0, second, TEXT, &late, 0), 0);
    end(method, &there);
    end(method, &back);
    end(method, &late);
}

static void a_size_that_cannot_be_is_refused(void **state)
{
    const struct libssh2_crypt_method *method = &libssh2_gcm_methods[0];
    unsigned char packet[PACKET] = {0};
    unsigned size;
    void *self = begin(method, 1), *none = NULL;
    (void)state;
    for (unsigned char n = 0; n < 40; n++) {
        packet[SIZE - 1] = n;
        assert_int_equal(method->size(NULL, 0, packet, PACKET, &size, &self), 0);
        assert_int_equal(size, n % 16 ? 0 : n);
    }
    packet[SIZE - 1] = 16;
    assert_int_equal(method->size(NULL, 0, packet, SIZE - 1, &size, &self), 0);
    assert_int_equal(size, 0);
    assert_int_not_equal(method->crypt(NULL, 0, packet, SIZE - 1, &self, 0), 0);
    assert_int_not_equal(method->crypt(NULL, 0, packet, SIZE + TEXT, &none, 0), 0);
    end(method, &self);
    end(method, &none);
}

/* A key exchange takes the first of a name, and what reads private keys the last. */
static void stands_before_libssh2s_own(void **state)
{
    const struct libssh2_crypt_method *const *own = __real_libssh2_crypt_methods(),
                                             *const *all = __wrap_libssh2_crypt_methods();
    (void)state;
    for (size_t i = 0; i < LIBSSH2_GCM_METHODS; i++)
        assert_ptr_equal(*all++, &libssh2_gcm_methods[i]);
    do
        assert_ptr_equal(*all++, *own);
    while (*own++);
}

static void is_what_libssh2_goes_by(void **state)
{
    LIBSSH2_SESSION *session = libssh2_session_init();
    const char **names;
    int n = libssh2_session_supported_algs(session, LIBSSH2_METHOD_CRYPT_SC, &names), times = 0;
    (void)state;
    for (int i = 0; i < n; i++)
        times += strcmp(names[i], libssh2_gcm_methods[0].name) == 0;
    assert_int_equal(times, 2);
    libssh2_free(session, names);
    libssh2_session_free(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enciphers_packet_by_packet),       cmocka_unit_test(deciphers_what_it_enciphered),
        cmocka_unit_test(a_flipped_bit_is_refused),         cmocka_unit_test(packets_keep_their_order),
        cmocka_unit_test(a_size_that_cannot_be_is_refused), cmocka_unit_test(stands_before_libssh2s_own),
        cmocka_unit_test(is_what_libssh2_goes_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
