#include "node_way.h"

#include "snapctl/net/tunnel.h"

int node_way_open(struct node_way *way, struct run *run, const struct ctx *ctx, const char *host, int port,
                  const struct http_setup *setup, struct sc_err *err)
{
    struct ssh *ssh;
    size_t index;
    node_way_close(way);
    if (run_session(run, ctx, &ssh, &index, err) < 0)
        return -1;
    if (tunnel_listen(ssh, ctx, host, port, &way->tunnel, err) < 0) {
        ssh_close(ssh);
        return -1;
    }
    struct http_setup through = *setup;
    through.proxy = "";
    through.unix_socket = tunnel_socket(way->tunnel);
    if (http_new(&through, &way->http, err) < 0) {
        node_way_close(way);
        return -1;
    }
    way->node = run->works[index].node.address;
    return 0;
}

void node_way_close(struct node_way *way)
{
    http_free(way->http);
    tunnel_close(way->tunnel);
    *way = (struct node_way){0};
}

bool node_way_works(const struct node_way *way)
{
    AUTO_ERR struct sc_err err = {0};
    bool broken = false;
    if (!way->node)
        return false;
    return tunnel_check(way->tunnel, &broken, &err) == 0 || !broken;
}

void node_way_explain(const struct node_way *way, struct sc_err *err)
{
    AUTO_ERR struct sc_err why = {0};
    if (way->node && err->kind == ERR_NETWORK && tunnel_check(way->tunnel, NULL, &why) < 0)
        err_move(err, &why);
}
