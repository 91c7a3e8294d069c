#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/retry.h"
#include "snapctl/base/str.h"

static void test_copies(void **state)
{
    (void)state;
    AUTO_FREE char *none = str_dup(NULL);
    AUTO_FREE char *part = str_dup_n("node-1", 4);
    AUTO_FREE char *empty = str_dup_n(NULL, 0);
    AUTO_FREE char *text = str_format("%s:%d", "127.0.0.2", 22);
    assert_null(none);
    assert_string_equal(part, "node");
    assert_string_equal(empty, "");
    assert_string_equal(text, "127.0.0.2:22");
}

static void test_compares(void **state)
{
    (void)state;
    assert_true(str_starts("snapshot", "snap") && str_starts("x", "") && !str_starts("sna", "snap"));
    assert_true(str_ends("a.zip", ".zip") && str_ends("x", "") && !str_ends("zip", ".zip"));
    assert_true(str_equal("a", "a") && str_equal(NULL, NULL));
    assert_false(str_equal("a", "b") || str_equal("a", NULL) || str_equal(NULL, "a"));
}

static void test_makes_hostile_text_visible(void **state)
{
    static const struct {
        const char *raw, *line, *lines;
    } texts[] = {
        {"plain text, \\ and all",                       "plain text, \\ and all",                       "plain text, \\ and all"},
        {"a\nb\tc\rd",                                   "a\\nb\\tc\\rd",                                "a\nb\tc\\rd"           },
        {"\x1b[2J\x07\x7f",                              "\\x1b[2J\\x07\\x7f",                           "\\x1b[2J\\x07\\x7f"    },
        {"M\xc3\xbcnchen \xe2\x82\xac \xf0\x9f\x92\xbe", "M\xc3\xbcnchen \xe2\x82\xac \xf0\x9f\x92\xbe",
         NULL                                                                                                                    },
        {"\xc2\x9b"
         "31m",                                 "\\u{9b}31m",                                   NULL                    }, /* C1 */
        {"\xe2\x80\xae"
         "exe.zip",                             "\\u{202e}exe.zip",                             NULL                    }, /* reverses */
        {"\xe2\x81\xa6"
         "x\xd8\x9c",                           "\\u{2066}x\\u{61c}",                           NULL                    },
        {"\xe2\x80\xa8",                                 "\\u{2028}",                                    NULL                    }, /* a line */
        {"\xff\xfe\x80",                                 "\\xff\\xfe\\x80",                              NULL                    },
        {"\xc0\xaf\xe0\x80\xaf",                         "\\xc0\\xaf\\xe0\\x80\\xaf",                    NULL                    }, /* overlong */
        {"\xed\xa0\x80",                                 "\\xed\\xa0\\x80",                              NULL                    }, /* surrogate */
        {"\xf4\x90\x80\x80",                             "\\xf4\\x90\\x80\\x80",                         NULL                    }, /* too large */
        {"cut \xe2\x82",                                 "cut \\xe2\\x82",                               NULL                    },
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        AUTO_FREE char *line = str_visible(texts[i].raw, strlen(texts[i].raw), false);
        AUTO_FREE char *lines = str_visible(texts[i].raw, strlen(texts[i].raw), true);
        assert_string_equal(line, texts[i].line);
        assert_string_equal(lines, texts[i].lines ? texts[i].lines : texts[i].line);
    }
    AUTO_FREE char *nul = str_visible("a\0b", 3, true);
    assert_string_equal(nul, "a\\x00b");
}

/* Whatever bytes come: what is made visible is UTF-8 without controls, and stays as it is. */
static void test_visible_text_stays_as_it_is(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        char raw[64];
        retry_random(raw, sizeof raw);
        AUTO_FREE char *once = str_visible(raw, sizeof raw, false);
        AUTO_FREE char *twice = str_visible(once, strlen(once), false);
        assert_string_equal(once, twice);
        for (const char *p = once; *p; p += str_utf8_length(p, strlen(p))) {
            assert_true(str_utf8_length(p, strlen(p)) > 0);
            assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
        }
    }
}

static void test_knows_utf8(void **state)
{
    (void)state;
    assert_int_equal(str_utf8_length("", 0), 0);
    assert_int_equal(str_utf8_length("a", 1), 1);
    assert_int_equal(str_utf8_length("\xc3\xbc", 2), 2);
    assert_int_equal(str_utf8_length("\xc3\xbc", 1), 0);
    assert_int_equal(str_utf8_length("\xef\xbf\xbf", 3), 3);
    assert_int_equal(str_utf8_length("\xf4\x8f\xbf\xbf", 4), 4);
    assert_int_equal(str_utf8_length("\xe2\x28\xa1", 3), 0);
    assert_int_equal(str_utf8_length("\x80", 1), 0);
}

/* What a real shell makes of the words: each with a NUL behind it. */
static void run_shell(const char *const *words, size_t n, struct buf *out)
{
    AUTO_BUF struct buf command = {0};
    buf_puts(&command, "printf '%s\\0'");
    for (size_t i = 0; i < n; i++) {
        buf_puts(&command, " ");
        str_quote_shell(&command, words[i]);
    }
    AUTO_BUF struct buf whole = {0};
    buf_puts(&whole, "exec sh -c ");
    str_quote_shell(&whole, buf_text(&command)); /* and so the quoting of what is quoted */
    FILE *shell = popen(buf_text(&whole), "re");
    assert_non_null(shell);
    char chunk[4096];
    size_t got;
    while ((got = fread(chunk, 1, sizeof chunk, shell)) > 0)
        buf_append(out, chunk, got);
    assert_int_equal(pclose(shell), 0);
}

static void expect_words_to_survive(const char *const *words, size_t n)
{
    AUTO_BUF struct buf out = {0};
    run_shell(words, n, &out);
    const char *at = buf_text(&out), *end = at + out.len;
    for (size_t i = 0; i < n; i++) {
        assert_true(at < end);
        assert_string_equal(at, words[i]);
        at += strlen(at) + 1;
    }
    assert_ptr_equal(at, end);
}

static void test_a_shell_sees_the_word_that_was_quoted(void **state)
{
    static const char *const hostile[] = {
        "",
        " ",
        "a b",
        "'",
        "''",
        "'; exit 1; '",
        "\"",
        "\\",
        "\\'",
        "`id`",
        "$(id)",
        "${HOME}",
        "$",
        "$$",
        "*",
        "~",
        "~root",
        "#",
        "a#b",
        "&",
        "|",
        ";",
        "<x",
        ">x",
        "!!",
        "{a,b}",
        "[a]",
        "?",
        "\n",
        "a\nb",
        "\n\n",
        "\t",
        "-n",
        "--",
        "-rf",
        "a=b",
        "FOO=bar x",
        "if",
        "\r",
        "%s",
        "\x1b[31m",
        "\xff\xfe",
        "M\xc3\xbc",
        "\x01",
        "a'b\"c$d`e",
        "(",
        ")",
        "it's",
        "127.0.0.2:22",
        "/opt/rke/x.zip",
        "user@host",
        "k=v,w=%+",
        "--name=a-b_c",
        "\\\n",
        "a\\",
        "'\\''",
    };
    (void)state;
    expect_words_to_survive(hostile, sizeof hostile / sizeof *hostile);

    static char every_byte[255][4];
    const char *words[255];
    for (int c = 1; c < 256; c++) {
        /* In the middle, so that a newline at the end is seen too. */
        snprintf(every_byte[c - 1], sizeof every_byte[0], "%cx%c", (char)c, (char)c);
        words[c - 1] = every_byte[c - 1];
    }
    expect_words_to_survive(words, 255);
}

static void test_a_shell_sees_random_words(void **state)
{
    enum { WORDS = 200, LONGEST = 40 };
    static char random[WORDS][LONGEST + 1];
    const char *words[WORDS];
    (void)state;
    retry_random(random, sizeof random);
    for (size_t i = 0; i < WORDS; i++) {
        for (size_t k = 0; k < LONGEST; k++)
            if (!random[i][k])
                random[i][k] = '\'';
        random[i][(unsigned char)random[i][LONGEST] % (LONGEST + 1)] = '\0';
        words[i] = random[i];
    }
    expect_words_to_survive(words, WORDS);
}

static void test_plain_words_stay_bare(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = {0};
    str_quote_shell(&out, "--endpoints=127.0.0.2:2379");
    buf_puts(&out, " ");
    str_quote_shell(&out, "it's");
    assert_string_equal(buf_text(&out), "--endpoints=127.0.0.2:2379 'it'\\''s'");
}

static void test_shows_sizes_and_times(void **state)
{
    static const struct {
        uint64_t value;
        const char *bytes, *duration;
    } shown[] = {
        {0,         "0 B",      "0.0 s"        },
        {999,       "999 B",    "1.0 s"        },
        {1000,      "1.0 kB",   "1.0 s"        },
        {4200,      "4.2 kB",   "4.2 s"        },
        {118300000, "118.3 MB", "1971 min 40 s"},
        {999499,    "999.5 kB", "16 min 39 s"  },
        {999500,    "1.0 MB",   "16 min 39 s"  },
        {185000,    "185.0 kB", "3 min 5 s"    },
    };
    (void)state;
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        AUTO_FREE char *bytes = str_bytes(shown[i].value);
        AUTO_FREE char *duration = str_duration((int64_t)shown[i].value);
        assert_string_equal(bytes, shown[i].bytes);
        assert_string_equal(duration, shown[i].duration);
    }
    AUTO_FREE char *most = str_bytes(UINT64_MAX);
    assert_string_equal(most, "18.4 EB");
}

static void test_reads_numbers(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } numbers[] = {
        {"0",                     true,  0  },
        {"22",                    true,  22 },
        {"-5",                    true,  -5 },
        {"007",                   true,  7  },
        {"100",                   true,  100},
        {"101",                   false, 0  },
        {"-6",                    false, 0  },
        {"",                      false, 0  },
        {"-",                     false, 0  },
        {"+1",                    false, 0  },
        {" 1",                    false, 0  },
        {"1 ",                    false, 0  },
        {"1x",                    false, 0  },
        {"0x1",                   false, 0  },
        {"--1",                   false, 0  },
        {"99999999999999999999",  false, 0  },
        {"-99999999999999999999", false, 0  },
        {"1.0",                   false, 0  },
    };
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int64_t value = 0;
        if (str_to_int(numbers[i].text, -5, 100, &value) != numbers[i].good || value != numbers[i].value)
            fail_msg("\"%s\" gave %" PRId64, numbers[i].text, value);
    }
}

static void test_counts_edits(void **state)
{
    static const struct {
        const char *a, *b;
        size_t limit, distance;
    } pairs[] = {
        {"",                 "",               3, 0},
        {"s3backupconfig",   "s3backupconfig", 3, 0},
        {"s3_backup_config", "s3backupconfig", 3, 2},
        {"ssh_keypath",      "ssh_key_path",   3, 1},
        {"adress",           "address",        3, 1},
        {"nodse",            "nodes",          3, 1}, /* swapped */
        {"user",             "port",           3, 4}, /* over the limit */
        {"user",             "port",           9, 4},
        {"abc",              "abcdefgh",       3, 4},
        {"",                 "abc",            3, 3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        assert_int_equal(str_distance(pairs[i].a, pairs[i].b, pairs[i].limit), pairs[i].distance);
        assert_int_equal(str_distance(pairs[i].b, pairs[i].a, pairs[i].limit), pairs[i].distance);
    }
}

static void test_takes_lines(void **state)
{
    static const char *const lines[] = {"one", "", "three"};
    const char *text = "one\n\nthree";
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char *line = str_next_line(&text);
        assert_string_equal(line, lines[i]);
        free(line);
    }
    assert_null(str_next_line(&text));
    text = "\n";
    free(str_next_line(&text));
    assert_null(str_next_line(&text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_compares),
        cmocka_unit_test(test_makes_hostile_text_visible),
        cmocka_unit_test(test_visible_text_stays_as_it_is),
        cmocka_unit_test(test_knows_utf8),
        cmocka_unit_test(test_a_shell_sees_the_word_that_was_quoted),
        cmocka_unit_test(test_a_shell_sees_random_words),
        cmocka_unit_test(test_plain_words_stay_bare),
        cmocka_unit_test(test_shows_sizes_and_times),
        cmocka_unit_test(test_reads_numbers),
        cmocka_unit_test(test_counts_edits),
        cmocka_unit_test(test_takes_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
