# shellcheck shell=bash disable=SC2153 # the image is named by images.sh
# How RKE runs etcd: for the lab, which begins as RKE leaves a cluster, and for its rke.

# etcd_container NAME ADDRESS INITIAL-CLUSTER STATE [ANY]: the arguments of docker create, one a line. Names, folders,
# environment and flags are RKE's, but for the election timeout: its 5 s would be waited for at every start.
etcd_container() {
    local name=$1 addr=$2 cluster=$3 state=$4 any=${5:-0.0.0.0} ca=/etc/kubernetes/ssl/kube-ca.pem cert
    cert=/etc/kubernetes/ssl/kube-etcd-${addr//./-}
    printf '%s\n' --name etcd --net host --restart always \
        -v /var/lib/etcd:/var/lib/rancher/etcd -v /etc/kubernetes:/etc/kubernetes \
        -e ETCDCTL_API=3 -e ETCDCTL_ENDPOINTS=https://127.0.0.1:2379 -e ETCDCTL_CACERT="$ca" \
        -e "ETCDCTL_CERT=$cert.pem" -e "ETCDCTL_KEY=$cert-key.pem" \
        "$ETCD_IMAGE" /usr/local/bin/etcd --name="$name" --data-dir=/var/lib/rancher/etcd/ \
        --listen-client-urls="https://$any:2379" --advertise-client-urls="https://$addr:2379" \
        --listen-peer-urls="https://$any:2380" --initial-advertise-peer-urls="https://$addr:2380" \
        --initial-cluster="$cluster" --initial-cluster-state="$state" --initial-cluster-token=etcd-cluster-1 \
        --trusted-ca-file="$ca" --peer-trusted-ca-file="$ca" \
        --cert-file="$cert.pem" --key-file="$cert-key.pem" --peer-cert-file="$cert.pem" --peer-key-file="$cert-key.pem" \
        --client-cert-auth=true --peer-client-cert-auth=true --heartbeat-interval=500 --election-timeout=2500 \
        --quota-backend-bytes=8589934592
}
