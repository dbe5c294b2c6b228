package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"larder/control/api"
)

func (o *operator) failoverCommand() *cobra.Command {
	w, want, shard := &work{operator: o}, api.Failover{}, 0
	cmd := &cobra.Command{
		Use: "failover [NAME]", Short: "Have other nodes be the primaries of shards", Args: cobra.MaximumNArgs(1),
		Long: "With --planned a shard's primary gives its place to a replica that has all: clients wait for a moment, and nothing is lost.\n\n" +
			"With --force a node that answers becomes the primary of a shard whose primary is gone and that no rule can go on with: what only the nodes had that do not answer " +
			"is lost for good. Without --yes it only says what may be lost.",
		Example: "  larder cluster failover orders --planned --all\n  larder cluster failover orders --planned --shard 2\n  larder cluster failover orders --force --shard 2 --yes",
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			o.cluster = args[0]
		}
		if want.Planned == want.Force {
			return errors.New("say either --planned, where nothing is lost, or --force, where a primary is gone")
		}
		if cmd.Flags().Changed("shard") {
			want.Shard = &shard
		}
		c, cluster, err := o.connect(cmd.Context())
		if err != nil {
			return err
		}
		task, err := c.Failover(cmd.Context(), cluster, want)
		if err != nil {
			return err
		}
		return w.follow(cmd, c, task, func(out io.Writer) error {
			_, err := fmt.Fprintf(out, "cluster %s: %s\n", cluster, have(task.Total))
			return err
		})
	}
	f := cmd.Flags()
	f.BoolVar(&want.Planned, "planned", false, "have a replica take over that has all")
	f.BoolVar(&want.Force, "force", false, "have a node take over with what it has, where the primary is gone")
	f.IntVar(&shard, "shard", 0, "the `NUMBER` of the shard, from 0 on")
	f.BoolVar(&want.All, "all", false, "with --planned: every shard")
	f.BoolVar(&want.Yes, "yes", false, "with --force: what may be lost is known")
	w.flags(cmd)
	return cmd
}

func have(shards int) string {
	if shards == 1 {
		return "1 shard has another primary"
	}
	return fmt.Sprintf("%d shards have other primaries", shards)
}
