# What a host may do in Consul: consul acl policy create -name larder-host -rules @policy-host.hcl
# Where consul.prefix is set, it stands before larder/ here too.

# It reads what it is to run, and says under larder/hosts/ that it is there.
key_prefix "larder/" {
  policy = "read"
}
key_prefix "larder/hosts/" {
  policy = "write"
}

# It holds its entry by a session. For the sessions of one agent only: session "NODE" instead.
session_prefix "" {
  policy = "write"
}

# It registers its nodes as cache-CLUSTER.
service_prefix "cache-" {
  policy = "write"
}
node_prefix "" {
  policy = "read"
}
