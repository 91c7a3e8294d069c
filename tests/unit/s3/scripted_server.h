/* An HTTP server on loopback that answers by a script and keeps what it was asked. */
#ifndef SNAPCTL_TESTS_SCRIPTED_SERVER_H
#define SNAPCTL_TESTS_SCRIPTED_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "snapctl/base/str.h"

/* The first line that fits a request answers it, at most `times` times (0: always). Without one: 404. */
struct script_line {
    const char *request; /* "GET /path" */
    int status;          /* 0: never answers; -1: hangs up */
    const char *body;
    int times;
    const char *header; /* must be part of the request's head, or it is answered with 401; NULL: any */
};

struct server {
    const struct script_line *script;
    size_t n_lines;
    int served[16];
    int listener, stop[2];
    char *url; /* "http://127.0.0.1:PORT" */
    pthread_t thread;
    struct buf requests; /* read it after server_stop only */
    size_t n_requests;
};

static struct script_line server_choose(struct server *s, const char *head)
{
    for (size_t i = 0; i < s->n_lines; i++) {
        const struct script_line *line = &s->script[i];
        size_t len = strlen(line->request);
        if (strncmp(head, line->request, len) != 0 || head[len] != ' ')
            continue;
        if (line->times && s->served[i] >= line->times)
            continue;
        s->served[i]++;
        if (line->header && !strcasestr(head, line->header))
            return (struct script_line){.status = 401, .body = ""};
        return *line;
    }
    return (struct script_line){.status = 404, .body = "not here"};
}

/* Reads a request whole; false if the peer left. */
static bool server_read(int fd, struct buf *request)
{
    for (;;) {
        char chunk[4096];
        ssize_t n = recv(fd, chunk, sizeof chunk, 0);
        if (n <= 0)
            return false;
        buf_append(request, chunk, (size_t)n);
        const char *end = strstr(buf_text(request), "\r\n\r\n");
        if (!end)
            continue;
        const char *length = strcasestr(buf_text(request), "\r\ncontent-length:");
        size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
        if (request->len >= (size_t)(end - request->data) + 4 + body)
            return true;
    }
}

static void server_wait_for_stop(const struct server *s)
{
    struct pollfd stop = {.fd = s->stop[0], .events = POLLIN};
    poll(&stop, 1, -1);
}

static void server_answer(struct server *s, int fd)
{
    AUTO_BUF struct buf request = {0};
    if (!server_read(fd, &request))
        return;
    buf_printf(&s->requests, "%s\n", buf_text(&request));
    s->n_requests++;
    struct script_line line = server_choose(s, buf_text(&request));
    if (line.status == 0)
        server_wait_for_stop(s);
    if (line.status <= 0)
        return;
    AUTO_FREE char *answer =
        str_format("HTTP/1.1 %d Scripted\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", line.status,
                   strlen(line.body), line.body);
    send(fd, answer, strlen(answer), MSG_NOSIGNAL);
}

static void *server_run(void *arg)
{
    struct server *s = arg;
    for (;;) {
        struct pollfd fds[] = {
            {.fd = s->listener, .events = POLLIN},
            {.fd = s->stop[0],  .events = POLLIN}
        };
        poll(fds, 2, -1);
        if (fds[1].revents)
            return NULL;
        int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        server_answer(s, fd);
        close(fd);
    }
}

static void server_listen(struct server *s, const struct sockaddr *address, socklen_t len)
{
    s->listener = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->listener >= 0);
    assert_int_equal(bind(s->listener, address, len), 0);
    assert_int_equal(listen(s->listener, 8), 0);
    assert_int_equal(pipe(s->stop), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, server_run, s), 0);
}

static inline void server_start(struct server *s, const struct script_line *script, size_t n)
{
    *s = (struct server){.script = script, .n_lines = n};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    server_listen(s, (struct sockaddr *)&address, sizeof address);
    socklen_t len = sizeof address;
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&address, &len), 0);
    s->url = str_format("http://127.0.0.1:%d", ntohs(address.sin_port));
}

/* The same behind a Unix socket at path. */
static inline void server_start_unix(struct server *s, const char *path, const struct script_line *script,
                                     size_t n)
{
    *s = (struct server){.script = script, .n_lines = n};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    server_listen(s, (struct sockaddr *)&address, sizeof address);
}

/* Ends it; what it was asked stays. */
static inline void server_stop(struct server *s)
{
    assert_int_equal(write(s->stop[1], "", 1), 1);
    pthread_join(s->thread, NULL);
    close(s->listener);
    close(s->stop[0]);
    close(s->stop[1]);
}

static inline void server_free(struct server *s)
{
    free(s->url);
    buf_free(&s->requests);
}

#endif
