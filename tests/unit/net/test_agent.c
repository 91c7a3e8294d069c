#include "sshd.h"

#include <sys/un.h>

#include "../../../src/net/agent.h"
#include "../../../src/net/wire.h"

static const struct ctx no_limit = {.deadline_ms = CTX_NO_DEADLINE};

/* One side of a socket pair as the agent, which has already said what it will say. */
static int agent_that_says(const void *text, size_t len)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    assert_int_equal(write(ends[1], text, len), (ssize_t)len);
    shutdown(ends[1], SHUT_WR);
    return ends[0];
}

static void answers_that_are_wrong_are_told(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *text;
    } cases[] = {
        {"",                              0,  "hung up"                  },
        {"\0\0\0",                        3,  "hung up"                  },
        {"\0\0\0\5\14",                   5,  "hung up"                  },
        {"\0\0\0\0",                      4,  "impossible length"        },
        {"\xff\xff\xff\xff",              4,  "impossible length"        },
        {"\0\0\0\1\5",                    5,  "does not list its keys"   },
        {"\0\0\0\1\14",                   5,  "does not list its keys"   },
        {"\0\0\0\5\14\0\0\0\1",           9,  "ends too early"           },
        {"\0\0\0\5\14\0\1\0\0",           9,  "claims to have 65536 keys"},
        {"\0\0\0\12\14\0\0\0\1\0\0\0\1k", 14, "ends too early"           },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_CLOSE int fd = agent_that_says(cases[i].bytes, cases[i].len);
        struct agent_identities list;
        AUTO_ERR struct sc_err err = {0};
        assert_int_equal(agent_list(&no_limit, fd, &list, &err), -1);
        assert_int_equal(err.kind, ERR_AUTH);
        assert_contains(err.text, cases[i].text);
    }
}

static void keys_are_listed_with_visible_comments(void **state)
{
    static const char answer[] = "\0\0\0\31\14\0\0\0\2\0\0\0\1k\0\0\0\3a\033b\0\0\0\0\0\0\0\0";
    (void)state;
    AUTO_CLOSE int fd = agent_that_says(answer, sizeof answer - 1);
    struct agent_identities list;
    struct sc_err err = {0};
    if (agent_list(&no_limit, fd, &list, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(list.n, 2);
    assert_string_equal(buf_text(&list.list[0].blob), "k");
    assert_string_equal(list.list[0].comment, "a\\x1bb");
    assert_int_equal(list.list[1].blob.len, 0);
    agent_identities_free(&list);
}

static void a_signature_has_an_algorithm(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        int result;
    } cases[] = {
        {"\16\0\0\0\12\0\0\0\1a\0\0\0\1s", 15, 0 },
        {"\5",                             1,  -1},
        {"\16",                            1,  -1},
        {"\16\0\0\0\5\0\0\0\1a",           10, -1},
        {"\16\0\0\0\12\0\0\0\1a\0\0\0\2s", 15, -1},
        {"",                               0,  -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_BUF struct buf algorithm = {0}, signature = {0};
        AUTO_ERR struct sc_err err = {0};
        assert_int_equal(agent_parse_signature(cases[i].bytes, cases[i].len, &algorithm, &signature, &err),
                         cases[i].result);
        if (cases[i].result == 0)
            assert_string_equal(buf_text(&signature), "s");
    }
}

/* A socket that nobody accepts from: its queue is full, and connecting would block. */
static void an_agent_that_accepts_nobody_is_left(void **state)
{
    (void)state;
    char *folder = folder_new();
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s/agent", folder);
    AUTO_CLOSE int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 0), 0);
    struct ctx ctx = ctx_within(&no_limit, 300);
    AUTO_ERR struct sc_err err = {0};
    int fds[4], n = 0, result = 0;
    while (n < 4 && (result = agent_connect(&ctx, at.sun_path, &fds[n], &err)) == 0)
        n++;
    assert_int_equal(result, -1);
    assert_int_equal(err.kind, ERR_TIMEOUT);
    while (n)
        close(fds[--n]);
    folder_remove(folder);
}

static void a_path_that_is_too_long_is_told(void **state)
{
    (void)state;
    char path[200];
    int fd;
    AUTO_ERR struct sc_err err = {0};
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(agent_connect(&no_limit, path, &fd, &err), -1);
    assert_int_equal(err.kind, ERR_AUTH);
    assert_contains(err.text, "too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_that_are_wrong_are_told),
        cmocka_unit_test(keys_are_listed_with_visible_comments),
        cmocka_unit_test(a_signature_has_an_algorithm),
        cmocka_unit_test(an_agent_that_accepts_nobody_is_left),
        cmocka_unit_test(a_path_that_is_too_long_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
