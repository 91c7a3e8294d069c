#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "snapctl/core/inventory.h"
#include "snapctl/node/files.h"

enum { STORE = 2 };

static struct inventory_copy at(size_t place, int64_t modified)
{
    return (struct inventory_copy){.place = place, .modified = modified, .bytes = 100 + place};
}

static bool add(struct inventory *inventory, const char *file, struct inventory_copy copy)
{
    return inventory_add(inventory, file, &copy);
}

static void copies_of_one_name_are_one_snapshot(void **state)
{
    (void)state;
    struct inventory inventory = {.n_places = STORE};
    struct inventory_copy with_state = at(0, 11);
    with_state.state_file = INVENTORY_YES;
    assert_true(add(&inventory, "b.zip", at(1, 10)));
    assert_true(add(&inventory, "a.zip", at(0, 20)));
    assert_true(add(&inventory, "b.zip", at(STORE, 99)));
    assert_true(add(&inventory, "b.zip", with_state));
    inventory_sort(&inventory);
    assert_int_equal(inventory.n, 2);
    assert_string_equal(inventory.snapshots[0].name, "a");
    const struct inventory_snapshot *b = inventory_find(&inventory, "b");
    assert_ptr_equal(b, &inventory.snapshots[1]);
    assert_int_equal(b->n_copies, 3);
    assert_int_equal(b->modified, 11); /* the store's time is that of the upload */
    assert_int_equal(b->bytes, 102);
    assert_int_equal(b->state_file, INVENTORY_YES);
    for (size_t place = 0; place <= STORE; place++)
        assert_int_equal(inventory_copy_at(b, place)->place, place);
    assert_null(inventory_copy_at(&inventory.snapshots[0], 1));
    assert_null(inventory_find(&inventory, "c"));
    inventory_free(&inventory);
}

static void where_a_place_has_both_the_archive_comes_first(void **state)
{
    (void)state;
    struct inventory inventory = {.n_places = STORE};
    struct inventory_copy plain = at(STORE, 9);
    plain.plain = true;
    assert_true(add(&inventory, "a", plain));
    assert_true(add(&inventory, "a.zip", at(STORE, 8)));
    inventory_sort(&inventory);
    assert_int_equal(inventory.n, 1);
    assert_int_equal(inventory.snapshots[0].n_copies, 2);
    assert_int_equal(inventory.snapshots[0].modified, 9);
    assert_false(inventory_copy_at(&inventory.snapshots[0], STORE)->plain);
    inventory_free(&inventory);
}

static void only_in_the_store(void **state)
{
    (void)state;
    struct inventory inventory = {.n_places = STORE};
    assert_true(add(&inventory, "a.zip", at(STORE, 7)));
    inventory_sort(&inventory);
    assert_int_equal(inventory.snapshots[0].modified, 7);
    inventory_free(&inventory);
}

static void what_is_no_snapshot_is_not_added(void **state)
{
    (void)state;
    struct inventory inventory = {.n_places = STORE};
    struct inventory_copy plain = at(0, 1);
    plain.plain = true;
    assert_false(add(&inventory, "notes.txt", at(0, 1)));
    assert_false(add(&inventory, "pki.bundle.tar.gz", at(0, 1)));
    assert_false(add(&inventory, ".zip", at(0, 1)));
    assert_false(add(&inventory, "sub/a.zip", at(STORE, 1)));
    assert_false(add(&inventory, "", at(STORE, 1)));
    assert_false(add(&inventory, "a.zip", plain));
    assert_true(add(&inventory, "a", plain));
    inventory_sort(&inventory);
    assert_int_equal(inventory.n, 1);
    inventory_free(&inventory);
    inventory_sort(&inventory);
    assert_int_equal(inventory.n, 0);
}

static void the_names_of_recurring_snapshots(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        enum inventory_kind kind;
    } cases[] = {
        {"2026-11-25T01:02:03Z_etcd.zip",              INVENTORY_ROLLING },
        {"2026-11-25T01-02-03Z_etcd.zip",              INVENTORY_ROLLING },
        {"2026-11-25T01:02:03Z_etcd2.zip",             INVENTORY_ONE_TIME},
        {"2026-11-25T01:02:03Z.zip",                   INVENTORY_ONE_TIME},
        {"rke_etcd_snapshot_2026-11-25T01-02-03Z.zip", INVENTORY_ONE_TIME},
        {"x026-11-25T01:02:03Z_etcd.zip",              INVENTORY_ONE_TIME},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct inventory inventory = {.n_places = 1};
        assert_true(add(&inventory, cases[i].file, at(0, 1)));
        inventory_sort(&inventory);
        assert_int_equal(inventory.snapshots[0].kind, cases[i].kind);
        inventory_free(&inventory);
    }
}

static void a_database_by_its_first_page(void **state)
{
    (void)state;
    unsigned char page[20] = {[8] = 4, [16] = 0xed, 0xda, 0x0c, 0xed};
    assert_true(inventory_is_database(page, sizeof page));
    assert_false(inventory_is_database(page, sizeof page - 1));
    page[19] = 0;
    assert_false(inventory_is_database(page, sizeof page));
}

static void copies_of_files(void **state)
{
    (void)state;
    static const unsigned char page[20] = {[16] = 0xed, 0xda, 0x0c, 0xed};
    char zip[] = "a.zip", plain[] = "a";
    struct inventory_copy copy;
    struct node_file file = {.name = plain, .bytes = 20, .modified = 7, .head_len = 20};
    file.head = (const char *)page;
    assert_true(inventory_of_file(&file, &copy));
    assert_true(copy.plain && copy.bytes == 20 && copy.modified == 7);
    file.head_len = 8;
    assert_false(inventory_of_file(&file, &copy));
    file.head = NULL;
    assert_false(inventory_of_file(&file, &copy));
    file = (struct node_file){.name = zip, .bytes = 20, .end = (const char *)page, .end_len = 20};
    assert_true(inventory_of_file(&file, &copy));
    assert_int_equal(copy.state_file, INVENTORY_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_of_one_name_are_one_snapshot),
        cmocka_unit_test(where_a_place_has_both_the_archive_comes_first),
        cmocka_unit_test(only_in_the_store),
        cmocka_unit_test(what_is_no_snapshot_is_not_added),
        cmocka_unit_test(the_names_of_recurring_snapshots),
        cmocka_unit_test(a_database_by_its_first_page),
        cmocka_unit_test(copies_of_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
