#include "snapctl/cli/command_save.h"

#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/environment.h"
#include "snapctl/cli/exit_status.h"
#include "snapctl/cli/progress.h"
#include "snapctl/cli/prompt.h"
#include "snapctl/cli/report.h"
#include "snapctl/cli/s3_settings.h"
#include "snapctl/cli/signals.h"
#include "snapctl/config/cluster.h"
#include "snapctl/core/save.h"
#include "snapctl/net/http.h"

enum { PASSPHRASE_MAX = 4096, HOST_MAX = 256 };

/* One run, and what its callbacks need. */
struct run {
    const struct call *call;
    struct cluster *cluster;
    struct s3_settings s3;
    struct store_options store;
    struct progress *progress;
    struct prompt *prompt; /* NULL: nobody can be asked */
    int signals;
};

static bool wants_json(const struct call *call)
{
    return call->options->output == OUTPUT_JSON;
}

/* The exit status, unless nobody can read what it stands for. */
static int print_result(const struct call *call, const char *text, int status)
{
    AUTO_ERR struct sc_err err = {0};
    if (console_out(call->console, text, &err) == 0)
        return status;
    console_error(call->console, call->log, NULL, &err);
    return status ? status : EXIT_STATUS_OUTPUT;
}

static int tell_unbegun(const struct call *call, const char *as, const struct sc_err *err, int status)
{
    console_error(call->console, call->log, NULL, err);
    if (!wants_json(call))
        return status;
    AUTO_FREE char *text = report_json_refusal(call->options->name, as, err, call->log);
    return print_result(call, text, status);
}

int command_save_refuse(const struct call *call, const struct sc_err *err)
{
    return tell_unbegun(call, "refused", err, EXIT_STATUS_REFUSED);
}

static void on_event(void *arg, const struct run_event *event)
{
    struct run *run = arg;
    progress_event(run->progress, event);
}

static void on_tick(void *arg)
{
    struct run *run = arg;
    progress_tick(run->progress);
}

static bool on_confirm(void *arg, const struct host_key_question *questions, size_t n)
{
    struct run *run = arg;
    console_hold(run->call->console);
    bool trusted = prompt_hosts(run->prompt, questions, n);
    console_release(run->call->console);
    return trusted;
}

static struct secret *on_passphrase(void *arg, const char *label)
{
    struct run *run = arg;
    console_hold(run->call->console);
    struct secret *passphrase = prompt_passphrase(run->prompt, label);
    console_release(run->call->console);
    return passphrase;
}

static struct secret *on_passphrase_file(void *arg, const char *label)
{
    struct run *run = arg;
    AUTO_ERR struct sc_err err = {0};
    struct secret *passphrase = NULL;
    const char *path = environment_get(ENVIRONMENT_PASSPHRASE_FILE);
    if (secret_read_file(path, PASSPHRASE_MAX, 1, &passphrase, &err) == 0)
        return passphrase;
    err_wrap(&err, ENVIRONMENT_PASSPHRASE_FILE ", for the private key %s", label);
    console_error(run->call->console, run->call->log, NULL, &err);
    return NULL;
}

static void on_abandon(void *arg, int signo, const char *leftovers)
{
    struct run *run = arg;
    AUTO_ERR struct sc_err err = {0};
    progress_end(run->progress, true);
    err_set(&err, ERR_CANCELLED, "left at once at the second signal, %s, without cleaning up",
            signals_name(signo));
    err_hint(&err, "%s%s", *leftovers ? "this may be left on the nodes, and the next run removes it:\n" : "",
             leftovers);
    int status = tell_unbegun(run->call, "interrupted", &err, EXIT_STATUS_SIGNAL + signo);
    /* Node threads are still at work: nothing may be freed under them. */
    _exit(status);
}

static void on_warning(void *arg, const char *text)
{
    log_write(arg, LOG_WARN, NULL, "%s", text);
}

/* "alice@ci-7", for the label of the lock on the nodes. */
static char *who_runs(void)
{
    char host[HOST_MAX] = "";
    const struct passwd *user = getpwuid(getuid());
    if (gethostname(host, sizeof host - 1) < 0)
        host[0] = '\0';
    return user ? str_format("%s@%s", user->pw_name, host) : str_format("%u@%s", getuid(), host);
}

static const char *home_folder(void)
{
    const char *home = environment_get(ENVIRONMENT_HOME);
    if (home)
        return home;
    const struct passwd *user = getpwuid(getuid());
    return user ? user->pw_dir : "/";
}

static struct run_options run_options_of(const struct options *o, const char *user)
{
    return (struct run_options){
        .image = o->image,
        .parallel = o->parallel,
        .ignore_docker_version = o->ignore_docker_version,
        .ssh_agent_auth = o->ssh_agent_auth,
        .agent_socket = environment_get(ENVIRONMENT_AGENT_SOCKET),
        .host_key_mode = (enum host_key_mode)o->host_key_checking,
        .known_hosts_file = o->known_hosts,
        .home = home_folder(),
        .user = user,
    };
}

static struct save_options save_options_of(const struct run *run, const char *user)
{
    const struct options *o = run->call->options;
    return (struct save_options){
        .run = run_options_of(o, user),
        .name = o->name,
        .state_file = o->state_file,
        .require_state = o->require_state,
        .timeout_s = o->timeout_s,
        .require = (enum save_require)o->require,
        .verify = (enum save_verify)o->verify,
        .force = o->force,
        .dry_run = o->dry_run,
        .store = run->s3.wanted ? &run->store : NULL,
    };
}

/* From now on no output shows them. Keys of SSH are core's. */
static void redact_secrets(const struct cluster *cluster, struct log *log)
{
    log_redact(log, cluster->s3.secret_key);
    for (size_t i = 0; i < cluster->n_registries; i++)
        log_redact(log, cluster->registries[i].password);
}

static int load(struct run *run, struct sc_err *err)
{
    const struct options *options = run->call->options;
    if (cluster_load(options->config, home_folder(), on_warning, run->call->log, &run->cluster, err) < 0)
        return -1;
    redact_secrets(run->cluster, run->call->log);
    if (s3_settings_make(options, run->cluster, run->call->log, &run->s3, err) < 0)
        return -1;
    run->store = s3_settings_store(&run->s3, options, run->cluster, home_folder());
    return 0;
}

static struct progress *make_progress(const struct run *run)
{
    const struct cluster *cluster = run->cluster;
    AUTO_FREE const char **addresses = mem_calloc(cluster->n_nodes, sizeof *addresses);
    size_t n = 0;
    for (size_t i = 0; i < cluster->n_nodes; i++)
        if (cluster->nodes[i].etcd)
            addresses[n++] = cluster->nodes[i].host.address;
    return progress_new(run->call->console, run->call->log, addresses, n, run->s3.wanted,
                        run->call->options->quiet);
}

static struct run_ui make_ui(struct run *run)
{
    const char *file = environment_get(ENVIRONMENT_PASSPHRASE_FILE);
    return (struct run_ui){
        .arg = run,
        .event = on_event,
        .tick = on_tick,
        .confirm = run->prompt ? on_confirm : NULL,
        .passphrase = file          ? on_passphrase_file
                      : run->prompt ? on_passphrase
                                    : NULL,
        .signal_fd = run->signals,
        .abandon = on_abandon,
    };
}

/* What progress left for the end: see progress_event. */
static void tell_rest(const struct call *call, const struct save_result *result)
{
    for (size_t i = 0; i < result->n_nodes && result->outcome != SAVE_REFUSED; i++)
        if (result->nodes[i].run.err.kind == ERR_REFUSED)
            console_error(call->console, call->log, result->nodes[i].run.address, &result->nodes[i].run.err);
    if (result->err.kind != ERR_NONE)
        console_error(call->console, call->log, NULL, &result->err);
    else if (result->outcome == SAVE_PARTIAL && result->exit_status == EXIT_STATUS_OK)
        log_write(call->log, LOG_WARN, NULL, "not all etcd nodes were saved, but as many as --require says");
}

static int tell_result(const struct run *run, const struct save_result *result)
{
    const struct call *call = run->call;
    bool terminal = console_out_is_terminal(call->console);
    progress_end(run->progress, !terminal);
    tell_rest(call, result);
    if (!wants_json(call) && result->outcome == SAVE_REFUSED)
        return result->exit_status;
    AUTO_FREE char *text =
        wants_json(call) ? report_json(result, call->log)
                         : report_text(result, call->log, terminal && console_has_colour(call->console));
    return print_result(call, text, result->exit_status);
}

static int take_snapshots(struct run *run)
{
    AUTO_ERR struct sc_err err = {0};
    AUTO_FREE char *user = who_runs();
    const struct save_options options = save_options_of(run, user);
    const struct run_ui ui = make_ui(run);
    struct save_result *result = NULL;
    ssh_init();
    http_init();
    if (save_run(run->cluster, &options, &ui, run->call->log, &result, &err) == 0) {
        int status = tell_result(run, result);
        save_result_free(result);
        http_exit();
        ssh_exit();
        return status;
    }
    http_exit();
    ssh_exit();
    progress_end(run->progress, false);
    int signo = signals_take(run->signals);
    if (!signo)
        return command_save_refuse(run->call, &err);
    err_set(&err, ERR_CANCELLED, "interrupted by %s", signals_name(signo));
    return tell_unbegun(run->call, "interrupted", &err, EXIT_STATUS_SIGNAL + signo);
}

int command_save(const struct call *call)
{
    AUTO_ERR struct sc_err err = {0};
    struct run run = {.call = call, .signals = -1};
    int status;
    /* Signals are blocked only once there is something to clean up: reading a configuration from a terminal
     * can so be interrupted. */
    if (load(&run, &err) < 0 || signals_open(&run.signals, &err) < 0) {
        status = command_save_refuse(call, &err);
    } else {
        run.prompt = prompt_open(run.signals, call->log);
        run.progress = make_progress(&run);
        status = take_snapshots(&run);
        progress_free(run.progress);
        prompt_free(run.prompt);
        close(run.signals);
    }
    s3_settings_clear(&run.s3);
    cluster_free(run.cluster);
    return status;
}
