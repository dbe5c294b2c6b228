package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"larder/control/api/client"
	"larder/persistence"
	"larder/persistence/dir"
	"larder/persistence/snapshot"
)

func (o *operator) exportCommand() *cobra.Command {
	var to string
	cmd := o.command("export NAME", "Write a snapshot's data as .rdb files", "Writes a plain RDB file for each shard, which redis-server, Valkey and ElastiCache load. Each is compared with the manifest, and has its name only when it is whole.", 1,
		func(cmd *cobra.Command, c *client.Client, cluster string, args []string) error {
			return o.export(cmd, c, cluster, args[0], to)
		})
	cmd.Flags().StringVar(&to, "to", ".", "the `FOLDER` that the files are written to")
	return cmd
}

func (o *operator) export(cmd *cobra.Command, c *client.Client, cluster, name, to string) error {
	s, err := c.Snapshot(cmd.Context(), cluster, name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	files, err := dir.Open(dir.Options{Path: to})
	if err != nil {
		return err
	}
	_, raw, _ := s.Totals()
	bar := o.bar(cmd, raw)
	defer bar.Clear()
	var paths []string
	var done int64
	for _, shard := range s.Shards {
		file := name + "-" + strings.TrimSuffix(shard.Object, ".zst")
		path := filepath.Join(to, file)
		in, err := openShard(cmd.Context(), c, cluster, name, shard)
		if err != nil {
			return err
		}
		_, err = files.Put(cmd.Context(), file, in, func(n int64) { bar.Show(done + n) })
		if errors.Is(err, persistence.ErrExists) {
			err = fmt.Errorf("file %s is there already: move it away, or say --to with another folder", path)
		}
		if err = errors.Join(err, in.Close()); err != nil {
			return fmt.Errorf("export %s: %w", name, err)
		}
		done += shard.RawBytes
		paths = append(paths, path)
	}
	bar.Clear()
	if o.json {
		return printJSON(cmd.OutOrStdout(), map[string]any{"files": paths, "bytes": raw})
	}
	for _, path := range paths {
		fmt.Fprintln(cmd.OutOrStdout(), path)
	}
	return nil
}

// openShard reads a shard's RDB file, whose last read says whether it is what the manifest says: a file of half of it is never there.
func openShard(ctx context.Context, c *client.Client, cluster, name string, shard snapshot.Shard) (io.ReadCloser, error) {
	object, err := c.Object(ctx, cluster, name, shard.Object)
	if err != nil {
		return nil, err
	}
	return snapshot.NewObject(shard, object)
}
