#include "snapctl/cli/node_command.h"

#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/environment.h"
#include "snapctl/cli/exit_status.h"
#include "snapctl/cli/places.h"
#include "snapctl/cli/report.h"
#include "snapctl/cli/report_unbegun.h"
#include "snapctl/cli/signals.h"
#include "snapctl/cli/upload_later.h"
#include "snapctl/core/plan.h"
#include "snapctl/net/http.h"

enum { PASSPHRASE_MAX = 4096, HOST_MAX = 256 };

bool command_wants_json(const struct call *call)
{
    return call->options->output == OUTPUT_JSON;
}

bool command_has_colour(const struct call *call)
{
    return console_out_is_terminal(call->console) && console_has_colour(call->console);
}

int command_print(const struct call *call, const char *text, int status)
{
    AUTO_ERR struct sc_err err = {0};
    int result = text ? console_out(call->console, text, &err) : 0;
    if (result == 0)
        return status;
    console_error(call->console, call->log, NULL, &err);
    if (result > 0)
        return EXIT_STATUS_SIGNAL + result;
    return status ? status : EXIT_STATUS_OUTPUT;
}

/* Of the one snapshot that the command line names. */
static const char *snapshot_name(const struct call *call)
{
    return call->n_words == 1 ? call->words[0] : call->options->name;
}

static int tell_unbegun(const struct call *call, const char *as, const struct sc_err *err, int status)
{
    console_error(call->console, call->log, NULL, err);
    if (!command_wants_json(call))
        return status;
    const struct unbegun unbegun = {
        .fields = call->command ? call->command->document : 0,
        .status = as,
        .snapshot = snapshot_name(call),
        .dry_run = call->options->dry_run,
        .err = err,
    };
    AUTO_FREE char *text = report_unbegun_json(&unbegun, call->log);
    return command_print(call, text, status);
}

int command_refuse(const struct call *call, const struct sc_err *err)
{
    return tell_unbegun(call, "refused", err, EXIT_STATUS_REFUSED);
}

static void on_event(void *arg, const struct run_event *event)
{
    struct node_command *run = arg;
    progress_event(run->progress, event);
}

static void on_tick(void *arg)
{
    struct node_command *run = arg;
    progress_tick(run->progress);
}

static bool on_confirm(void *arg, const struct host_key_question *questions, size_t n)
{
    struct node_command *run = arg;
    console_hold(run->call->console);
    bool trusted = prompt_hosts(run->prompt, questions, n);
    console_release(run->call->console);
    return trusted;
}

static struct secret *on_passphrase(void *arg, const char *label)
{
    struct node_command *run = arg;
    console_hold(run->call->console);
    struct secret *passphrase = prompt_passphrase(run->prompt, label);
    console_release(run->call->console);
    return passphrase;
}

static struct secret *on_passphrase_file(void *arg, const char *label)
{
    struct node_command *run = arg;
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
    struct node_command *run = arg;
    AUTO_ERR struct sc_err err = {0};
    console_hurry(run->call->console);
    progress_end(run->progress, true);
    err_set(&err, ERR_CANCELLED, "left at once at the second signal, %s, without cleaning up",
            signals_name(signo));
    err_hint(&err, "%s%s", *leftovers ? "this may be left; the next run removes what is on nodes:\n" : "",
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
        .no_sha256 = o->output != OUTPUT_JSON, /* which alone shows them */
        .ssh_agent_auth = o->ssh_agent_auth,
        .agent_socket = environment_get(ENVIRONMENT_AGENT_SOCKET),
        .host_key_mode = (enum host_key_mode)o->host_key_checking,
        .known_hosts_file = o->known_hosts,
        .home = home_folder(),
        .user = user,
    };
}

/* Of etcd's environment, which has more than passwords in it. A path is none. */
static bool is_secret(const struct cluster_env *env)
{
    static const char *const words[] = {"PASS", "SECRET", "TOKEN", "KEY", "CRED", "AUTH"};
    bool named = false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        named |= strcasestr(env->name, words[i]) != NULL;
    return named && *secret_data(env->value) != '/';
}

/* From now on no output shows them. Keys of SSH are core's. */
static void redact_secrets(const struct cluster *cluster, struct log *log)
{
    log_redact(log, cluster->s3.secret_key);
    for (size_t i = 0; i < cluster->n_etcd_env; i++)
        if (is_secret(&cluster->etcd_env[i]))
            log_redact(log, cluster->etcd_env[i].value);
    for (size_t i = 0; i < cluster->n_registries; i++)
        log_redact(log, cluster->registries[i].password);
}

static int load(struct node_command *run, bool always_s3, struct sc_err *err)
{
    const struct options *options = run->call->options;
    if (cluster_load(options->config, home_folder(), on_warning, run->call->log, &run->cluster, err) < 0)
        return -1;
    redact_secrets(run->cluster, run->call->log);
    if (s3_settings_make(options, run->cluster, always_s3, run->call->log, &run->s3, err) < 0)
        return -1;
    log_redact(run->call->log, run->s3.secret_key_file);
    run->store = s3_settings_store(&run->s3, options, run->cluster, home_folder());
    return 0;
}

static struct progress *make_progress(const struct node_command *run)
{
    const struct cluster *cluster = run->cluster;
    AUTO_FREE size_t *order = mem_calloc(cluster->n_nodes, sizeof *order);
    AUTO_FREE const char **addresses = mem_calloc(cluster->n_nodes, sizeof *addresses);
    size_t n = plan_order(cluster, run->options.controlplane, order);
    for (size_t i = 0; i < n; i++)
        addresses[i] = cluster->nodes[order[i]].host.address;
    return progress_new(run->call->console, run->call->log, addresses, n, run->s3.wanted,
                        run->call->options->quiet);
}

static struct run_ui make_ui(struct node_command *run)
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

/* The one command that uploads later what is on the nodes, also for the document. */
static void tell_later(const struct call *call, const struct save_result *result)
{
    struct sc_err *err = &result->store->err;
    bool any = false;
    for (size_t i = 0; i < result->n_nodes; i++)
        any |= result->nodes[i].status == SAVE_SAVED || result->nodes[i].status == SAVE_FOUND;
    /* A taken name is taken later, too. */
    if (!any || err->kind == ERR_REFUSED)
        return;
    AUTO_FREE char *command = upload_later(call, result->name);
    AUTO_FREE char *hint = str_dup(err->hint);
    log_write(call->log, LOG_ERROR, NULL, "the snapshot is on the nodes; to upload it later: %s", command);
    err_hint(err, "%s%sto upload it later: %s", hint ? hint : "", hint ? "\n" : "", command);
}

static bool are_all_saved(const struct save_result *result)
{
    bool all = true;
    for (size_t i = 0; i < result->n_nodes; i++)
        all &= result->nodes[i].bundle_only || result->nodes[i].status == SAVE_SAVED;
    return all;
}

/* What progress left for the end: see progress_event. */
static void tell_rest(const struct call *call, const struct save_result *result)
{
    for (size_t i = 0; i < result->n_nodes && result->outcome != SAVE_REFUSED; i++)
        if (result->nodes[i].run.err.kind == ERR_REFUSED)
            console_error(call->console, call->log, result->nodes[i].run.address, &result->nodes[i].run.err);
    if (result->store && result->store->status == STORE_FAILED)
        tell_later(call, result);
    if (result->err.kind != ERR_NONE)
        console_error(call->console, call->log, NULL, &result->err);
    else if (result->outcome == SAVE_PARTIAL && result->exit_status == EXIT_STATUS_OK && !result->upload_only)
        log_write(call->log, LOG_WARN, NULL, "not all %s, but as many as --require says",
                  are_all_saved(result) ? "nodes have the bundle of certificates" : "etcd nodes were saved");
}

/* A table on the same terminal says what the live block said. */
static void end_progress(const struct node_command *run)
{
    progress_end(run->progress, !console_out_is_terminal(run->call->console));
}

int node_command_print(const struct node_command *run, const struct sc_err *err, const char *text, int status)
{
    if (err->kind != ERR_NONE)
        console_error(run->call->console, run->call->log, NULL, err);
    end_progress(run);
    return command_print(run->call, text, status);
}

int node_command_tell(const struct node_command *run, const struct save_result *result)
{
    const struct call *call = run->call;
    end_progress(run);
    tell_rest(call, result);
    if (!command_wants_json(call) && result->outcome == SAVE_REFUSED)
        return result->exit_status;
    AUTO_FREE char *text = command_wants_json(call)
                               ? report_json(result, call->log)
                               : report_text(result, call->log, command_has_colour(call));
    return command_print(call, text, result->exit_status);
}

int node_command_refuse(const struct node_command *run, struct sc_err *err)
{
    progress_end(run->progress, false);
    int signo = signals_take(run->signals);
    if (!signo)
        return command_refuse(run->call, err);
    err_set(err, ERR_CANCELLED, "interrupted by %s", signals_name(signo));
    return tell_unbegun(run->call, "interrupted", err, EXIT_STATUS_SIGNAL + signo);
}

static int run_body(struct node_command *run, node_command_body *body)
{
    AUTO_FREE char *user = who_runs();
    run->prompt = prompt_open(run->signals, run->call->log);
    run->options = run_options_of(run->call->options, user);
    run->options.controlplane = run->controlplane;
    run->progress = make_progress(run);
    run->ui = make_ui(run);
    ssh_init();
    http_init();
    int status = body(run);
    http_exit();
    ssh_exit();
    progress_free(run->progress);
    prompt_free(run->prompt);
    return status;
}

static int start(const struct call *call, bool always_s3, bool controlplane, node_command_body *body)
{
    AUTO_ERR struct sc_err err = {0};
    struct node_command run = {.call = call, .signals = -1, .controlplane = controlplane};
    int status;
    /* Signals are blocked only once there is something to clean up: reading a configuration from a terminal
     * can so be interrupted. */
    if (load(&run, always_s3, &err) < 0 || signals_open(&run.signals, &err) < 0) {
        status = command_refuse(call, &err);
    } else {
        console_watch_signals(call->console, run.signals);
        status = run_body(&run, body);
        console_watch_signals(call->console, -1);
        close(run.signals);
    }
    s3_settings_clear(&run.s3);
    cluster_free(run.cluster);
    return status;
}

int node_command(const struct call *call, bool always_s3, node_command_body *body)
{
    return start(call, always_s3, false, body);
}

static bool wants_bundle(const struct options *options)
{
    return options->legacy || options->pki_bundle;
}

int node_command_of_save(const struct call *call, node_command_body *body)
{
    return start(call, false, wants_bundle(call->options), body);
}

int node_command_of_places(const struct call *call, node_command_body *body)
{
    AUTO_ERR struct sc_err err = {0};
    const struct options *o = call->options;
    if (places_check(o, &err) < 0)
        return command_refuse(call, &err);
    return start(call, places_store(o) == SWITCH_ON, wants_bundle(o) && places_nodes(o), body);
}

bool node_command_asks_nodes(const struct node_command *run)
{
    return places_nodes(run->call->options);
}

const struct store_options *node_command_store(const struct node_command *run)
{
    bool asked = places_store(run->call->options) != SWITCH_OFF;
    return run->s3.wanted && asked ? &run->store : NULL;
}
