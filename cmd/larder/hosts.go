package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"larder/control/api/client"
	"larder/control/controller"
)

// hostCommands are about hosts, for operators. They stand below the command that runs one.
func hostCommands() []*cobra.Command {
	o := &operator{}
	below := []*cobra.Command{o.asks("list", "List the hosts", "", cobra.NoArgs, o.listHosts), o.drainHostCommand()}
	for _, cmd := range below {
		o.reach(cmd)
	}
	return below
}

func (o *operator) listHosts(cmd *cobra.Command, c *client.Client, _ []string) error {
	hosts, err := c.Hosts(cmd.Context())
	if err != nil {
		return err
	}
	return o.table(cmd, hosts, "there are no hosts", "HOST\tSTATE\tZONE\tADDRESS\tNODES\tMEMORY\tFREE", func(row func(string, ...any)) {
		for _, h := range hosts {
			row("%s\t%s\t%s\t%s\t%d\t%s\t%s", h.ID, h.State, dash(h.Zone), dash(h.Addr), h.Nodes, controller.Bytes(h.Memory), controller.Bytes(h.Free))
		}
	})
}

func (o *operator) drainHostCommand() *cobra.Command {
	w, undo := &work{operator: o}, false
	cmd := o.asks("drain HOST", "Have a host's nodes go elsewhere",
		"Has a host get no more nodes, and those that it has go elsewhere, one of a shard at a time; clients notice nothing. Waits until it has none. What has no other place stays, and says why.",
		cobra.ExactArgs(1), func(cmd *cobra.Command, c *client.Client, args []string) error {
			if undo {
				err := c.UndrainHost(cmd.Context(), args[0])
				if err == nil && !o.json {
					fmt.Fprintf(cmd.OutOrStdout(), "host %s is used again\n", args[0])
				}
				return err
			}
			task, err := c.DrainHost(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return w.follow(cmd, c, task, func(out io.Writer) error {
				_, err := fmt.Fprintf(out, "host %s has no nodes, and gets none until larder host drain %s --undo\n", args[0], args[0])
				return err
			})
		})
	cmd.Flags().BoolVar(&undo, "undo", false, "use it again")
	w.flags(cmd)
	return cmd
}
