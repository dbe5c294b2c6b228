package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"larder/control"
	"larder/control/api"
	"larder/control/api/client"
	"larder/persistence/snapshot"
)

func snapshotCommand() *cobra.Command {
	o := &operator{}
	cmd := &cobra.Command{
		Use:   "snapshot",
		Short: "Take snapshots of a cluster, and look after them",
		Long: "A snapshot is all of a cluster's data, each shard's at one moment, in the object store: an RDB file in a zstd stream for each shard, which redis-server loads too " +
			"(zstd -d), and a manifest. The commands ask a running appliance. To start with a snapshot's data: larder dev --restore NAME",
		Example: `  larder snapshot create before-upgrade
  larder snapshot list
  larder snapshot verify before-upgrade
  larder snapshot export before-upgrade --to /tmp/dumps
  larder snapshot export before-upgrade --one /tmp/dump.rdb`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	o.flags(cmd)
	cmd.AddCommand(
		o.command("create NAME", "Take a snapshot", "Takes a snapshot and waits until it is there; commands go on meanwhile.", 1, o.create),
		o.ofAny("list", "List the snapshots", 0, o.list),
		o.ofAny("show NAME", "Tell what a snapshot is made of", 1, o.show),
		o.command("verify NAME", "Read a snapshot back", "Reads every object of a snapshot, compares it with the manifest and decodes every key. Exit code 0: it is right.", 1, o.verify),
		o.ofAny("delete NAME", "Delete a snapshot", 1, o.remove),
		o.copyCommand(), o.exportCommand(), o.restoreCommand(),
		o.command("tasks", "List what is and was under way", "", 0, o.tasks),
		o.command("cancel TASK", "Cancel what is under way", "Cancels a task, whoever began it: it ends when what it wrote is removed. larder snapshot tasks shows its name.", 1, o.cancel),
		o.command("events", "List what has happened", "Lists what was reported lately: snapshots that were taken, have failed, were given up, missed, pruned, deleted, restored.", 0, o.events),
	)
	return cmd
}

// command makes one that asks the appliance.
func (o *operator) command(use, short, long string, args int, run func(cmd *cobra.Command, c *client.Client, cluster string, args []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: long, Args: cobra.ExactArgs(args),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, cluster, err := o.connect(cmd.Context())
			if err != nil {
				return err
			}
			return run(cmd, c, cluster, args)
		},
	}
}

// ofAny makes a command for which it does not matter which cluster a snapshot is of, or was: it may be gone.
func (o *operator) ofAny(use, short string, args int, run func(cmd *cobra.Command, c *client.Client, cluster string, args []string) error) *cobra.Command {
	return o.asks(use, short, "", cobra.ExactArgs(args), func(cmd *cobra.Command, c *client.Client, args []string) error { return run(cmd, c, o.cluster, args) })
}

func (o *operator) create(cmd *cobra.Command, c *client.Client, cluster string, args []string) error {
	task, err := c.CreateSnapshot(cmd.Context(), cluster, args[0])
	if err == nil {
		task, err = o.follow(cmd, c, cluster, task)
	}
	return o.told(cmd, task, err, func(w io.Writer) error {
		var m snapshot.Manifest
		if err := resultOf(task, &m); err != nil {
			return err
		}
		keys, raw, bytes := m.Totals()
		fmt.Fprintf(w, "snapshot %s is there: %d keys of %d shards, %s in %s (%s compressed to %.0f %%)\n",
			m.Name, keys, len(m.Shards), sizeOf(bytes), m.Ended.Sub(m.Began).Round(time.Millisecond), sizeOf(raw), percent(bytes, raw))
		return nil
	})
}

// told prints how a task has ended.
func (o *operator) told(cmd *cobra.Command, task control.Task, err error, text func(w io.Writer) error) error {
	if o.json && task.ID != "" {
		if wrong := printJSON(cmd.OutOrStdout(), task); wrong != nil {
			return wrong
		}
		return err
	}
	if err != nil {
		return err
	}
	return text(cmd.OutOrStdout())
}

// resultOf reads a task's result, which came as JSON.
func resultOf(task control.Task, into any) error {
	text, err := json.Marshal(task.Result)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("what the appliance says of task %s cannot be read: %w", task.ID, err)
	}
	return nil
}

func percent(part, of int64) float64 {
	const all = 100
	if of == 0 {
		return all
	}
	return all * float64(part) / float64(of)
}

// sizeOf is a size for people.
func sizeOf(bytes int64) string {
	const unit = 1024
	if bytes < unit {
		return fmt.Sprintf("%d B", bytes)
	}
	size, names := float64(bytes)/unit, "KMGTPE"
	for size >= unit {
		size, names = size/unit, names[1:]
	}
	return fmt.Sprintf("%.1f %ciB", size, names[0])
}

func (o *operator) list(cmd *cobra.Command, c *client.Client, cluster string, _ []string) error {
	list, err := c.Snapshots(cmd.Context(), cluster)
	if err != nil {
		return err
	}
	if o.json {
		return printJSON(cmd.OutOrStdout(), list)
	}
	if len(list.Snapshots)+len(list.Broken) == 0 {
		fmt.Fprintln(cmd.OutOrStdout(), "there are no snapshots: larder snapshot create NAME takes one")
		return nil
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tCLUSTER\tTAKEN (UTC)\tKIND\tSHARDS\tKEYS\tDATA\tSTORED")
	for _, s := range list.Snapshots {
		keys, raw, _ := s.Totals()
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", s.Name, s.Cluster, s.Ended.UTC().Format(time.DateTime), kindOf(s), len(s.Shards), keys, sizeOf(raw), sizeOf(s.StoredBytes))
	}
	for folder, wrong := range list.Broken {
		fmt.Fprintf(w, "%s\tcannot be read: %s\n", folder, wrong)
	}
	return w.Flush()
}

func kindOf(s api.Snapshot) string {
	if s.Automatic {
		return "automatic"
	}
	return "manual"
}

func (o *operator) show(cmd *cobra.Command, c *client.Client, cluster string, args []string) error {
	s, err := c.Snapshot(cmd.Context(), cluster, args[0])
	if err != nil {
		return err
	}
	if o.json {
		return printJSON(cmd.OutOrStdout(), s)
	}
	out := cmd.OutOrStdout()
	keys, raw, bytes := s.Totals()
	fmt.Fprintf(out, "snapshot %s of cluster %s, %s, by Larder %s\ntaken from %s to %s\nin folder %s\n%d keys, %s, compressed to %s (%.0f %%)\n\n",
		s.Name, s.Cluster, kindOf(s), s.Larder, s.Began.UTC().Format(time.DateTime), s.Ended.UTC().Format(time.DateTime), s.Folder, keys, sizeOf(raw), sizeOf(bytes), percent(bytes, raw))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "OBJECT\tSLOTS\tNODE\tKEYS\tEXPIRING\tDATA\tSTORED\tOFFSET")
	for _, shard := range s.Shards {
		node := shard.Node
		if shard.Replica {
			node += " (replica)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%s\t%d\n", shard.Object, shard.Slots, node, shard.Keys, shard.Expiring, sizeOf(shard.RawBytes), sizeOf(shard.Bytes), shard.ReplOffset)
	}
	return w.Flush()
}

func (o *operator) verify(cmd *cobra.Command, c *client.Client, cluster string, args []string) error {
	task, err := c.VerifySnapshot(cmd.Context(), cluster, args[0])
	if err == nil {
		task, err = o.follow(cmd, c, cluster, task)
	}
	return o.told(cmd, task, err, func(w io.Writer) error {
		var v snapshot.Verified
		if err := resultOf(task, &v); err != nil {
			return err
		}
		fmt.Fprintf(w, "snapshot %s is right: %d keys in %d objects, %s read\n", args[0], v.Keys, v.Shards, sizeOf(v.Bytes))
		return nil
	})
}

func (o *operator) remove(cmd *cobra.Command, c *client.Client, cluster string, args []string) error {
	if err := c.DeleteSnapshot(cmd.Context(), cluster, args[0]); err != nil {
		return err
	}
	if !o.json {
		fmt.Fprintf(cmd.OutOrStdout(), "snapshot %s is deleted\n", args[0])
	}
	return nil
}

func (o *operator) tasks(cmd *cobra.Command, c *client.Client, cluster string, _ []string) error {
	list, err := c.Tasks(cmd.Context(), cluster)
	if err != nil {
		return err
	}
	if o.json {
		return printJSON(cmd.OutOrStdout(), list)
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TASK\tKIND\tSUBJECT\tSTATE\tBEGAN (UTC)\tDONE\tERROR")
	for _, t := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d/%d %s\t%s\n", t.ID, t.Kind, t.Subject, t.State, t.Began.UTC().Format(time.DateTime), t.Done, t.Total, t.Unit, t.Error)
	}
	return w.Flush()
}

func (o *operator) copyCommand() *cobra.Command {
	var as, to string
	cmd := o.command("copy NAME", "Copy a snapshot", "Copies a snapshot under another name, or into another store; every byte is compared with the manifest on its way.", 1,
		func(cmd *cobra.Command, c *client.Client, cluster string, args []string) error {
			if as == "" {
				as = args[0]
			}
			task, err := c.CopySnapshot(cmd.Context(), cluster, args[0], api.Copy{To: to, As: as})
			if err == nil {
				task, err = o.follow(cmd, c, cluster, task)
			}
			return o.told(cmd, task, err, func(w io.Writer) error {
				fmt.Fprintf(w, "snapshot %s is copied as %s\n", args[0], as)
				return nil
			})
		})
	cmd.Flags().StringVar(&as, "as", "", "the copy's `NAME`; else the same")
	cmd.Flags().StringVar(&to, "to", "", "the `STORE` it goes to; else the same")
	return cmd
}
