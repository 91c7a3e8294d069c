#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../src/net/known_hosts_line.h"
#include "../../../src/net/wire.h"
#include "snapctl/base/str.h"
#include "snapctl/net/known_hosts.h"

/* Made-up keys: A and B are Ed25519, R is RSA. */
static void key_blob(char name, struct buf *out)
{
    char bytes[32];
    memset(bytes, name, sizeof bytes);
    const char *type = name == 'R' ? "ssh-rsa" : "ssh-ed25519";
    wire_put_string(out, type, strlen(type));
    if (name == 'R')
        wire_put_string(out, "\1\0\1", 3);
    wire_put_string(out, bytes, sizeof bytes);
}

/* $A, $B and $R become "type base64". */
static char *expand(const char *text)
{
    struct buf out = {.max = SIZE_MAX / 2};
    for (; *text; text++) {
        if (*text != '$') {
            buf_append(&out, text, 1);
            continue;
        }
        AUTO_BUF struct buf blob = {0};
        key_blob(*++text, &blob);
        AUTO_FREE char *type = known_hosts_key_type(blob.data, blob.len);
        AUTO_FREE char *base64 = wire_to_base64(blob.data, blob.len);
        buf_printf(&out, "%s %s", type, base64);
    }
    return buf_take(&out);
}

static struct known_hosts *parse(const char *text, struct log *log)
{
    AUTO_FREE char *expanded = expand(text);
    struct known_hosts *kh = known_hosts_new();
    known_hosts_parse(kh, "kh", expanded, strlen(expanded), log);
    return kh;
}

static struct known_hosts_answer check(const struct known_hosts *kh, const char *host, int port, char key)
{
    AUTO_BUF struct buf blob = {0};
    key_blob(key, &blob);
    return known_hosts_check(kh, host, port, blob.data, blob.len);
}

static const struct {
    const char *what, *text, *host;
    int port;
    char key;
    enum known_hosts_verdict verdict;
    size_t line;
} cases[] = {
    {"plain",                                "h $A",                                                            "h",            22,   'A', KNOWN_HOSTS_MATCH,   1},
    {"another host",                         "h $A",                                                            "hh",           22,   'A', KNOWN_HOSTS_UNKNOWN, 0},
    {"another key",                          "h $A",                                                            "h",            22,   'B', KNOWN_HOSTS_CHANGED, 1},
    {"another type",                         "h $A",                                                            "h",            22,   'R', KNOWN_HOSTS_OTHER,   1},
    {"the second of two keys",               "h $A\nh $B",                                                      "h",            22,   'B', KNOWN_HOSTS_MATCH,   2},
    {"changed beats other",                  "h $R\nh $A",                                                      "h",            22,   'B', KNOWN_HOSTS_CHANGED, 2},
    {"list of names",                        "g,h,i $A",                                                        "h",            22,   'A', KNOWN_HOSTS_MATCH,   1},
    {"case of the host",                     "h.example $A",                                                    "H.Example",    22,   'A', KNOWN_HOSTS_MATCH,   1},
    {"case of the file",                     "H.EXAMPLE $A",                                                    "h.example",    22,   'A', KNOWN_HOSTS_MATCH,   1},
    {"IPv6",                                 "2001:db8::1 $A",                                                  "2001:db8::1",  22,   'A', KNOWN_HOSTS_MATCH,   1},
    {"port",                                 "[h]:2222 $A",                                                     "h",            2222, 'A', KNOWN_HOSTS_MATCH,   1},
    {"port of IPv6",                         "[::1]:2222 $A",                                                   "::1",          2222, 'A', KNOWN_HOSTS_MATCH,   1},
    {"another port",                         "[h]:2222 $A",                                                     "h",            2223, 'A', KNOWN_HOSTS_UNKNOWN, 0},
    {"a port is not the host",               "[h]:2222 $A",                                                     "h",            22,   'A', KNOWN_HOSTS_UNKNOWN, 0},
    {"a plain name vouches for every port",  "h $A",                                                            "h",            2222, 'A', KNOWN_HOSTS_MATCH,   1},
    {"but does not speak against it",        "h $A",                                                            "h",            2222, 'B', KNOWN_HOSTS_UNKNOWN, 0},
    {"unless it revokes",                    "@revoked h $B",                                                   "h",            2222, 'B', KNOWN_HOSTS_REVOKED, 1},
    {"and the port's own line counts first", "h $B\n[h]:2222 $A",                                               "h",            2222, 'B', KNOWN_HOSTS_CHANGED, 2},
    {"star",                                 "*.example $A",                                                    "a.b.example",  22,   'A', KNOWN_HOSTS_MATCH,   1},
    {"star of nothing",                      "h* $A",                                                           "h",            22,   'A', KNOWN_HOSTS_MATCH,   1},
    {"star in the middle",                   "a*c*e $A",                                                        "abcde",        22,   'A', KNOWN_HOSTS_MATCH,   1},
    {"star that must go back",               "*ab $A",                                                          "aab",          22,   'A', KNOWN_HOSTS_MATCH,   1},
    {"star with port",                       "[*.example]:2222 $A",                                             "a.example",    2222, 'A', KNOWN_HOSTS_MATCH,   1},
    {"question mark",                        "h? $A",                                                           "h1",           22,   'A', KNOWN_HOSTS_MATCH,   1},
    {"question mark of nothing",             "h? $A",                                                           "h",            22,   'A', KNOWN_HOSTS_UNKNOWN, 0},
    {"negation",                             "*,!bad $A",                                                       "bad",          22,   'A', KNOWN_HOSTS_UNKNOWN, 0},
    {"negation before",                      "!bad,* $A",                                                       "bad",          22,   'A', KNOWN_HOSTS_UNKNOWN, 0},
    {"negation of another",                  "*,!bad $A",                                                       "good",         22,   'A', KNOWN_HOSTS_MATCH,   1},
    {"negation alone names nobody",          "!bad $A",                                                         "good",         22,   'A', KNOWN_HOSTS_UNKNOWN, 0},
    {"empty patterns",                       ",,h,, $A",                                                        "h",            22,   'A', KNOWN_HOSTS_MATCH,   1},
    {"revoked",                              "@revoked * $A",                                                   "h",            22,   'A', KNOWN_HOSTS_REVOKED, 1},
    {"revoked before plain",                 "@revoked * $A\nh $A",                                             "h",            22,   'A', KNOWN_HOSTS_REVOKED, 1},
    {"revoked after plain",                  "h $A\n@revoked * $A",                                             "h",            22,   'A', KNOWN_HOSTS_REVOKED, 2},
    {"another key is revoked",               "@revoked * $B\nh $A",                                             "h",            22,   'A', KNOWN_HOSTS_MATCH,   2},
    {"a revoked line makes no host known",   "@revoked h $B",                                                   "h",            22,   'A', KNOWN_HOSTS_UNKNOWN, 0},
    {"revoked for others",                   "@revoked g $A\nh $A",                                             "h",            22,   'A', KNOWN_HOSTS_MATCH,   2},
    {"authority",                            "@cert-authority h $A",                                            "h",            22,   'A', KNOWN_HOSTS_UNKNOWN, 0},
    {"unknown marker",                       "@strange h $A",                                                   "h",            22,   'A', KNOWN_HOSTS_UNKNOWN, 0},
    {"comments and empty lines",             "# h $A\n\n  # x\n\t\nh $A",                                       "h",            22,   'A', KNOWN_HOSTS_MATCH,   5},
    {"comment behind",                       "h $A me@there and more",                                          "h",            22,   'A', KNOWN_HOSTS_MATCH,   1},
    {"tabs and leading space",               " \th\t$A",                                                        "h",            22,   'A', KNOWN_HOSTS_MATCH,   1},
    {"CRLF",                                 "g $B\r\nh $A\r\n",                                                "h",            22,   'A', KNOWN_HOSTS_MATCH,   2},
    {"a bad line does not end the file",     "h ssh-ed25519 !!!\nh\nh x\nh $A",                                 "h",            22,   'A', KNOWN_HOSTS_MATCH,
     4                                                                                                                                                           },
    {"SSH 1",                                "h 1024 35 1234567890\nh $A",                                      "h",            22,   'A', KNOWN_HOSTS_MATCH,   2},
    {"a type that is not the key's",         "h ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIEFB",                          "h",            22,   'A',
     KNOWN_HOSTS_UNKNOWN,                                                                                                                                       0},
    {"hashed",                               "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= $A", "192.168.1.61", 22,   'A',
     KNOWN_HOSTS_MATCH,                                                                                                                                         1},
    {"hashed, another host",                 "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= $A",
     "192.168.1.62",                                                                                                            22,   'A', KNOWN_HOSTS_UNKNOWN, 0},
    {"broken hashes",
     "|1|x|y $A\n|1|F1E1 $A\n|2|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= $A\n| $A",            "192.168.1.61", 22,   'A', KNOWN_HOSTS_UNKNOWN, 0},
    {"a hash is not a pattern",              "|1|*|* $A",                                                       "h",            22,   'A', KNOWN_HOSTS_UNKNOWN, 0},
};

static void lines_are_understood_as_sshd_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct known_hosts *kh = parse(cases[i].text, NULL);
        struct known_hosts_answer got = check(kh, cases[i].host, cases[i].port, cases[i].key);
        if (got.verdict != cases[i].verdict || got.line != cases[i].line)
            fail_msg("%s: verdict %d, line %zu", cases[i].what, (int)got.verdict, got.line);
        if (got.line)
            assert_string_equal(got.file, "kh");
        else
            assert_null(got.file);
        known_hosts_free(kh);
    }
}

static void files_are_searched_together(void **state)
{
    (void)state;
    AUTO_FREE char *first = expand("h $A"), *second = expand("\n@revoked * $A");
    struct known_hosts *kh = known_hosts_new();
    known_hosts_parse(kh, "first", first, strlen(first), NULL);
    known_hosts_parse(kh, "second", second, strlen(second), NULL);
    struct known_hosts_answer got = check(kh, "h", 22, 'A');
    assert_int_equal(got.verdict, KNOWN_HOSTS_REVOKED);
    assert_string_equal(got.file, "second");
    assert_int_equal(got.line, 2);
    known_hosts_free(kh);
}

static void huge_lines_do_no_harm(void **state)
{
    (void)state;
    size_t len = (size_t)4 << 20;
    char *text = mem_calloc(len + 1, 1);
    memset(text, '*', len);
    struct known_hosts *kh = known_hosts_new();
    known_hosts_parse(kh, "stars", text, len, NULL);
    memset(text, ',', len);
    known_hosts_parse(kh, "commas", text, len, NULL);
    AUTO_FREE char *line = expand("******************************************************************b,h $A");
    known_hosts_parse(kh, "pattern", line, strlen(line), NULL);
    char name[256];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(check(kh, name, 22, 'A').verdict, KNOWN_HOSTS_UNKNOWN);
    assert_int_equal(check(kh, "h", 22, 'A').verdict, KNOWN_HOSTS_MATCH);
    known_hosts_free(kh);
    free(text);
}

struct lines {
    struct buf text;
};

static void collect(void *arg, enum log_level level, const char *who, const char *line)
{
    (void)who;
    struct lines *lines = arg;
    buf_printf(&lines->text, "%d %s\n", (int)level, line);
}

static void what_is_skipped_is_noted_once(void **state)
{
    (void)state;
    struct lines lines = {0};
    struct log *log = log_new(LOG_INFO, collect, &lines);
    struct known_hosts *kh = parse("h $A\nbad\nh ssh-rsa x\n@cert-authority * $A\n# fine\n", log);
    assert_string_equal(buf_text(&lines.text),
                        "1 kh:2: no key; 2 such line(s) are skipped\n"
                        "2 kh: 1 @cert-authority line(s) are skipped: host certificates are not supported\n");
    known_hosts_free(kh);
    log_free(log);
    buf_free(&lines.text);
}

static void known_types_come_first(void **state)
{
    static const char all[] = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,"
                              "rsa-sha2-512,rsa-sha2-256";
    static const char rsa_first[] = "rsa-sha2-512,rsa-sha2-256,ssh-ed25519,ecdsa-sha2-nistp256,"
                                    "ecdsa-sha2-nistp384,ecdsa-sha2-nistp521";
    (void)state;
    struct known_hosts *kh = parse("h $R\n@revoked g $R\nboth $R\nboth $A\n[p]:2222 $R", NULL);
    AUTO_FREE char *known = known_hosts_algorithms(kh, "h", 22),
                   *revoked = known_hosts_algorithms(kh, "g", 22),
                   *unknown = known_hosts_algorithms(kh, "x", 22),
                   *other_port = known_hosts_algorithms(kh, "h", 2222),
                   *port = known_hosts_algorithms(kh, "p", 2222),
                   *both = known_hosts_algorithms(kh, "both", 22);
    assert_string_equal(known, rsa_first);
    assert_string_equal(revoked, all);
    assert_string_equal(unknown, all);
    assert_string_equal(other_port, rsa_first);
    assert_string_equal(port, rsa_first);
    assert_string_equal(both, "ssh-ed25519,rsa-sha2-512,rsa-sha2-256,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
                              "ecdsa-sha2-nistp521");
    known_hosts_free(kh);
}

static void key_types_are_words(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"",             0},
        {"\0\0\0\0",     4},
        {"\0\0\0\4abc",  7},
        {"\0\0\0\3a c",  7},
        {"\0\0\0\3a\nc", 7},
        {"\0\0\0\3a\0c", 7},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(known_hosts_key_type(bad[i].bytes, bad[i].len));
    AUTO_FREE char *type = known_hosts_key_type("\0\0\0\3abc", 7);
    assert_string_equal(type, "abc");
}

/* --- With files. */

static char *scratch(void)
{
    char *path = str_dup("/tmp/snapctl-test-XXXXXX");
    assert_non_null(mkdtemp(path));
    return path;
}

static void discard(char *path)
{
    AUTO_FREE char *command = str_format("rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
    free(path);
}

static char *read_text(const char *path)
{
    AUTO_SECRET struct secret *text = NULL;
    struct sc_err err = {0};
    if (secret_read_file(path, 1 << 20, 0, &text, &err) < 0)
        fail_msg("%s", err.text);
    return str_dup(secret_data(text));
}

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int add(const char *file, const char *host, int port, char key, struct sc_err *err)
{
    AUTO_BUF struct buf blob = {0};
    key_blob(key, &blob);
    return known_hosts_add(file, host, port, blob.data, blob.len, err);
}

static void an_added_key_is_known(void **state)
{
    (void)state;
    char *folder = scratch();
    AUTO_FREE char *file = str_format("%s/.ssh/known_hosts", folder), *ssh = str_format("%s/.ssh", folder);
    AUTO_ERR struct sc_err err = {0};
    struct stat st;
    assert_int_equal(add(file, "H", 22, 'A', &err), 0);
    assert_int_equal(add(file, "h", 2222, 'B', &err), 0);
    assert_int_equal(add(file, "h", 22, 'A', &err), 0);
    assert_int_equal(stat(ssh, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    AUTO_FREE char *text = read_text(file), *wanted = expand("h $A\n[h]:2222 $B\n");
    assert_string_equal(text, wanted);
    discard(folder);
}

static void a_key_is_not_added_against_another(void **state)
{
    (void)state;
    char *folder = scratch();
    AUTO_FREE char *file = str_format("%s/kh", folder);
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(add(file, "h", 22, 'A', &err), 0);
    assert_int_equal(add(file, "h", 22, 'B', &err), -1);
    assert_int_equal(err.kind, ERR_HOST_KEY);
    assert_int_equal(add(file, "h", 22, 'R', &err), -1);
    assert_int_equal(known_hosts_add(file, "g", 22, "\0\0\0\3a\nb", 7, &err), -1);
    AUTO_FREE char *text = read_text(file), *wanted = expand("h $A\n");
    assert_string_equal(text, wanted);
    discard(folder);
}

static void a_last_line_without_end_stays_whole(void **state)
{
    (void)state;
    char *folder = scratch();
    AUTO_FREE char *file = str_format("%s/kh", folder);
    AUTO_ERR struct sc_err err = {0};
    write_text(file, "# mine");
    assert_int_equal(add(file, "h", 22, 'A', &err), 0);
    AUTO_FREE char *text = read_text(file), *wanted = expand("# mine\nh $A\n");
    assert_string_equal(text, wanted);
    discard(folder);
}

static void files_that_cannot_be_written_are_told(void **state)
{
    (void)state;
    char *folder = scratch();
    AUTO_FREE char *nowhere = str_format("%s/a/b/kh", folder), *file = str_format("%s/kh", folder);
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(add(nowhere, "h", 22, 'A', &err), -1);
    assert_int_equal(err.kind, ERR_SYSTEM);
    assert_int_equal(add(folder, "h", 22, 'A', &err), -1);
    int held = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(flock(held, LOCK_EX), 0);
    assert_int_equal(add(file, "h", 22, 'A', &err), -1);
    assert_non_null(strstr(err.text, "another program holds the lock"));
    close(held);
    assert_int_equal(add(file, "h", 22, 'A', &err), 0);
    discard(folder);
}

enum { THREADS = 20 };

static void *add_often(void *arg)
{
    struct sc_err err = {0};
    for (int port = 1000; port < 1010; port++)
        if (add(arg, "h", port, 'A', &err) < 0)
            return arg;
    return NULL;
}

static void many_threads_add_each_line_once(void **state)
{
    (void)state;
    char *folder = scratch();
    AUTO_FREE char *file = str_format("%s/kh", folder);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_often, file), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    AUTO_FREE char *text = read_text(file);
    size_t lines = 0;
    for (const char *p = text; (p = strchr(p, '\n')); p++)
        lines++;
    assert_int_equal(lines, 10);
    discard(folder);
}

static void loading_skips_what_is_missing_only(void **state)
{
    (void)state;
    char *folder = scratch();
    AUTO_FREE char *file = str_format("%s/kh", folder), *missing = str_format("%s/none", folder),
                   *below = str_format("%s/kh/none", folder);
    AUTO_FREE char *text = expand("h $A\n");
    write_text(file, text);
    const char *files[] = {missing, below, file};
    struct known_hosts *kh;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(known_hosts_load(files, 3, NULL, &kh, &err), 0);
    struct known_hosts_answer got = check(kh, "h", 22, 'A');
    assert_int_equal(got.verdict, KNOWN_HOSTS_MATCH);
    assert_string_equal(got.file, file);
    known_hosts_free(kh);
    const char *bad[] = {file, folder};
    assert_int_equal(known_hosts_load(bad, 2, NULL, &kh, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    discard(folder);
}

/* --- Against ssh-keygen, which prints "# Host NAME found: line N" for each line that names a host. */

static void keygen_lines(const char *file, const char *name, bool *found, size_t n)
{
    AUTO_FREE char *command = str_format("ssh-keygen -F '%s' -f '%s'", name, file);
    char text[4096];
    FILE *f = popen(command, "r");
    assert_non_null(f);
    while (fgets(text, sizeof text, f)) {
        const char *line = strstr(text, "found: line ");
        size_t number = line ? strtoul(line + strlen("found: line "), NULL, 10) : 0;
        assert_true(number <= n);
        if (number)
            found[number - 1] = true;
    }
    pclose(f);
}

static bool pattern_matches(const char *pattern, const char *name)
{
    const char *why;
    AUTO_FREE char *line = str_format("%s $A", pattern), *expanded = expand(line);
    struct known_hosts_line parsed = known_hosts_line_parse(expanded, strlen(expanded), &why);
    bool matches = known_hosts_line_matches(&parsed, name);
    known_hosts_line_free(&parsed);
    return matches;
}

static void matching_agrees_with_ssh_keygen(void **state)
{
    static const char *const patterns[] = {
        "host",
        "*",
        "*,!host",
        "!host,*",
        "h?st",
        "?ost,other",
        "[host]:2222",
        "[*]:2222",
        "[host]:*",
        "*.example",
        "*.example,!a.example",
        "10.0.0.1",
        "10.0.0.*",
        "10.0.*.1",
        "2001:db8::1",
        "[::1]:2222",
        "HOST",
        "h*t",
        "**host",
        ",host",
        "host,",
        "!host",
        "h",
        "hosts",
        "a*b*c",
        "????",
        "[[host]:2222",
        "\\host",
    };
    static const char *const names[] = {
        "host",     "other",       "[host]:2222", "[host]:22", "a.example", "b.example", "10.0.0.1",
        "10.0.7.1", "2001:db8::1", "[::1]:2222",  "axxbyyc",   "abc",       "hosts",     "h",
    };
    enum { N_PATTERNS = sizeof patterns / sizeof *patterns, N_NAMES = sizeof names / sizeof *names };
    (void)state;
    char *folder = scratch();
    AUTO_FREE char *file = str_format("%s/kh", folder);
    AUTO_BUF struct buf text = {0};
    for (size_t p = 0; p < N_PATTERNS; p++) {
        AUTO_FREE char *line = str_format("%s $A\n", patterns[p]), *expanded = expand(line);
        buf_puts(&text, expanded);
    }
    write_text(file, buf_text(&text));
    for (size_t n = 0; n < N_NAMES; n++) {
        bool found[N_PATTERNS] = {false};
        keygen_lines(file, names[n], found, N_PATTERNS);
        for (size_t p = 0; p < N_PATTERNS; p++)
            if (pattern_matches(patterns[p], names[n]) != found[p])
                fail_msg("%s and %s: ssh-keygen thinks otherwise", patterns[p], names[n]);
    }
    discard(folder);
}

static void what_ssh_keygen_hashes_is_found(void **state)
{
    (void)state;
    char *folder = scratch();
    AUTO_FREE char *hashed = str_format("%s/hashed", folder);
    AUTO_FREE char *plain = expand("host $A\n[host]:2222 $B\n");
    write_text(hashed, plain);
    AUTO_FREE char *command = str_format("ssh-keygen -q -H -f '%s' >/dev/null 2>&1", hashed);
    assert_int_equal(system(command), 0);
    AUTO_FREE char *after = read_text(hashed);
    assert_null(strstr(after, "host"));
    struct known_hosts *kh = known_hosts_new();
    known_hosts_parse(kh, "hashed", after, strlen(after), NULL);
    assert_int_equal(check(kh, "host", 22, 'A').line, 1);
    assert_int_equal(check(kh, "HOST", 2222, 'B').line, 2);
    assert_int_equal(check(kh, "other", 22, 'A').verdict, KNOWN_HOSTS_UNKNOWN);
    known_hosts_free(kh);
    discard(folder);
}

static void the_fingerprint_is_ssh_keygens(void **state)
{
    (void)state;
    char *folder = scratch(), line[256] = "";
    AUTO_FREE char *file = str_format("%s/key.pub", folder), *text = expand("$A\n");
    AUTO_FREE char *command = str_format("ssh-keygen -lf '%s'", file);
    write_text(file, text);
    FILE *f = popen(command, "r");
    assert_non_null(fgets(line, sizeof line, f));
    pclose(f);
    AUTO_BUF struct buf blob = {0};
    key_blob('A', &blob);
    AUTO_FREE char *fingerprint = known_hosts_fingerprint(blob.data, blob.len);
    assert_non_null(strstr(line, fingerprint));
    assert_int_equal(strlen(fingerprint), strlen("SHA256:") + 43);
    discard(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_understood_as_sshd_says),
        cmocka_unit_test(files_are_searched_together),
        cmocka_unit_test(huge_lines_do_no_harm),
        cmocka_unit_test(what_is_skipped_is_noted_once),
        cmocka_unit_test(known_types_come_first),
        cmocka_unit_test(key_types_are_words),
        cmocka_unit_test(an_added_key_is_known),
        cmocka_unit_test(a_key_is_not_added_against_another),
        cmocka_unit_test(a_last_line_without_end_stays_whole),
        cmocka_unit_test(files_that_cannot_be_written_are_told),
        cmocka_unit_test(many_threads_add_each_line_once),
        cmocka_unit_test(loading_skips_what_is_missing_only),
        cmocka_unit_test(matching_agrees_with_ssh_keygen),
        cmocka_unit_test(what_ssh_keygen_hashes_is_found),
        cmocka_unit_test(the_fingerprint_is_ssh_keygens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
