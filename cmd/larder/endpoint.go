package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"larder/control/api/client"
)

func endpointCommand() *cobra.Command {
	o := &operator{}
	return o.group("endpoint", "Point endpoints to clusters",
		"An endpoint is a name under which gateways serve a cluster. It can be pointed to another one while clients are connected: their connections stay.",
		`  larder endpoint list
  larder endpoint point orders orders-new`,
		o.asks("list", "List the endpoints", "", cobra.NoArgs, o.listEndpoints),
		o.asks("show NAME", "Show where an endpoint leads", "", cobra.ExactArgs(1), o.showEndpoint),
		o.asks("point NAME CLUSTER", "Point an endpoint to a cluster",
			"Has an endpoint lead to a cluster from now on. No connection is closed. Move the keys first: larder migrate.", cobra.ExactArgs(2),
			func(cmd *cobra.Command, c *client.Client, args []string) error {
				e, err := c.PointEndpoint(cmd.Context(), args[0], args[1])
				if err != nil {
					return err
				}
				if o.json {
					return printJSON(cmd.OutOrStdout(), e)
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "endpoint %s leads to cluster %s\n", e.Name, e.Cluster)
				return err
			}),
		o.asks("delete NAME", "Delete an endpoint", "Deletes what an endpoint's name leads to. Gateways that serve it go on with what they have until they are restarted.", cobra.ExactArgs(1),
			func(cmd *cobra.Command, c *client.Client, args []string) error {
				err := c.DeleteEndpoint(cmd.Context(), args[0])
				if err == nil && !o.json {
					fmt.Fprintf(cmd.OutOrStdout(), "endpoint %s is deleted\n", args[0])
				}
				return err
			}),
	)
}

func (o *operator) showEndpoint(cmd *cobra.Command, c *client.Client, args []string) error {
	list, err := c.Endpoints(cmd.Context())
	if err != nil {
		return err
	}
	for _, e := range list {
		if e.Name != args[0] {
			continue
		}
		if o.json {
			return printJSON(cmd.OutOrStdout(), e)
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "endpoint %s leads to cluster %s\n", e.Name, e.Cluster)
		return err
	}
	return fmt.Errorf("there is no endpoint %q: larder endpoint list shows which there are, and larder endpoint point NAME CLUSTER makes one", args[0])
}

func (o *operator) listEndpoints(cmd *cobra.Command, c *client.Client, _ []string) error {
	list, err := c.Endpoints(cmd.Context())
	if err != nil {
		return err
	}
	return o.table(cmd, list, "no endpoint was pointed anywhere: each cluster has its own", "ENDPOINT\tCLUSTER", func(row func(string, ...any)) {
		for _, e := range list {
			row("%s\t%s", e.Name, e.Cluster)
		}
	})
}
