#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snapctl/base/new_file.h"
#include "snapctl/base/str.h"

enum { MAX = 1 << 20, NOBODY = 65534 };

static const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
static char folder[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/snapctl-new-file.XXXXXX");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    AUTO_FREE char *command = str_format("rm -rf '%s'", folder);
    (void)state;
    return chdir("/") == 0 ? system(command) : -1;
}

/* The names of all that is in the folder, hidden or not, each with a blank behind. */
static void expect_names(const char *expected)
{
    struct dirent **entries;
    struct buf out = {0};
    int n = scandir(".", &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
            buf_printf(&out, "%s ", entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    assert_string_equal(buf_text(&out), expected);
    buf_free(&out);
}

static void make(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void expect_file(const char *path, const char *text)
{
    char got[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fread(got, 1, sizeof got - 1, file), strlen(text));
    assert_string_equal(got, text);
    fclose(file);
}

static struct new_file *begin(const char *path, bool replace, const char *text)
{
    struct new_file *file;
    AUTO_ERR struct sc_err err = {0};
    if (new_file_open(path, replace, MAX, &file, &err) < 0)
        fail_msg("%s", err.text);
    struct sink *sink = new_file_sink(file);
    assert_int_equal(sink->write(sink, &ctx, text, strlen(text), NULL), 0);
    return file;
}

static int keep(struct new_file *file, struct sc_err *err)
{
    int result = new_files_keep(&file, 1, err);
    new_file_free(file);
    return result;
}

static void test_has_a_name_when_it_is_whole(void **state)
{
    struct stat st;
    (void)state;
    umask(0);
    struct new_file *file = begin("x", false, "one two");
    expect_names("");
    char got[8] = "";
    assert_int_equal(pread(new_file_fd(file), got, sizeof got, 0), 7);
    assert_int_equal(new_file_bytes(file), 7);
    assert_string_equal(new_file_path(file), "x");
    assert_int_equal(keep(file, NULL), 0);
    expect_names("x ");
    expect_file("x", "one two");
    assert_int_equal(stat("x", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_nlink, 1);
    new_file_free(begin("y", false, "lost"));
    new_file_free(NULL);
    expect_names("x ");
    AUTO_FREE char *path = str_format("%s/z", folder);
    assert_int_equal(keep(begin(path, false, "elsewhere"), NULL), 0);
    expect_names("x z ");
}

static void refuse(const char *path, bool replace, enum err_kind kind, const char *text)
{
    struct new_file *file;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(new_file_open(path, replace, MAX, &file, &err), -1);
    assert_int_equal(err.kind, kind);
    if (!strstr(err.text, text))
        fail_msg("%s", err.text);
}

static void test_refuses_what_is_there_or_cannot_be(void **state)
{
    (void)state;
    make("x", "old");
    assert_int_equal(symlink("x", "link"), 0);
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_int_equal(mkdir("sub", 0700), 0);
    refuse("x", false, ERR_REFUSED, "x exists (3 B)");
    static const char *const others[] = {"link", "dangling", "pipe", "sub"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        refuse(others[i], false, ERR_REFUSED, "exists and is no regular file");
        refuse(others[i], true, ERR_REFUSED, "exists and is no regular file");
    }
    refuse("", false, ERR_USAGE, "cannot be the name of a file");
    refuse("sub/", false, ERR_USAGE, "cannot be the name of a file");
    refuse("sub/..", false, ERR_USAGE, "cannot be the name of a file");
    refuse("nowhere/x", false, ERR_USAGE, "cannot open the folder nowhere/: No such file or directory");
    refuse("x/y", false, ERR_USAGE, "cannot open the folder x/: Not a directory");
    expect_names("dangling link pipe sub x ");
    expect_file("x", "old");
}

static void replaces_what_gives_way(void)
{
    make("x", "old");
    struct new_file *file = begin("x", true, "new");
    expect_file("x", "old");
    assert_int_equal(keep(file, NULL), 0);
    expect_file("x", "new");
    expect_names("x ");
}

static void leaves_alone_what_came_meanwhile(void)
{
    AUTO_ERR struct sc_err err = {0};
    struct new_file *file = begin("y", false, "mine");
    make("y", "another's");
    assert_int_equal(keep(file, &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    expect_file("y", "another's");
    expect_names("x y ");
}

static void keeps_both_or_none(void)
{
    AUTO_ERR struct sc_err err = {0};
    struct new_file *files[] = {begin("a", false, "1"), begin("b", false, "2")};
    make("b", "another's");
    assert_int_equal(new_files_keep(files, 2, &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    new_file_free(files[0]);
    new_file_free(files[1]);
    expect_names("b x y ");
    assert_int_equal(unlink("b"), 0);
    struct new_file *again[] = {begin("a", false, "1"), begin("b", true, "2")};
    assert_int_equal(new_files_keep(again, 2, NULL), 0);
    new_file_free(again[0]);
    new_file_free(again[1]);
    expect_names("a b x y ");
}

static void test_replaces_nothing_but_what_it_may(void **state)
{
    (void)state;
    replaces_what_gives_way();
    leaves_alone_what_came_meanwhile();
    keeps_both_or_none();
}

static void test_tells_that_there_is_no_room(void **state)
{
    (void)state;
    const struct rlimit small = {.rlim_cur = 10, .rlim_max = RLIM_INFINITY};
    const struct rlimit large = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    AUTO_ERR struct sc_err err = {0};
    struct new_file *file;
    struct sink *sink;
    signal(SIGXFSZ, SIG_IGN);
    file = begin("x", false, "12345678");
    sink = new_file_sink(file);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(sink->write(sink, &ctx, "12345678", 8, &err), -1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &large), 0);
    assert_int_equal(err.kind, ERR_SPACE);
    assert_string_equal(err.hint, "make room there, or choose another folder");
    assert_non_null(strstr(err.text, "cannot write x: "));
    new_file_free(file);
    assert_int_equal(new_file_open("x", false, 3, &file, &err), 0);
    sink = new_file_sink(file);
    assert_int_equal(sink->write(sink, &ctx, "1234", 4, &err), -1);
    assert_int_equal(err.kind, ERR_SPACE);
    new_file_free(file);
    expect_names("");
}

/* Runs in a process of its own, and returns its status as of waitpid. */
static int in_child(void (*body)(void))
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static size_t dies_after;

static void write_and_die(void)
{
    struct new_file *file = begin("x", false, "");
    struct sink *sink = new_file_sink(file);
    for (size_t i = 0; i < dies_after; i++)
        assert_int_equal(sink->write(sink, &ctx, "b", 1, NULL), 0);
    raise(SIGKILL);
}

static void test_leaves_nothing_when_the_process_is_killed(void **state)
{
    (void)state;
    for (dies_after = 0; dies_after < 50; dies_after++) {
        assert_true(WIFSIGNALED(in_child(write_and_die)));
        expect_names("");
    }
}

static void keep_undumpable(void)
{
    prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
    if (geteuid() == 0 && (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0))
        _exit(1);
    prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
    assert_int_equal(keep(begin("x", false, "text"), NULL), 0);
}

/* As main makes it; /proc belongs to root then. */
static void test_needs_neither_root_nor_dumps(void **state)
{
    (void)state;
    assert_int_equal(chmod(".", 0777), 0);
    assert_int_equal(in_child(keep_undumpable), 0);
    expect_names("x ");
}

/* Lets a system call fail where its third argument has a bit (renameat2: its fifth). */
static void deny(unsigned call, unsigned argument, unsigned bits, unsigned error)
{
    unsigned low = (unsigned)offsetof(struct seccomp_data, args) + argument * 8;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        _exit(77);
}

enum { TMPFILE_BIT = O_TMPFILE & ~O_DIRECTORY };

static void use_names_meanwhile(void)
{
    deny(__NR_openat, 2, TMPFILE_BIT, EOPNOTSUPP);
    struct new_file *file = begin("x", false, "text");
    struct stat st;
    AUTO_FREE char *name = NULL;
    DIR *dir = opendir(".");
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        if (str_starts(entry->d_name, ".snapctl."))
            name = str_dup(entry->d_name);
    closedir(dir);
    assert_non_null(name);
    assert_int_equal(stat(name, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    new_file_free(file);
    expect_names("");
    replaces_what_gives_way();
    leaves_alone_what_came_meanwhile();
    keeps_both_or_none();
}

static void rename_without_flags(void)
{
    deny(__NR_renameat2, 4, RENAME_NOREPLACE, EINVAL);
    use_names_meanwhile();
}

static void test_without_unnamed_files(void **state)
{
    (void)state;
    assert_int_equal(in_child(use_names_meanwhile), 0);
    tear_down(state);
    set_up(state);
    assert_int_equal(in_child(rename_without_flags), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_has_a_name_when_it_is_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refuses_what_is_there_or_cannot_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replaces_nothing_but_what_it_may, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tells_that_there_is_no_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_leaves_nothing_when_the_process_is_killed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_needs_neither_root_nor_dumps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_unnamed_files, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
