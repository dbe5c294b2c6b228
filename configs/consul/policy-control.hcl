# What a controller may do in Consul: consul acl policy create -name larder-control -rules @policy-control.hcl
# Where consul.prefix is set, it stands before larder/ here too.

# It writes what is wanted and what is.
key_prefix "larder/" {
  policy = "write"
}

# The leader holds a lock by a session; another one ends that of a leader that is dead, on whatever agent it was opened.
session_prefix "" {
  policy = "write"
}

# It sees all nodes and gateways, and takes away the services of those that are gone.
service_prefix "cache-" {
  policy = "write"
}
node_prefix "" {
  policy = "read"
}
