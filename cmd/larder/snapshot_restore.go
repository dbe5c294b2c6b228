package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"larder/control"
	"larder/control/api"
	"larder/control/api/client"
)

func (o *operator) restoreCommand() *cobra.Command {
	var want api.Restore
	var db int
	cmd := o.command("restore NAME|FOLDER|FILE.rdb...", "Fill the running cluster from a snapshot or .rdb files",
		"Puts keys of a snapshot, of a folder, or of .rdb files of Redis, Valkey or ElastiCache, plain or compressed by zstd, into the running cluster, whatever its shards. "+
			"Everything is read and compared with its sums before the first key changes. Without --replace the cluster must be empty. Paths are of the machine that the appliance runs on. "+
			"With --replace the keys that are selected (all; or those of --db, --prefix and --slots) become exactly what the snapshot has, and others stay.", 1,
		func(cmd *cobra.Command, c *client.Client, cluster string, args []string) error {
			if cmd.Flags().Changed("db") {
				want.DB = &db
			}
			for _, arg := range args {
				if _, err := os.Stat(arg); err == nil {
					whole, err := filepath.Abs(arg)
					if err != nil {
						return err
					}
					arg = whole
				}
				want.From = append(want.From, arg)
			}
			return o.restore(cmd, c, cluster, want)
		})
	cmd.Args = cobra.MinimumNArgs(1)
	cmd.Example = `  larder snapshot restore before-upgrade --replace
  larder snapshot restore /backups/shard-*.rdb
  larder snapshot restore before-upgrade --replace --db 0 --prefix session:`
	cmd.Flags().BoolVar(&want.Replace, "replace", false, "what is selected is replaced; else the cluster must be empty")
	cmd.Flags().IntVar(&db, "db", 0, "only keys of the database of this `NUMBER`")
	cmd.Flags().StringVar(&want.Prefix, "prefix", "", "only keys that begin with this `TEXT`")
	cmd.Flags().StringVar(&want.Slots, "slots", "", "only keys of these `SLOTS`, as in 0-5460,8000")
	return cmd
}

func (o *operator) restore(cmd *cobra.Command, c *client.Client, cluster string, want api.Restore) error {
	task, err := c.Restore(cmd.Context(), cluster, want)
	if err == nil {
		task, err = o.follow(cmd, c, cluster, task)
	}
	return o.told(cmd, task, err, func(w io.Writer) error {
		var r control.Restored
		if err := resultOf(task, &r); err != nil {
			return err
		}
		took := ""
		if task.Ended != nil {
			took = fmt.Sprintf(" in %.1f s", task.Ended.Sub(task.Began).Seconds())
		}
		fmt.Fprintf(w, "%s: %s are restored: %d keys in %d shards%s; %d had expired, %d that were there were removed\n", r.From, r.Selected, r.Keys, r.Shards, took, r.Expired, r.Removed)
		return nil
	})
}
