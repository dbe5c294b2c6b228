package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"larder/control/api"
)

func topologyCommand() *cobra.Command {
	o := &operator{}
	cmd := &cobra.Command{
		Use: "topology [CLUSTER]", Short: "Tell who has which slots", Args: cobra.MaximumNArgs(1),
		Long: "Tells which nodes have which slots of a cluster, and on which hosts they are.",
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			o.cluster = args[0]
		}
		c, cluster, err := o.connect(cmd.Context())
		if err != nil {
			return err
		}
		t, err := c.Topology(cmd.Context(), cluster)
		if err != nil {
			return err
		}
		return o.printTopology(cmd, t)
	}
	o.flags(cmd)
	return cmd
}

func (o *operator) printTopology(cmd *cobra.Command, t api.Topology) error {
	if !o.json {
		fmt.Fprintf(cmd.OutOrStdout(), "cluster %s, epoch %d\n", t.Cluster, t.Epoch)
	}
	return o.table(cmd, t, "it has no shards", "SHARD\tSLOTS\tROLE\tNODE\tADDRESS\tHOST\tZONE", func(row func(string, ...any)) {
		for _, s := range t.Shards {
			row("%d\t%s\tprimary\t%s\t%s\t%s\t%s", s.Shard, dash(s.Slots), s.Primary.ID, s.Primary.Addr, dash(s.Primary.Host), dash(s.Primary.Zone))
			for _, r := range s.Replicas {
				row("\t\treplica\t%s\t%s\t%s\t%s", r.ID, r.Addr, dash(r.Host), dash(r.Zone))
			}
		}
	})
}
