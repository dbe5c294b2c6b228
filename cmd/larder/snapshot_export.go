package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"larder/cmd/app"
	"larder/control/api/client"
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
	_, raw, _ := s.Totals()
	bar := app.NewBar(cmd.ErrOrStderr(), raw)
	defer bar.Clear()
	var files []string
	var done int64
	for _, shard := range s.Shards {
		object, err := c.Object(cmd.Context(), cluster, name, shard.Object)
		if err != nil {
			return err
		}
		path := filepath.Join(to, name+"-"+strings.TrimSuffix(shard.Object, ".zst"))
		if err := exportShard(shard, object, path, func(n int64) { bar.Show(done + n) }); err != nil {
			return fmt.Errorf("export %s: %w", name, err)
		}
		done += shard.RawBytes
		files = append(files, path)
	}
	bar.Clear()
	if o.json {
		return printJSON(cmd.OutOrStdout(), map[string]any{"files": files, "bytes": raw})
	}
	for _, path := range files {
		fmt.Fprintln(cmd.OutOrStdout(), path)
	}
	return nil
}

// exportShard writes one file, or nothing.
func exportShard(shard snapshot.Shard, object io.ReadCloser, path string, told func(int64)) (err error) {
	in, err := snapshot.NewObject(shard, object)
	if err != nil {
		return err
	}
	defer in.Close()
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("file %s is there already: move it away, or say --to with another folder", path)
	}
	temporary := path + ".part"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, &counted{in: in, told: told})
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
}

// counted tells how much was read.
type counted struct {
	in   io.Reader
	n    int64
	told func(int64)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	c.told(c.n)
	return n, err
}
