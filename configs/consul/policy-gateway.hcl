# What a gateway may do in Consul: consul acl policy create -name larder-gateway -rules @policy-gateway.hcl
# Where consul.prefix is set, it stands before larder/ here too.

# It reads its cluster's topology, settings and access lists, and says which settings it runs.
key_prefix "larder/" {
  policy = "read"
}
key_prefix "larder/config/running/" {
  policy = "write"
}

# It registers itself as cache-CLUSTER-gateway. For one cluster only: service "cache-CLUSTER-gateway" instead.
service_prefix "cache-" {
  policy = "write"
}

# It lists the other gateways of its cluster with their addresses.
node_prefix "" {
  policy = "read"
}
