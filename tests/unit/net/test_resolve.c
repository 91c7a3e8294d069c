#include "sshd.h"

#include "../../../src/net/resolve.h"

static const struct ctx no_limit = {.deadline_ms = CTX_NO_DEADLINE};

static void assert_address(const struct addrinfo *list, int family, const char *address, int port)
{
    char host[64], service[16];
    assert_int_equal(list->ai_family, family);
    assert_int_equal(getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof host, service, sizeof service,
                                 NI_NUMERICHOST | NI_NUMERICSERV),
                     0);
    assert_string_equal(host, address);
    assert_int_equal(atoi(service), port);
}

static void addresses_need_no_resolver(void **state)
{
    (void)state;
    struct addrinfo *list;
    struct sc_err err = {0};
    struct ctx over = {.deadline_ms = 0};
    assert_int_equal(resolve(&over, "127.0.0.9", 22, &list, &err), 0);
    assert_address(list, AF_INET, "127.0.0.9", 22);
    freeaddrinfo(list);
    assert_int_equal(resolve(&over, "::1", 65535, &list, &err), 0);
    assert_address(list, AF_INET6, "::1", 65535);
    freeaddrinfo(list);
}

static void a_name_of_this_machine_resolves(void **state)
{
    (void)state;
    struct addrinfo *list;
    struct sc_err err = {0};
    int fds = count_fds();
    if (resolve(&no_limit, "localhost", 22, &list, &err) < 0)
        fail_msg("%s", err.text);
    assert_non_null(list);
    freeaddrinfo(list);
    for (int i = 0; count_fds() > fds && i < 100; i++)
        pause_ms(10);
    assert_int_equal(count_fds(), fds);
}

/* A label of more than 63 characters (RFC 1035, section 2.3.4) is refused before any server is asked. */
static void a_name_that_cannot_be_is_told(void **state)
{
    (void)state;
    char name[80];
    struct addrinfo *list;
    AUTO_ERR struct sc_err err = {0};
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(resolve(&no_limit, name, 22, &list, &err), -1);
    assert_int_equal(err.kind, ERR_NETWORK);
    assert_contains(err.text, "name");
}

static void cancelling_and_deadlines_leave_the_resolver(void **state)
{
    (void)state;
    struct cancel *cancel = cancel_new();
    struct addrinfo *list;
    AUTO_ERR struct sc_err err = {0};
    struct ctx cancelled = {.cancel = cancel, .deadline_ms = CTX_NO_DEADLINE}, over = {.deadline_ms = 0};
    cancel_fire(cancel);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(resolve(&cancelled, "localhost", 22, &list, &err), -1);
        assert_int_equal(err.kind, ERR_CANCELLED);
        assert_int_equal(resolve(&over, "localhost", 22, &list, &err), -1);
        assert_int_equal(err.kind, ERR_TIMEOUT);
        assert_contains(err.text, "resolving the name");
    }
    cancel_free(cancel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_need_no_resolver),
        cmocka_unit_test(a_name_of_this_machine_resolves),
        cmocka_unit_test(a_name_that_cannot_be_is_told),
        cmocka_unit_test(cancelling_and_deadlines_leave_the_resolver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
