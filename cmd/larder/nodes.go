package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"larder/control/api"
	"larder/control/api/client"
	"larder/control/controller"
)

func nodeCommand() *cobra.Command {
	o := &operator{}
	list := o.asks("list", "List the nodes", "", cobra.NoArgs, func(cmd *cobra.Command, c *client.Client, _ []string) error {
		nodes, err := c.Nodes(cmd.Context(), o.cluster)
		if err != nil {
			return err
		}
		return o.printNodes(cmd, nodes)
	})
	list.Flags().StringVar(&o.cluster, "cluster", "", "only those of the cluster of that `NAME`")
	return o.group("node", "List nodes, and have them replaced",
		"A node is a process that has a copy of a shard's keys. A node that is replaced does its work until the new one has all.",
		`  larder node list
  larder node replace orders-0001-002`,
		list,
		o.nodeWork("replace NODE", "Have a node replaced by a new one, wherever there is room", "is replaced", (*client.Client).ReplaceNode),
		o.nodeWork("drain NODE", "Have a node replaced by one on another host", "has left its host", (*client.Client).DrainNode),
		o.asks("types", "List the node types", "Lists the named sizes that --node-type takes, the smallest first.", cobra.NoArgs, o.listTypes),
	)
}

// nodeWork makes a command that has something done to a node.
func (o *operator) nodeWork(use, short, done string, begin func(*client.Client, context.Context, string) (controller.Task, error)) *cobra.Command {
	w := &work{operator: o}
	cmd := o.asks(use, short, short+", and waits until that has all keys and the old one is gone. A primary hands over without losing a write.", cobra.ExactArgs(1),
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			task, err := begin(c, cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return w.follow(cmd, c, task, func(out io.Writer) error {
				_, err := fmt.Fprintf(out, "node %s %s\n", args[0], done)
				return err
			})
		})
	w.flags(cmd)
	return cmd
}

func (o *operator) printNodes(cmd *cobra.Command, nodes []api.Node) error {
	return o.table(cmd, nodes, "there are no nodes", "NODE\tSHARD\tROLE\tSTATE\tHOST\tZONE\tADDRESS\tMEMORY\t", func(row func(string, ...any)) {
		for _, n := range nodes {
			row("%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s", n.ID, n.Shard, dash(string(n.Role)), n.State, n.Host, dash(n.Zone), dash(n.Addr), controller.Bytes(n.Memory), n.Why)
		}
	})
}

func (o *operator) listTypes(cmd *cobra.Command, c *client.Client, _ []string) error {
	types, err := c.NodeTypes(cmd.Context())
	if err != nil {
		return err
	}
	return o.table(cmd, types, "there are none", "NODE TYPE\tMEMORY\t", func(row func(string, ...any)) {
		for _, t := range types {
			previous := ""
			if t.Previous {
				previous = "of an earlier generation"
			}
			row("%s\t%s\t%s", t.Name, sizeOf(t.Memory), previous)
		}
	})
}
