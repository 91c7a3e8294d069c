/*
 * labdelay TAP_A TAP_B DELAY_US [MBIT]: a wire with latency between two existing TAP devices.
 *
 * Every frame read from one device is written to the other DELAY_US later; with MBIT the wire also has that
 * speed in each direction. It stands in for `tc … netem`, which not every kernel has. A TAP device without
 * offloads makes the kernel hand over finished frames of at most one MTU, so nothing else needs to be
 * switched off. Frames that find the queue full are lost, as in a router.
 */
#define _GNU_SOURCE /* ppoll */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 1 << 15, FRAME = 1600 };

struct frame {
    uint64_t due_ns;
    uint16_t len;
    unsigned char data[FRAME];
};

struct lane {
    int from, to;
    uint32_t head, tail;
    uint64_t free_ns; /* when the wire has sent the frame before */
    struct frame *ring;
};

static uint64_t delay_ns, ns_per_byte_x1000;

static void die(const char *what)
{
    fprintf(stderr, "labdelay: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int open_tap(const char *name)
{
    struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &r) != 0)
        die(name);
    return fd;
}

static void take(struct lane *l, uint64_t now)
{
    for (;;) {
        struct frame *f = &l->ring[l->head % SLOTS], lost;
        int full = l->head - l->tail == SLOTS;
        ssize_t n = read(l->from, full ? lost.data : f->data, FRAME);
        if (n <= 0)
            return;
        if (full)
            continue;
        uint64_t start = l->free_ns > now ? l->free_ns : now;
        l->free_ns = start + (uint64_t)n * ns_per_byte_x1000 / 1000;
        f->due_ns = l->free_ns + delay_ns;
        f->len = (uint16_t)n;
        l->head++;
    }
}

/* Hands over what is due; returns when the next frame is, or 0 when none waits. */
static uint64_t give(struct lane *l, uint64_t now)
{
    while (l->tail != l->head) {
        struct frame *f = &l->ring[l->tail % SLOTS];
        if (f->due_ns > now)
            return f->due_ns;
        if (write(l->to, f->data, f->len) < 0 && errno == EAGAIN)
            return now + 100000;
        l->tail++;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: labdelay TAP_A TAP_B DELAY_US [MBIT]\n");
        return 2;
    }
    int a = open_tap(argv[1]), b = open_tap(argv[2]);
    delay_ns = strtoull(argv[3], NULL, 10) * 1000;
    uint64_t mbit = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;
    ns_per_byte_x1000 = mbit ? 8000000 / mbit : 0;
    struct lane lanes[2] = {
        {.from = a, .to = b},
        {.from = b, .to = a}
    };
    for (int i = 0; i < 2; i++)
        if (!(lanes[i].ring = calloc(SLOTS, sizeof *lanes[i].ring)))
            die("memory");
    struct pollfd fds[2] = {
        {.fd = a, .events = POLLIN},
        {.fd = b, .events = POLLIN}
    };
    for (;;) {
        uint64_t next = 0;
        for (int i = 0; i < 2; i++) {
            take(&lanes[i], now_ns());
            uint64_t due = give(&lanes[i], now_ns());
            if (due && (!next || due < next))
                next = due;
        }
        uint64_t now = now_ns(), wait = next > now ? next - now : 0;
        struct timespec ts = {.tv_sec = (time_t)(wait / 1000000000u), .tv_nsec = (long)(wait % 1000000000u)};
        if (ppoll(fds, 2, next ? &ts : NULL, NULL) < 0 && errno != EINTR)
            die("poll");
    }
}
