package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"larder/control/api"
	"larder/control/api/client"
	wire "larder/protocol/client"
)

// memoryOf reads a size; empty: none was said.
func memoryOf(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, wrong := wire.ParseMemory(text, 1)
	if wrong != "" {
		return 0, fmt.Errorf("--memory %q: want a size such as 512mb or 2gb", text)
	}
	return n, nil
}

func (o *operator) modifyClusterCommand() *cobra.Command {
	var memory, nodeType, durability, parameters, listen, window string
	var replicas, minInSync, retain int
	var zones, servers []string
	w := &work{operator: o}
	cmd := o.asks("modify NAME", "Change a cluster",
		"Changes what is wanted of a cluster, and waits until it is so; it serves meanwhile. What is not said stays. What the hosts have no room for is refused.", cobra.ExactArgs(1), nil)
	f := cmd.Flags()
	f.IntVar(&replicas, "replicas", 0, "the `NUMBER` of replicas of each shard")
	f.StringVar(&nodeType, "node-type", "", "the `SIZE` of its nodes by name: larder node types lists them")
	f.StringVar(&memory, "memory", "", "the `BYTES` that a node may take of its host, instead of a node type: 512mb, 2gb")
	f.StringVar(&durability, "durability", "", "`WHAT` a write waits for: async or replicated")
	f.IntVar(&minInSync, "min-in-sync", 0, "under replicated: the `NUMBER` of nodes of a shard without which no write is taken")
	f.StringVar(&parameters, "parameters", "", "the parameter `GROUP` that its nodes follow; empty: none")
	f.StringSliceVar(&zones, "zone", nil, "a `ZONE` where its nodes may be; may be given several times; empty: all")
	f.StringArrayVar(&servers, "servers", nil, "the servers of others of which it is made: their `ADDRESSES`, host:port,replica:port;host:port, shards apart by semicolons")
	f.StringVar(&listen, "listen", "", "the endpoint's `ADDRESS`, host:port")
	f.StringVar(&window, "snapshot-window", "", "when its automatic snapshots begin, `TIMES` in UTC such as 03:00-05:00; empty: as the controllers are told")
	f.IntVar(&retain, "snapshot-retain", 0, "the `NUMBER` of its automatic snapshots that stay; 0: none is taken, -1: as the controllers are told")
	w.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		bytes, err := memoryOf(memory)
		if err != nil {
			return err
		}
		of, err := serversOf(servers)
		if err != nil {
			return err
		}
		change := api.Change{
			NodeType: said(f.Changed("node-type"), nodeType), Memory: said(memory != "", bytes), Replicas: said(f.Changed("replicas"), replicas),
			Durability: said(f.Changed("durability"), durability), MinInSync: said(f.Changed("min-in-sync"), minInSync),
			Parameters: said(f.Changed("parameters"), parameters), Zones: said(f.Changed("zone"), zones), Listen: said(f.Changed("listen"), listen),
			Servers: said(f.Changed("servers"), of), SnapshotWindow: said(f.Changed("snapshot-window"), window), SnapshotRetain: said(f.Changed("snapshot-retain"), retain),
		}
		if change == (api.Change{}) {
			return errors.New("say what is to be changed: --replicas, --memory, --node-type, --parameters, --durability, --min-in-sync, --zone, --servers, --snapshot-window, --snapshot-retain or --listen")
		}
		c, err := o.find()
		if err != nil {
			return err
		}
		task, err := c.ModifyCluster(cmd.Context(), args[0], change)
		if err != nil {
			return err
		}
		return w.follow(cmd, c, task, func(out io.Writer) error { return o.sayCluster(cmd, c, out, "is changed, and serves", args[0]) })
	}
	return cmd
}

// said is a value that was given, or nil.
func said[T any](given bool, value T) *T {
	if !given {
		return nil
	}
	return &value
}

func (o *operator) deleteClusterCommand() *cobra.Command {
	w, sure, final := &work{operator: o}, false, ""
	cmd := o.asks("delete NAME", "Delete a cluster with all its keys",
		"Deletes a cluster: its endpoint closes, its nodes stop, and all its keys are gone. Snapshots stay, and with --final-snapshot one is taken before; if it cannot be, the cluster stays. On a terminal it asks; elsewhere it wants --yes.", oneCluster,
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			cluster, err := c.Cluster(cmd.Context(), args[0])
			if final == unnamed {
				final = "final-" + args[0] + "-" + time.Now().UTC().Format("20060102-1504")
			}
			if err == nil && !sure {
				err = confirm(cmd, args[0], lossOf(cluster))
			}
			if err != nil {
				return err
			}
			task, err := c.DeleteCluster(cmd.Context(), args[0], final)
			if err != nil {
				return err
			}
			return w.follow(cmd, c, task, func(out io.Writer) error {
				if final != "" {
					fmt.Fprintf(out, "snapshot %s is there: larder cluster create NAME --restore %s makes a cluster of it\n", final, final)
				}
				_, err := fmt.Fprintf(out, "cluster %s is deleted\n", args[0])
				return err
			})
		})
	cmd.Flags().BoolVar(&sure, "yes", false, "do not ask")
	cmd.Flags().StringVar(&final, "final-snapshot", "", "take a last snapshot before, --final-snapshot=`NAME`; auto, and no name, is the cluster's with the time")
	cmd.Flags().Lookup("final-snapshot").NoOptDefVal = unnamed
	w.flags(cmd)
	return cmd
}

// unnamed is what --final-snapshot is without a name.
const unnamed = "auto"

// oneCluster wants a cluster's name, and says what a name behind --final-snapshot is taken for: the wrong cluster must not be deleted.
func oneCluster(_ *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return fmt.Errorf("there are %d names (%s), and one cluster is deleted: a snapshot's name stands behind an equals sign, --final-snapshot=NAME", len(args), strings.Join(args, ", "))
}

// lossOf says what is gone with a cluster.
func lossOf(c api.Cluster) string {
	text := "all keys of cluster " + c.Name
	if c.Spec != nil {
		text += fmt.Sprintf(", on %s of %s", counted(c.Nodes, "node"), counted(c.Shards, "shard"))
	}
	if c.Endpoint != "" {
		text += ", and its endpoint " + c.Endpoint
	}
	return text + " would be lost; its snapshots stay"
}

// confirm wants a name to be typed on a terminal. Where there is none nobody can be asked, and it refuses.
func confirm(cmd *cobra.Command, name, loss string) error {
	in, ok := cmd.InOrStdin().(*os.File)
	if ok {
		_, err := unix.IoctlGetTermios(int(in.Fd()), unix.TCGETS)
		ok = err == nil
	}
	if !ok {
		return errors.New(loss + ". Say --yes if that is what you want")
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s.\nType %s to go on: ", loss, name)
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != name {
		return errors.New("that is not " + name + ": nothing was done")
	}
	return nil
}
