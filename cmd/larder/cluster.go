package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"larder/control/api"
	"larder/control/api/client"
	"larder/control/controller"
)

func clusterCommand() *cobra.Command {
	o := &operator{}
	return o.group("cluster", "Create clusters, and change and delete them",
		"A cluster is an endpoint with shards of nodes behind it. The commands say to a running appliance what is wanted; it does what is missing, and goes on whoever waits for it.",
		`  larder cluster create orders --shards 3 --replicas 1 --node-type cache.t3.micro
  larder cluster list
  larder cluster modify orders --replicas 2
  larder cluster failover orders --planned --all
  larder cluster delete orders`,
		o.createClusterCommand(),
		o.asks("list", "List the clusters", "", cobra.NoArgs, o.listClusters),
		o.asks("show NAME", "Tell of a cluster and its nodes", "", cobra.ExactArgs(1), o.showCluster),
		o.modifyClusterCommand(), o.deleteClusterCommand(), o.failoverCommand(),
		o.asks("tasks", "List what is and was done to clusters, nodes and hosts", "", cobra.NoArgs, o.fleetTasks),
	)
}

func (o *operator) createClusterCommand() *cobra.Command {
	w, want, memory, replicas, retain := &work{operator: o}, api.Wish{}, "", 1, 0
	var servers []string
	cmd := o.asks("create NAME", "Create a cluster",
		"Creates a cluster and waits until it serves. One for which the hosts have no place is refused, and says what is missing where.", cobra.ExactArgs(1),
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			want.Name, want.Replicas = args[0], &replicas
			if want.Shards < 1 { // which the API takes for what is usual
				return fmt.Errorf("--shards %d: want at least 1", want.Shards)
			}
			var err error
			if want.Servers, err = serversOf(servers); err != nil {
				return err
			}
			want.SnapshotRetain = said(cmd.Flags().Changed("snapshot-retain"), retain)
			if want.Restore != "" && !cmd.Flags().Changed("shards") {
				want.Shards = 0 // as the snapshot has
			}
			if want.Servers != nil {
				if !cmd.Flags().Changed("shards") {
					want.Shards = 0 // as there
				}
				if !cmd.Flags().Changed("replicas") {
					want.Replicas = nil
				}
			}
			if want.Memory, err = memoryOf(memory); err != nil {
				return err
			}
			task, err := c.CreateCluster(cmd.Context(), want)
			if err != nil {
				return err
			}
			return w.follow(cmd, c, task, func(out io.Writer) error { return o.sayCluster(cmd, c, out, "serves", args[0]) })
		})
	f := cmd.Flags()
	f.IntVar(&want.Shards, "shards", 1, "how many shards the keys are spread over; their `NUMBER` stays")
	f.IntVar(&replicas, "replicas", 1, "the `NUMBER` of replicas of each shard")
	f.StringVar(&want.Listen, "listen", "", "the endpoint's `ADDRESS`, host:port")
	f.StringVar(&want.NodeType, "node-type", "", "the `SIZE` of its nodes by name: larder node types lists them")
	f.StringVar(&memory, "memory", "", "the `BYTES` that a node may take of its host, instead of a node type: 512mb, 2gb")
	f.StringVar(&want.Durability, "durability", "", "async, or replicated: a write is answered when the replicas have it too. `WHAT` is usually async")
	f.IntVar(&want.MinInSync, "min-in-sync", 0, "under replicated: the `NUMBER` of nodes of a shard without which no write is taken")
	f.StringVar(&want.Parameters, "parameters", "", "the parameter `GROUP` that its nodes follow: larder parameters")
	f.StringSliceVar(&want.Zones, "zone", nil, "a `ZONE` where its nodes may be; may be given several times; else all")
	f.StringArrayVar(&servers, "servers", nil, "make it of running servers of others: their `ADDRESSES`, host:port,replica:port;host:port, shards apart by semicolons")
	f.StringVar(&want.Engine, "engine", "", "`WHAT` its nodes are: redis")
	f.StringVar(&want.Restore, "restore", "", "fill it with the `SNAPSHOT` of that name before it counts as created; it has as many shards as that, if --shards does not say others")
	f.StringVar(&want.SnapshotWindow, "snapshot-window", "", "when automatic snapshots of it begin, `TIMES` in UTC such as 03:00-05:00; else as the controllers are told")
	f.IntVar(&retain, "snapshot-retain", 0, "the `NUMBER` of its automatic snapshots that stay, 0 = none is taken; else as the controllers are told")
	w.flags(cmd)
	return cmd
}

// serversOf reads servers of others, which may stand in one flag or in several.
func serversOf(flags []string) (servers [][]string, err error) {
	for _, text := range flags {
		shards, err := controller.ParseServers(text)
		if err != nil {
			return nil, fmt.Errorf("--servers: %w", err)
		}
		servers = append(servers, shards...)
	}
	return servers, nil
}

// sayCluster says in a line how a cluster is, and without what it is like if nobody tells: what was asked for is done in any case.
func (o *operator) sayCluster(cmd *cobra.Command, c *client.Client, out io.Writer, how, name string) error {
	told, err := c.Cluster(cmd.Context(), name)
	if err != nil {
		_, err = fmt.Fprintf(out, "cluster %s %s\n", name, how)
		return err
	}
	at := ""
	if told.Endpoint != "" {
		at = " at " + told.Endpoint
	}
	fmt.Fprintf(out, "cluster %s %s%s", name, how, at)
	switch s := told.Spec; {
	case s == nil:
	case s.External():
		fmt.Fprintf(out, ": %s of servers of others", counted(s.Shards, "shard"))
	default:
		fmt.Fprintf(out, ": %s, %s, %s a node", counted(s.Shards, "shard"), each(s.Replicas), sizeText(s))
	}
	_, err = fmt.Fprintln(out)
	return err
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func each(replicas int) string {
	if replicas == 0 {
		return "no replicas"
	}
	return counted(replicas, "replica") + " each"
}

func sizeText(s *controller.Spec) string {
	switch {
	case s.External():
		return "-"
	case s.NodeType != "":
		return controller.Bytes(s.Memory) + " (" + s.NodeType + ")"
	}
	return controller.Bytes(s.Memory)
}

func (o *operator) listClusters(cmd *cobra.Command, c *client.Client, _ []string) error {
	list, err := c.ClusterDetails(cmd.Context())
	if err != nil {
		return err
	}
	empty, head := "there are no clusters: larder cluster create NAME makes one", "NAME\tSTATE\tENDPOINT\tSHARDS\tREPLICAS\tNODES\tMEMORY A NODE\tDURABILITY"
	return o.table(cmd, list, empty, head, func(row func(string, ...any)) {
		for _, cluster := range list {
			s := cluster.Spec
			if s == nil {
				row("%s\t-\t%s\t-\t-\t-\t-\t-", cluster.Name, dash(cluster.Endpoint))
				continue
			}
			row("%s\t%s\t%s\t%d\t%d\t%d/%d\t%s\t%s", cluster.Name, cluster.State, dash(cluster.Endpoint), s.Shards, s.Replicas, cluster.Members, cluster.Nodes, sizeText(s), s.Durability)
		}
	})
}

// shown is a cluster as larder cluster show --json prints it.
type shown struct {
	api.Cluster
	List []api.Node `json:"node_list"`
}

func (o *operator) showCluster(cmd *cobra.Command, c *client.Client, args []string) error {
	cluster, err := c.Cluster(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	var nodes []api.Node
	if cluster.Spec != nil {
		if nodes, err = c.Nodes(cmd.Context(), args[0]); err != nil {
			return err
		}
	}
	if o.json {
		return printJSON(cmd.OutOrStdout(), shown{cluster, nodes})
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "cluster %s", cluster.Name)
	if cluster.State != "" {
		fmt.Fprintf(out, " is %s", cluster.State)
	}
	if cluster.Doing != "" {
		fmt.Fprintf(out, ": %s", cluster.Doing)
	}
	fmt.Fprintln(out)
	for _, why := range cluster.Waits {
		fmt.Fprintf(out, "it waits: %s\n", why)
	}
	fmt.Fprintf(out, "endpoint    %s\n", dash(cluster.Endpoint))
	s := cluster.Spec
	if s == nil {
		return nil
	}
	fmt.Fprintf(out, "shards      %s, %s; %d of %d nodes count\nmemory      %s a node\ndurability  %s%s\nparameters  %s\nzones       %s\ntopology    epoch %d\n\n",
		counted(s.Shards, "shard"), each(s.Replicas), cluster.Members, cluster.Nodes, sizeText(s), s.Durability, inSync(s), dash(s.Parameters), zonesText(s.Zones), cluster.Epoch)
	return o.printNodes(cmd, nodes)
}

func inSync(s *controller.Spec) string {
	if s.MinInSync == 0 {
		return ""
	}
	return fmt.Sprintf(", no write with fewer than %d nodes in sync", s.MinInSync)
}

func zonesText(zones []string) string {
	if len(zones) == 0 {
		return "all"
	}
	return strings.Join(zones, ", ")
}
