package configs

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"larder/backends/registry/consul"
)

// consulDefaults have no address: without one there is no Consul.
func consulDefaults() consul.Options {
	o := consul.DefaultOptions()
	o.Address = ""
	return o
}

func consulSettings(c *Config) []setting {
	o := &c.Consul
	return []setting{
		{
			key: "consul.address", kind: text{&o.Address}, flag: "consul", roles: RoleGateway | RoleControl | RoleHost | RoleDev,
			meaning: "The Consul agent of this machine: http://host:port, https://host:port or unix:///path (docs/consul.md). A controller keeps the fleet there. A gateway reads its cluster's topology there, " +
				"unless gateway.nodes or gateway.topology says it, and registers itself as a service. With it dev is a fleet that other processes may join. Empty = none.",
		},
		{
			key: "consul.token", kind: text{&o.Token}, secret: true,
			meaning: "The ACL token by which Consul knows this process. Empty = anonymous, or as consul.token-file says. CONSUL_HTTP_TOKEN and its like are not read.",
		},
		{
			key: "consul.token-file", kind: path{text{&o.TokenFile}},
			meaning: "A file with the token, read again when it changes.",
		},
		{
			key: "consul.datacenter", kind: text{&o.Datacenter},
			meaning: "Consul's datacenter in which the fleet's entries are. Empty = the agent's.",
		},
		{
			key: "consul.namespace", kind: text{&o.Namespace},
			meaning: "The namespace, in Consul Enterprise. Empty = the token's.",
		},
		{
			key: "consul.prefix", kind: text{&o.Prefix},
			meaning: "What stands before every key, so that several fleets can share a Consul: with staging/ the keys begin with staging/larder/. Empty = they begin with larder/.",
		},
		{
			key: "consul.ca-file", kind: path{text{&o.CAFile}},
			meaning: "Certificates to trust for https, in PEM. Empty = the system's.",
		},
		{
			key: "consul.cert-file", kind: path{text{&o.CertFile}},
			meaning: "The certificate that this process shows, in PEM, with consul.key-file. Empty = none.",
		},
		{
			key: "consul.key-file", kind: path{text{&o.KeyFile}},
			meaning: "The key of consul.cert-file, in PEM.",
		},
		{
			key: "consul.server-name", kind: text{&o.ServerName},
			meaning: "The name that the agent's certificate must have. Empty = the address's host.",
		},
		{
			key: "consul.timeout", kind: duration{&o.Timeout},
			meaning: "How long the agent may take to answer.",
		},
		{
			key: "consul.wait", kind: duration{&o.Wait},
			meaning: "How long a request waits at Consul for a change before it is made anew, at most 10m.",
		},
	}
}

// placeSettings say what a gateway is to others.
func placeSettings(c *Config) []setting {
	return []setting{
		{
			key: "gateway.cluster", kind: checked{text{&c.Cluster}, wantCluster, checkCluster}, flag: "cluster", roles: RoleGateway,
			meaning: "The cluster that the gateway serves, where its topology comes from Consul. Its service there is cache-CLUSTER-gateway.",
		},
		{
			key: "gateway.endpoint", kind: checked{text{&c.Endpoint}, wantCluster + ", or empty", checkEndpoint}, flag: "endpoint", roles: RoleGateway,
			meaning: "The endpoint that the gateway is one of, instead of a cluster: it serves whichever cluster `larder endpoint point` says, and goes over to another without closing a connection. " +
				"Its service in Consul is cache-ENDPOINT-endpoint. Empty = gateway.cluster is served.",
		},
		{
			key: "gateway.advertise", kind: checked{text{&c.Advertise}, "host:port with a port from 1 to 65535, or empty", checkAdvertise}, flag: "advertise", roles: RoleGateway,
			meaning: "Where clients on other machines reach this gateway, as its service in Consul says. Empty = gateway.listen; where that is every address of the machine, the agent's own.",
		},
		{
			key: "gateway.drain-delay", kind: duration{&c.DrainDelay},
			meaning: "A gateway that is to end leaves the registry, says at /readyz that it is not ready, and serves on for so long, new clients too: until whoever sends them has seen it. " +
				"Let it be longer than a load balancer takes for that. 0 = it does not wait.",
		},
		{
			key: "gateway.drain-timeout", kind: duration{&c.DrainTimeout},
			meaning: "Then it takes no more clients, and ends each one's connection when nothing of it is pending: no reply, no transaction, no half command. So long they have for that; " +
				"who is not done then gets the replies to what was begun. 0 = nobody is waited for.",
		},
	}
}

// checkDrain bounds waits that nobody should think are hangs.
func checkDrain(c *Config) error {
	if d := c.DrainDelay; d < 0 || d > drainMax {
		return fmt.Errorf("drain-delay %s: must be from 0 to %s", d, drainMax)
	}
	if d := c.DrainTimeout; d < 0 || d > drainMax {
		return fmt.Errorf("drain-timeout %s: must be from 0 to %s", d, drainMax)
	}
	return nil
}

const drainMax = 10 * time.Minute

func checkConsul(c *Config) error {
	if c.Consul.Address == "" {
		return nil
	}
	return c.Consul.Validate()
}

// clusterName is what can stand in a service's name and be found by DNS.
var clusterName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

const wantCluster = "1 to 40 lower-case letters, digits and dashes, none of these at an end"

func checkCluster(s string) error {
	if !clusterName.MatchString(s) {
		return errors.New("no cluster's name")
	}
	return nil
}

func checkEndpoint(s string) error {
	if s == "" {
		return nil
	}
	return checkCluster(s)
}

func checkAdvertise(s string) error {
	if s == "" {
		return nil
	}
	return checkNode(s)
}
