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

	"larder/cmd/app"
	"larder/control/api"
	"larder/control/api/client"
	"larder/persistence"
	"larder/persistence/dir"
	"larder/persistence/rdb"
	"larder/persistence/snapshot"
)

// exporting is an export of a snapshot.
type exporting struct {
	c       *client.Client
	cluster string
	s       api.Snapshot
	bar     *app.Bar
	done    int64 // bytes of the files before
}

func (o *operator) exportCommand() *cobra.Command {
	var to, one string
	cmd := o.command("export NAME", "Write a snapshot's data as .rdb files", "Writes a plain RDB file for each shard, or one of all, which redis-server, Valkey and ElastiCache load. Each is compared with the manifest, and has its name only when it is whole.", 1,
		func(cmd *cobra.Command, c *client.Client, cluster string, args []string) error {
			return o.export(cmd, c, cluster, args[0], to, one)
		})
	cmd.Flags().StringVar(&to, "to", ".", "the `FOLDER` that the files are written to")
	cmd.Flags().StringVar(&one, "one", "", "write all shards into this one `FILE` instead")
	cmd.MarkFlagsMutuallyExclusive("to", "one")
	return cmd
}

func (o *operator) export(cmd *cobra.Command, c *client.Client, cluster, name, to, one string) error {
	s, err := c.Snapshot(cmd.Context(), cluster, name)
	if err != nil {
		return err
	}
	_, raw, _ := s.Totals()
	e := &exporting{c: c, cluster: cluster, s: s, bar: o.bar(cmd, raw)}
	defer e.bar.Clear()
	var paths []string
	if one != "" {
		paths, err = []string{one}, e.one(cmd.Context(), one)
	} else {
		paths, err = e.each(cmd.Context(), to)
	}
	if err != nil {
		return fmt.Errorf("export %s: %w", name, err)
	}
	e.bar.Clear()
	if o.json {
		return printJSON(cmd.OutOrStdout(), map[string]any{"files": paths, "bytes": raw})
	}
	for _, path := range paths {
		fmt.Fprintln(cmd.OutOrStdout(), path)
	}
	return nil
}

// each writes a file a shard.
func (e *exporting) each(ctx context.Context, to string) (paths []string, err error) {
	for _, shard := range e.s.Shards {
		in, err := e.open(ctx, shard)
		if err != nil {
			return paths, err
		}
		path := filepath.Join(to, e.s.Name+"-"+strings.TrimSuffix(shard.Object, ".zst"))
		if err = errors.Join(e.put(ctx, path, in), in.Close()); err != nil {
			return paths, err
		}
		e.done += shard.RawBytes
		paths = append(paths, path)
	}
	return paths, nil
}

// one writes all shards' keys into a file.
func (e *exporting) one(ctx context.Context, path string) error {
	var shards []func() (io.ReadCloser, error)
	for _, shard := range e.s.Shards {
		shards = append(shards, func() (io.ReadCloser, error) { return e.open(ctx, shard) })
	}
	in := rdb.Merge(shards)
	return errors.Join(e.put(ctx, path, in), in.Close())
}

// put writes a file, which has its name only when it is whole.
func (e *exporting) put(ctx context.Context, path string, in io.Reader) error {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	files, err := dir.Open(dir.Options{Path: folder})
	if err != nil {
		return err
	}
	_, err = files.Put(ctx, filepath.Base(path), in, func(n int64) { e.bar.Show(e.done + n) })
	if errors.Is(err, persistence.ErrExists) {
		err = fmt.Errorf("file %s is there already: move it away, or write to another place", path)
	}
	return err
}

// open reads a shard's RDB file, whose last read says whether it is what the manifest says: a file of half of it is never there.
func (e *exporting) open(ctx context.Context, shard snapshot.Shard) (io.ReadCloser, error) {
	object, err := e.c.Object(ctx, e.cluster, e.s.Name, shard.Object)
	if err != nil {
		return nil, err
	}
	return snapshot.NewObject(shard, object)
}
