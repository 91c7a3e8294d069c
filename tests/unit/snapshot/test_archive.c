#include "archive_maker.h"

#include <dirent.h>

#define SNAPSHOT "/backup/snap"
#define STATE "/etc/kubernetes/snap.rkestate"

enum { PAGES = 4 };

static const char state_json[] = "{\"desiredState\":{\"certificatesBundle\":{}}}";

/* What most tests begin with: the snapshot and the state file, both in one form. */
struct sample {
    struct buf snapshot;
    struct maker_entry entries[2];
};

static void sample_init(struct sample *s, unsigned form)
{
    *s = (struct sample){0};
    maker_snapshot(&s->snapshot, PAGES);
    s->entries[0] = (struct maker_entry){SNAPSHOT, s->snapshot.data, s->snapshot.len, form};
    s->entries[1] = (struct maker_entry){STATE, state_json, strlen(state_json), form};
}

static void sample_make(struct sample *s, struct maker *m, unsigned form)
{
    sample_init(s, form);
    maker_make(m, s->entries, 2, false);
}

static void sample_free(struct sample *s, struct maker *m)
{
    buf_free(&s->snapshot);
    buf_free(&m->zip);
}

static void expect_good(const struct sample *s, const struct maker *m, size_t piece)
{
    struct archive_facts facts;
    AUTO_ERR struct sc_err err = {0};
    char hex[SHA256_HEX];
    if (maker_check("snap", true, m->zip.data, m->zip.len, piece, &facts, &err) < 0)
        fail_msg("in pieces of %zu: %s", piece, err.text);
    assert_int_equal(facts.bytes, m->zip.len);
    assert_int_equal(facts.etcd_bytes, s->snapshot.len);
    assert_true(facts.state_file);
    maker_hex(m->zip.data, m->zip.len, hex);
    assert_string_equal(facts.sha256, hex);
    maker_hex(s->snapshot.data, s->snapshot.len - SHA256_DIGEST_LENGTH, hex);
    assert_string_equal(facts.etcd_sha256, hex);
}

static void test_without_a_sha256_of_its_own(void **state)
{
    struct sample s;
    struct maker m = {0};
    struct archive_check *check = archive_check_new("snap", true);
    struct sink *sink = archive_check_sink(check);
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    struct sc_err err = {0};
    (void)state;
    sample_make(&s, &m, 0);
    archive_check_leave_out_sha256(check);
    assert_int_equal(sink->write(sink, &ctx, m.zip.data, m.zip.len, &err), 0);
    assert_int_equal(sink->finish(sink, &ctx, &err), 0);
    assert_string_equal(archive_check_facts(check)->sha256, "");
    assert_int_equal(strlen(archive_check_facts(check)->etcd_sha256), SHA256_HEX - 1);
    archive_check_free(check);
    sample_free(&s, &m);
}

static void expect_bad(const char *name, bool want_state, const void *zip, size_t len, const char *text)
{
    static const size_t pieces[] = {1, 29, 65536};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct archive_facts facts;
        AUTO_ERR struct sc_err err = {0};
        if (maker_check(name, want_state, zip, len, pieces[i], &facts, &err) == 0)
            fail_msg("accepted in pieces of %zu; expected: %s", pieces[i], text);
        assert_int_equal(err.kind, ERR_CORRUPT);
        if (!strstr(err.text, text))
            fail_msg("in pieces of %zu: \"%s\" does not tell \"%s\"", pieces[i], err.text, text);
    }
}

static void test_takes_every_form_in_pieces_of_any_size(void **state)
{
    static const unsigned forms[] = {
        MAKER_GO,
        MAKER_GO | MAKER_STORED,
        MAKER_GO | MAKER_WIDE | MAKER_CENTRAL64,
        MAKER_GO | MAKER_WIDE | MAKER_CENTRAL64 | MAKER_STORED,
        MAKER_GO | MAKER_UNSIGNED,
        MAKER_GO | MAKER_UNSIGNED | MAKER_WIDE,
        MAKER_DESCRIPTOR | MAKER_LOCAL64 | MAKER_WIDE,
        0,
        MAKER_STORED,
        MAKER_LOCAL64 | MAKER_CENTRAL64 | MAKER_TIME,
        MAKER_STORED | MAKER_LOCAL64,
    };
    static const size_t pieces[] = {1, 2, 3, 5, 8, 13, 27, 28, 29, 512, 65536};
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        for (int zip64 = 0; zip64 <= 1; zip64++) {
            struct sample s;
            struct maker m;
            sample_init(&s, forms[i]);
            maker_make(&m, s.entries, 2, zip64);
            for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++)
                expect_good(&s, &m, pieces[p]);
            sample_free(&s, &m);
        }
}

static void test_takes_what_another_program_wrote(void **state)
{
    (void)state;
    size_t files = 0;
    DIR *folder = opendir(TEST_DATA "/snapshot");
    assert_non_null(folder);
    const struct dirent *entry;
    while ((entry = readdir(folder))) {
        if (!str_ends(entry->d_name, ".zip"))
            continue;
        AUTO_FREE char *path = str_format("%s/snapshot/%s", TEST_DATA, entry->d_name);
        FILE *file = fopen(path, "rb");
        char zip[4096];
        size_t len = fread(zip, 1, sizeof zip, file);
        fclose(file);
        struct archive_facts facts;
        AUTO_ERR struct sc_err err = {0};
        if (maker_check("py", true, zip, len, 7, &facts, &err) < 0)
            fail_msg("%s: %s", entry->d_name, err.text);
        assert_int_equal(facts.etcd_bytes, 2 * MAKER_PAGE + 32);
        assert_true(facts.state_file);
        files++;
    }
    closedir(folder);
    assert_int_equal(files, 8);
}

static void test_state_file_may_be_missing_or_first(void **state)
{
    (void)state;
    struct sample s;
    struct maker m;
    struct archive_facts facts;
    AUTO_ERR struct sc_err err = {0};
    sample_init(&s, MAKER_GO);
    maker_make(&m, s.entries, 1, false);
    assert_int_equal(maker_check("snap", false, m.zip.data, m.zip.len, 100, &facts, &err), 0);
    assert_false(facts.state_file);
    expect_bad("snap", true, m.zip.data, m.zip.len, "the archive has no entry " STATE);
    buf_free(&m.zip);

    maker_make(&m, s.entries + 1, 1, false);
    expect_bad("snap", false, m.zip.data, m.zip.len, "the archive has no entry " SNAPSHOT);
    buf_free(&m.zip);

    struct maker_entry swapped[] = {s.entries[1], s.entries[0]};
    maker_make(&m, swapped, 2, false);
    expect_good(&s, &m, 100);
    sample_free(&s, &m);
}

static void test_takes_two_entries_by_their_literal_names_only(void **state)
{
    static const struct {
        const char *name, *error;
    } wrong[] = {
        {"backup/snap",                    "found backup/snap"                    },
        {"/backup/snap.db",                "found /backup/snap.db"                },
        {"/backup/sna",                    "found /backup/sna"                    },
        {"/backup/../backup/snap",         "found /backup/../backup/snap"         },
        {"/backup/snap\n\x1b[2J",          "found /backup/snap\\n\\x1b[2J"        },
        {"/etc/shadow",                    "found /etc/shadow"                    },
        {"/etc/kubernetes/other.rkestate", "found /etc/kubernetes/other.rkestate" },
        {SNAPSHOT,                         "the archive has two entries " SNAPSHOT},
    };
    (void)state;
    struct sample s;
    struct maker m;
    sample_init(&s, MAKER_GO);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct maker_entry entries[] = {s.entries[0], s.entries[0]};
        entries[1].name = wrong[i].name;
        maker_make(&m, entries, 2, false);
        expect_bad("snap", false, m.zip.data, m.zip.len, wrong[i].error);
        buf_free(&m.zip);
    }
    maker_make(&m, s.entries, 2, false);
    expect_bad("other", false, m.zip.data, m.zip.len, "found " SNAPSHOT);
    sample_free(&s, &m);
}

static void test_refuses_what_is_no_snapshot(void **state)
{
    static const struct {
        size_t at, cut;
        const char *error;
    } damages[] = {
        {16,                 0,                       SNAPSHOT ": not an etcd database: its magic number must be 0xed0cdaed, found 0xed0cdaee"},
        {8,                  0,                       "its magic number must be"                                                              },
        {20,                 0,                       "format version must be 2, found 3"                                                     },
        {24,                 0,                       "does not match its checksum"                                                           },
        {72,                 0,                       "does not match its checksum"                                                           },
        {100,                0,                       SNAPSHOT ": the database's SHA-256 must be"                                             },
        {PAGES * MAKER_PAGE, 0,                       "the database's SHA-256 must be"                                                        },
        {SIZE_MAX,           32,                      "2048 bytes cannot be a database"                                                       },
        {SIZE_MAX,           1,                       "2079 bytes cannot be a database"                                                       },
        {SIZE_MAX,           MAKER_PAGE,              "the database was cut: its pages take 2048 bytes, found 1536"                           },
        {SIZE_MAX,           PAGES * MAKER_PAGE + 32, "0 bytes cannot be a database"                                                          },
        {SIZE_MAX,           PAGES * MAKER_PAGE,      "32 bytes cannot be a database"                                                         },
    };
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct sample s;
        struct maker m;
        sample_init(&s, MAKER_GO);
        if (damages[i].at != SIZE_MAX)
            s.snapshot.data[damages[i].at]++;
        s.entries[0].len -= damages[i].cut;
        maker_make(&m, s.entries, 2, false);
        expect_bad("snap", true, m.zip.data, m.zip.len, damages[i].error);
        sample_free(&s, &m);
    }
}

static void test_refuses_an_empty_state_file(void **state)
{
    (void)state;
    struct sample s;
    struct maker m;
    for (unsigned form = 0; form <= MAKER_STORED; form += MAKER_STORED) {
        sample_init(&s, MAKER_GO | form);
        s.entries[1].len = 0;
        maker_make(&m, s.entries, 2, false);
        expect_bad("snap", false, m.zip.data, m.zip.len, STATE ": the state file is empty");
        sample_free(&s, &m);
    }
}

/* Fields that say nothing of what a restore unpacks, in the directory only: the version that made it and the
 * mode. */
static bool says_nothing(const struct maker *m, size_t at)
{
    for (size_t i = 0; i < m->n; i++) {
        size_t c = m->central[i];
        if ((at >= c + 4 && at < c + 6) || (at >= c + 38 && at < c + 42))
            return true;
    }
    return false;
}

/* Whether the byte is of packed data that means the same nevertheless, as zlib unpacks it: there are bits
 * that nobody reads behind its end, and codes that it does not use. */
static bool means_the_same(const struct sample *s, const struct maker *m, size_t at)
{
    char plain[(PAGES + 1) * MAKER_PAGE];
    size_t i = at >= m->data[1];
    if (s->entries[i].form & MAKER_STORED || at < m->data[i] || at >= m->behind_data[i])
        return false;
    z_stream z = {.next_in = (const Bytef *)m->zip.data + m->data[i],
                  .avail_in = (uInt)maker_packed(m, i),
                  .next_out = (Bytef *)plain,
                  .avail_out = sizeof plain};
    assert_int_equal(inflateInit2(&z, -15), Z_OK);
    bool whole = inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_in == 0 && z.total_out == s->entries[i].len;
    inflateEnd(&z);
    return whole && memcmp(plain, s->entries[i].data, s->entries[i].len) == 0;
}

static void flip_everywhere(unsigned form, bool zip64)
{
    struct sample s;
    struct maker m;
    sample_init(&s, form);
    maker_make(&m, s.entries, 2, zip64);
    for (size_t at = 0; at < m.zip.len; at++)
        for (int bit = 0; bit <= 8; bit++) {
            char flip = (char)(bit == 8 ? 0xff : 1 << bit);
            struct archive_facts facts;
            AUTO_ERR struct sc_err err = {0};
            m.zip.data[at] ^= flip;
            int result = maker_check("snap", true, m.zip.data, m.zip.len, 4096, &facts, &err);
            bool harmless = result < 0 || says_nothing(&m, at) || means_the_same(&s, &m, at);
            m.zip.data[at] ^= flip;
            if (!harmless)
                fail_msg("form %u: accepted with byte %zu changed by 0x%02x", form, at, (unsigned char)flip);
            if (result < 0)
                assert_int_equal(err.kind, ERR_CORRUPT);
        }
    expect_good(&s, &m, 4096);
    sample_free(&s, &m);
}

static void test_refuses_any_flipped_bit(void **state)
{
    (void)state;
    flip_everywhere(MAKER_GO, false);
    flip_everywhere(MAKER_GO | MAKER_STORED | MAKER_WIDE | MAKER_CENTRAL64, true);
    flip_everywhere(MAKER_LOCAL64 | MAKER_CENTRAL64, false);
    flip_everywhere(MAKER_STORED, true);
}

static void test_refuses_any_cut(void **state)
{
    static const unsigned forms[] = {MAKER_GO, MAKER_GO | MAKER_STORED, MAKER_STORED};
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct sample s;
        struct maker m;
        sample_init(&s, forms[i]);
        maker_make(&m, s.entries, 2, true);
        for (size_t len = 0; len < m.zip.len; len++) {
            struct archive_facts facts;
            AUTO_ERR struct sc_err err = {0};
            assert_int_equal(maker_check("snap", true, m.zip.data, len, 4096, &facts, &err), -1);
            assert_int_equal(err.kind, ERR_CORRUPT);
            if (!strstr(err.text, "the archive ends "))
                fail_msg("cut at %zu: %s", len, err.text);
        }
        sample_free(&s, &m);
    }
}

static void test_refuses_any_missing_or_added_byte(void **state)
{
    (void)state;
    struct sample s;
    struct maker m;
    sample_make(&s, &m, MAKER_GO);
    for (size_t at = 0; at <= m.zip.len; at++) {
        struct buf more = {0}, less = {0};
        struct archive_facts facts;
        AUTO_ERR struct sc_err err = {0};
        buf_append(&more, m.zip.data, at);
        buf_append(&less, m.zip.data, at);
        buf_append(&more, "", 1);
        buf_append(&more, m.zip.data + at, m.zip.len - at);
        if (at + 1 < m.zip.len)
            buf_append(&less, m.zip.data + at + 1, m.zip.len - at - 1);
        assert_int_equal(maker_check("snap", true, more.data, more.len, 4096, &facts, &err), -1);
        if (less.len < m.zip.len)
            assert_int_equal(maker_check("snap", true, less.data, less.len, 4096, &facts, &err), -1);
        buf_free(&more);
        buf_free(&less);
    }
    sample_free(&s, &m);
}

static void test_refuses_anything_behind_the_end(void **state)
{
    (void)state;
    struct sample s;
    struct maker m;
    sample_make(&s, &m, MAKER_GO);
    size_t len = m.zip.len;
    AUTO_FREE char *error = str_format("byte %zu: the archive must end here", len);
    AUTO_FREE char *end = str_dup_n(m.zip.data + m.end, len - m.end);
    buf_append(&m.zip, end, len - m.end);
    expect_bad("snap", true, m.zip.data, m.zip.len, error); /* a second end record */
    expect_bad("snap", true, m.zip.data, len + 1, error);
    sample_free(&s, &m);
}

/* One number of an archive in Go's form, set to another value, and what is said of it. */
static void test_tells_offset_and_what_is_wrong(void **state)
{
    enum part { LOCAL, BEHIND, CENTRAL, END64, LOCATOR, END };
    static const struct {
        enum part part;
        unsigned at, width;
        uint64_t value;
        const char *error;
    } damages[] = {
        {LOCAL,   0,  4, 0x21212121,      "byte 0: a local file header must stand here, found 21 21 21 21"                    },
        {LOCAL,   4,  2, 63,              "byte 0: the version needed must be 10, 20 or 45, found 63"                         },
        {LOCAL,   6,  2, 9,               "byte 0: the entry is encrypted (flags 0x0009)"                                     },
        {LOCAL,   6,  2, 0x2008,          "byte 0: the entry is encrypted (flags 0x2008)"                                     },
        {LOCAL,   6,  2, 0x28,            "byte 0: the entry has unknown flags (0x0028)"                                      },
        {LOCAL,   8,  2, 12,              "byte 0: the method must be 0 (Store) or 8 (Deflate), found 12"                     },
        {LOCAL,   14, 4, 1,               "byte 0: CRC-32 and sizes must be 0 before a data descriptor"                       },
        {LOCAL,   18, 4, UINT32_MAX,      "byte 0: the entry's zip64 field is missing"                                        },
        {LOCAL,   26, 2, 0,               "byte 0: an entry's name must have 1 to 512 bytes, found 0"                         },
        {LOCAL,   26, 2, 513,             "byte 0: an entry's name must have 1 to 512 bytes, found 513"                       },
        {LOCAL,   28, 2, 60000,           "byte 0: an entry's extra fields must have at most 512 bytes, found 60000"          },
        {LOCAL,   28, 2, 8,               "byte 0: an extra field of the entry reaches over its end"                          },
        {BEHIND,  0,  4, 0,               ": " SNAPSHOT " has CRC-32 0x"                                                      },
        {BEHIND,  8,  4, 0,               ": " SNAPSHOT " has CRC-32 0x"                                                      },
        {CENTRAL, 8,  2, 1,               ": the entry is encrypted (flags 0x0001)"                                           },
        {CENTRAL, 8,  2, 0x808,           ": the directory's flags of " SNAPSHOT " must be 8, found 2056"                     },
        {CENTRAL, 10, 2, 0,               ": the directory's method of " SNAPSHOT " must be 8, found 0"                       },
        {CENTRAL, 24, 4, 2081,            ": the directory's size of " SNAPSHOT " must be 2080, found 2081"                   },
        {CENTRAL, 32, 2, 5,               ": an entry must have no comment, found one of 5 bytes"                             },
        {CENTRAL, 34, 2, 1,               ": disk number and internal attributes must be 0, found 1 and 0"                    },
        {CENTRAL, 38, 4, 0120777UL << 16, ": the entry is not a regular file"                                                 },
        {CENTRAL, 42, 4, 1,               ": the directory's offset of " SNAPSHOT " must be 0, found 1"                       },
        {CENTRAL, 46, 1, '!',             ": the directory must list the entry " SNAPSHOT " here, found !backup/snap"         },
        {END64,   4,  8, 45,              ": size of the zip64 end of central directory must be 44, found 45"                 },
        {END64,   32, 8, 3,               ": number of entries of the zip64 end of central directory must be 2, found 3"      },
        {END64,   48, 8, 0,               ": offset of the directory of the zip64 end of central directory must be"           },
        {LOCATOR, 8,  8, 0,               ": offset of the record of the zip64 locator must be"                               },
        {LOCATOR, 0,  4, 0x06054b50,      ": a zip64 locator must stand here, found 50 4b 05 06"                              },
        {END,     8,  2, 1,               ": number of entries on the disk of the end of central directory must be 2, found 1"},
        {END,     20, 2, 3,               ": size of the comment of the end of central directory must be 0, found 3"          },
    };
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct sample s;
        struct maker m;
        sample_init(&s, MAKER_GO);
        maker_make(&m, s.entries, 2, true);
        const size_t parts[] = {[LOCAL] = m.local[0], [BEHIND] = m.behind_data[0], [CENTRAL] = m.central[0],
                                [END64] = m.end64,    [LOCATOR] = m.locator,       [END] = m.end};
        maker_set(&m, parts[damages[i].part] + damages[i].at, damages[i].value, damages[i].width);
        expect_bad("snap", true, m.zip.data, m.zip.len, damages[i].error);
        sample_free(&s, &m);
    }
}

static void test_sizes_before_the_data_must_be_true(void **state)
{
    static const struct {
        unsigned form, at;
        int change;
        const char *error;
    } lies[] = {
        {0,            22, -1, "the entry unpacks to more than its 2079 bytes"         },
        {0,            22, 1,  "its size 2081, found"                                  },
        {0,            18, -1, "bytes of Deflate do not come to an end"                },
        {0,            18, 1,  "the entry's CRC-32 must be"                            },
        {0,            14, 1,  "the entry's CRC-32 must be"                            },
        {MAKER_STORED, 14, 1,  "the entry's CRC-32 must be"                            },
        {MAKER_STORED, 18, 1,  "a stored entry must have one size, found 2081 and 2080"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct sample s;
        struct maker m;
        sample_make(&s, &m, lies[i].form);
        m.zip.data[m.local[0] + lies[i].at] = (char)(m.zip.data[m.local[0] + lies[i].at] + lies[i].change);
        expect_bad("snap", true, m.zip.data, m.zip.len, lies[i].error);
        sample_free(&s, &m);
    }
}

/* Stored data that holds signatures, and a whole descriptor that is false, does not end before its end. */
static void test_stored_data_may_look_like_a_descriptor(void **state)
{
    (void)state;
    struct sample s;
    struct maker m;
    struct buf json = {0};
    for (int i = 0; i < 40; i++) {
        buf_append(&json, "PK\7\10PPK\7PKPK\7\10", (size_t)(i % 14));
        maker_put(&json, 0x08074b50, 4);
        maker_put(&json, 0x12345678, 4);
        maker_put(&json, json.len - 8, 4);
        maker_put(&json, json.len - 12, 4);
        maker_put(&json, i % 2 ? 0x04034b50 : 0x02014b50, 4);
    }
    sample_init(&s, MAKER_GO | MAKER_STORED);
    s.entries[1].data = json.data;
    s.entries[1].len = json.len;
    maker_make(&m, s.entries, 2, false);
    for (size_t piece = 1; piece < 70; piece++)
        expect_good(&s, &m, piece);
    sample_free(&s, &m);
    buf_free(&json);
}

/* A true descriptor within stored data is its end only if the next header stands behind it; and then the
 * directory tells that it was not. */
static void test_stored_data_may_hold_a_true_descriptor(void **state)
{
    static const uint32_t behind[] = {0x05050505, 0x04034b50, 0x02014b50};
    (void)state;
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++) {
        struct sample s;
        struct maker m;
        struct buf json = {0};
        buf_puts(&json, "{\"a\":1}");
        uint32_t crc = (uint32_t)crc32_z(0, (const Bytef *)json.data, json.len);
        uint64_t len = json.len;
        maker_put(&json, 0x08074b50, 4);
        maker_put(&json, crc, 4);
        maker_put(&json, len, 4);
        maker_put(&json, len, 4);
        maker_put(&json, behind[i], 4);
        maker_put(&json, 0, 40);
        sample_init(&s, MAKER_GO | MAKER_STORED);
        s.entries[1].data = json.data;
        s.entries[1].len = json.len;
        maker_make(&m, s.entries, 2, false);
        if (i == 0)
            expect_good(&s, &m, 11);
        else
            expect_bad("snap", true, m.zip.data, m.zip.len,
                       ": an entry's name must have 1 to 512 bytes, found 0");
        sample_free(&s, &m);
        buf_free(&json);
    }
}

static void test_refuses_two_zip64_fields(void **state)
{
    (void)state;
    struct sample s;
    struct maker m;
    sample_make(&s, &m, MAKER_LOCAL64 | MAKER_TIME);
    maker_set(&m, m.data[0] - 9, 1, 2);
    expect_bad("snap", true, m.zip.data, m.zip.len, "byte 0: the entry has two zip64 fields");
    sample_free(&s, &m);
}

static void test_directory_must_list_each_entry_once_in_order(void **state)
{
    (void)state;
    struct sample s;
    struct maker m;
    sample_make(&s, &m, MAKER_GO);
    size_t first = m.central[1] - m.central[0], second = m.end - m.central[1];
    struct buf zip = {0};

    buf_append(&zip, m.zip.data, m.central[1]); /* without the second */
    buf_append(&zip, m.zip.data + m.end, m.zip.len - m.end);
    maker_set(&(struct maker){.zip = zip}, m.central[1] + 8, 1, 2);
    maker_set(&(struct maker){.zip = zip}, m.central[1] + 10, 1, 2);
    maker_set(&(struct maker){.zip = zip}, m.central[1] + 12, first, 4);
    expect_bad("snap", true, zip.data, zip.len, "the directory must list 2 entries, found 1");

    buf_reset(&zip); /* the second twice */
    buf_append(&zip, m.zip.data, m.end);
    buf_append(&zip, m.zip.data + m.central[1], second);
    expect_bad("snap", true, zip.data, zip.len, "the directory lists more than the 2 entries that there are");

    buf_reset(&zip); /* the other way round */
    buf_append(&zip, m.zip.data, m.central[0]);
    buf_append(&zip, m.zip.data + m.central[1], second);
    buf_append(&zip, m.zip.data + m.central[0], first);
    expect_bad("snap", true, zip.data, zip.len,
               "the directory must list the entry " SNAPSHOT " here, found " STATE);
    buf_free(&zip);
    sample_free(&s, &m);
}

static void test_refuses_what_is_no_zip(void **state)
{
    static const char empty[22] = "PK\5\6";
    (void)state;
    expect_bad("snap", false, "", 0, "byte 0: the archive ends where a local file header must stand");
    expect_bad("snap", false, "PK", 2, "byte 2: the archive ends where a local file header must stand");
    expect_bad("snap", false, empty, sizeof empty,
               "byte 0: a local file header must stand here, found 50 4b 05 06");
    expect_bad("snap", false, "\x1f\x8b\x08\x00", 4,
               "byte 0: a local file header must stand here, found 1f 8b 08 00");
}

struct copy {
    struct sink sink;
    struct buf kept;
};

static int keep(struct sink *self, const struct ctx *c, const void *data, size_t len, struct sc_err *err)
{
    (void)c;
    (void)err;
    buf_append(&((struct copy *)self)->kept, data, len);
    return 0;
}

static void test_hands_on_what_the_entries_hold(void **state)
{
    (void)state;
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    struct sample s;
    struct maker m;
    sample_make(&s, &m, MAKER_GO);
    struct copy copy = {.sink.write = keep}, state_copy = {.sink.write = keep};
    struct archive_check *check = archive_check_new(NULL, true);
    archive_check_copy(check, &copy.sink);
    archive_check_copy_state(check, &state_copy.sink);
    struct sink *sink = archive_check_sink(check);
    assert_null(archive_check_name(check));
    assert_int_equal(sink->write(sink, &ctx, m.zip.data, m.zip.len, NULL), 0);
    assert_int_equal(sink->finish(sink, &ctx, NULL), 0);
    assert_string_equal(archive_check_name(check), "snap");
    assert_int_equal(copy.kept.len, s.snapshot.len);
    assert_memory_equal(copy.kept.data, s.snapshot.data, s.snapshot.len);
    archive_check_free(check);
    assert_int_equal(state_copy.kept.len, s.entries[1].len);
    assert_memory_equal(state_copy.kept.data, s.entries[1].data, s.entries[1].len);
    buf_free(&copy.kept);
    buf_free(&state_copy.kept);
    sample_free(&s, &m);
}

static void test_without_a_name_takes_the_archives_own(void **state)
{
    (void)state;
    static const struct {
        const char *paths[2], *text; /* NULL: it is good */
    } rows[] = {
        {{SNAPSHOT, STATE},                           NULL                             },
        {{STATE, SNAPSHOT},                           NULL                             },
        {{SNAPSHOT, "/etc/kubernetes/snip.rkestate"}, "no other entries than"          },
        {{"/etc/kubernetes/snip.rkestate", SNAPSHOT}, "no other entries than"          },
        {{"/backup/a/b", STATE},                      "must have an entry /backup/NAME"},
        {{"/backup/../snap", STATE},                  "must have an entry /backup/NAME"},
        {{"/backup/", STATE},                         "must have an entry /backup/NAME"},
        {{"/etc/passwd", SNAPSHOT},                   "must have an entry /backup/NAME"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sample s;
        struct maker m;
        struct archive_facts facts;
        AUTO_ERR struct sc_err err = {0};
        sample_init(&s, MAKER_GO);
        bool state_first = strncmp(rows[i].paths[0], "/etc", 4) == 0;
        struct maker_entry swapped[] = {s.entries[state_first], s.entries[!state_first]};
        swapped[0].name = rows[i].paths[0];
        swapped[1].name = rows[i].paths[1];
        maker_make(&m, swapped, 2, false);
        int result = maker_check(NULL, false, m.zip.data, m.zip.len, m.zip.len, &facts, &err);
        if (rows[i].text)
            assert_true(result < 0 && strstr(err.text, rows[i].text));
        else
            assert_int_equal(result, 0);
        sample_free(&s, &m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_every_form_in_pieces_of_any_size),
        cmocka_unit_test(test_takes_what_another_program_wrote),
        cmocka_unit_test(test_state_file_may_be_missing_or_first),
        cmocka_unit_test(test_takes_two_entries_by_their_literal_names_only),
        cmocka_unit_test(test_refuses_what_is_no_snapshot),
        cmocka_unit_test(test_refuses_an_empty_state_file),
        cmocka_unit_test(test_refuses_any_flipped_bit),
        cmocka_unit_test(test_refuses_any_cut),
        cmocka_unit_test(test_refuses_any_missing_or_added_byte),
        cmocka_unit_test(test_refuses_anything_behind_the_end),
        cmocka_unit_test(test_tells_offset_and_what_is_wrong),
        cmocka_unit_test(test_sizes_before_the_data_must_be_true),
        cmocka_unit_test(test_stored_data_may_look_like_a_descriptor),
        cmocka_unit_test(test_stored_data_may_hold_a_true_descriptor),
        cmocka_unit_test(test_refuses_two_zip64_fields),
        cmocka_unit_test(test_directory_must_list_each_entry_once_in_order),
        cmocka_unit_test(test_refuses_what_is_no_zip),
        cmocka_unit_test(test_hands_on_what_the_entries_hold),
        cmocka_unit_test(test_without_a_sha256_of_its_own),
        cmocka_unit_test(test_without_a_name_takes_the_archives_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
