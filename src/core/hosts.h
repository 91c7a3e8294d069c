/* Unknown hosts are shown and asked for together: node threads bring their questions and wait, the main
 * thread asks once all that can come have come. */
#ifndef SNAPCTL_CORE_HOSTS_PRIVATE_H
#define SNAPCTL_CORE_HOSTS_PRIVATE_H

#include "snapctl/core/run.h"
#include "snapctl/core/runner.h"

struct hosts;

struct hosts *hosts_new(struct runner *runner, size_t nodes) WARN_UNUSED;
void hosts_free(struct hosts *hosts);

/* For struct ssh_policy, with the hosts as arg. A question that was answered before is not asked again. */
bool hosts_confirm(void *hosts, const struct ctx *ctx, const struct host_key_question *question);

/* In a node's thread: it is connected, or will never be, and so brings no more questions. */
void hosts_settled(struct hosts *hosts);

/* A question was answered, so a connection may have died of old age meanwhile. */
bool hosts_were_asked(struct hosts *hosts);

/* In the main thread: asks the ui if it is time. */
void hosts_ask(struct hosts *hosts, const struct run_ui *ui);

#endif
