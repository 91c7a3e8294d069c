/* Where the program prints: standard output for results, all at once and with errors noticed; standard error
 * for lines, and on a terminal a live block below them that is drawn over and over.
 *
 * console_line and console_draw are safe from all threads; a line never tears the block. Neither waits longer
 * than a second for who reads standard error: what nobody read by then is left out, and so is all that
 * follows, at once, until somebody reads again, who is told. */
#ifndef SNAPCTL_CLI_CONSOLE_H
#define SNAPCTL_CLI_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#include "snapctl/base/err.h"
#include "snapctl/base/log.h"

struct console;

/* For two descriptors, which remain the caller's. live: a block may be drawn on err_fd; colour: codes may be
 * used there. */
struct console *console_new(int out_fd, int err_fd, bool live, bool colour) WARN_UNUSED;

/* As the environment says: live on a terminal that is not dumb, colour there unless NO_COLOR is set. */
struct console *console_open(int out_fd, int err_fd) WARN_UNUSED;
void console_free(struct console *console);

bool console_is_live(const struct console *console);
bool console_has_colour(const struct console *console);

/* Standard output is something else's: results go where lines go, and wait no longer. */
void console_give_up_out(struct console *console);

/* From now on a result that waits for its reader is given up for a signal of this signalfd; -1: for none. */
void console_watch_signals(struct console *console, int signal_fd);

/* The program is left at once: from now on a result waits no longer than a line. */
void console_hurry(struct console *console);

/* Standard output is a terminal. */
bool console_out_is_terminal(const struct console *console);

/* Columns and lines of the terminal at fd; 80 and 24 where it tells none. */
size_t console_columns(int fd);
size_t console_rows(int fd);

/* Of the live block's terminal. */
size_t console_live_columns(const struct console *console);
size_t console_live_rows(const struct console *console);

/* The width for help: COLUMNS, else the terminal's at standard output. */
size_t console_help_columns(const struct console *console);

/* Prints text on standard output, whole or not at all as far as one can know, and waits for who reads it: -1
 * with ERR_SYSTEM if it could not be written, or ERR_TIMEOUT; or the number of a signal that came meanwhile,
 * with ERR_CANCELLED. */
int console_out(struct console *console, const char *text, struct sc_err *err) WARN_UNUSED;

/* Prints a line (without newline) on standard error, above the live block. */
void console_line(struct console *console, const char *line);

/* Replaces the live block; each line of text ends with a newline and fits the width. "": takes it away. */
void console_draw(struct console *console, const char *text);

/* Takes the block away and keeps lines back, while a person is asked on the same terminal; then lets them
 * through. */
void console_hold(struct console *console);
void console_release(struct console *console);

/* Leaves the block where it is and draws below it from now on. */
void console_settle(struct console *console);

/* Text from outside, fit to be shown: secrets replaced, controls made visible. Newlines are kept if
 * keep_lines. The caller frees it. */
char *console_clean(struct log *log, const char *text, bool keep_lines) WARN_UNUSED;

/* Prints "error: [node WHO: ]text" and its hint on standard error; what is NULL is left out. */
void console_error(struct console *console, struct log *log, const char *who, const struct sc_err *err);

/* The writer for log_new, with a console as arg. */
log_writer console_log_writer;

#endif
