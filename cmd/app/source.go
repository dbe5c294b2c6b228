package app

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"larder/configs"
	"larder/router"
)

// clusterName is the one cluster's that a process serves which was not told of others.
const clusterName = "main"

// newSource is the router.Source that the gateway's configuration describes; nil if the registry has it.
func newSource(c configs.Config, log *slog.Logger) (router.Source, error) {
	if c.Topology != "" {
		return newFileSource(c.Topology, log)
	}
	if len(c.Nodes) == 0 {
		return nil, nil
	}
	nodes := make([]router.Node, len(c.Nodes))
	for i, addr := range c.Nodes {
		nodes[i].Addr = addr
	}
	t, err := router.Even(clusterName, 0, nodes)
	if err != nil {
		return nil, fmt.Errorf("gateway.nodes: %w", err)
	}
	return fixed{t}, nil
}

// fixed is a topology that never changes.
type fixed struct{ topology *router.Topology }

// Topology implements router.Source.
func (f fixed) Topology() *router.Topology { return f.topology }

// Watch implements router.Source.
func (f fixed) Watch(ctx context.Context, _ func(*router.Topology)) error {
	<-ctx.Done()
	return nil
}

// fileLook is how often a topology's file is looked at.
const fileLook = time.Second

// fileSource is a topology in a file, which may be replaced while the gateway runs.
type fileSource struct {
	path   string
	log    *slog.Logger
	newest atomic.Pointer[router.Topology]
	seen   version // Watch's
}

// version is what tells a file from the one that stood there before.
type version struct {
	modified time.Time
	bytes    int64
}

func versionOf(info fs.FileInfo) version { return version{info.ModTime(), info.Size()} }

func newFileSource(path string, log *slog.Logger) (*fileSource, error) {
	f := &fileSource{path: path, log: log}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("gateway.topology: %w", err)
	}
	f.seen = versionOf(info)
	t, err := f.read()
	if err != nil {
		return nil, err
	}
	f.newest.Store(t)
	return f, nil
}

func (f *fileSource) read() (*router.Topology, error) {
	content, err := os.ReadFile(f.path)
	if err != nil {
		return nil, fmt.Errorf("gateway.topology: %w", err)
	}
	t, err := router.Parse(content)
	if err != nil {
		return nil, fmt.Errorf("gateway.topology: %s: %w", f.path, err)
	}
	return t, nil
}

// Topology implements router.Source.
func (f *fileSource) Topology() *router.Topology { return f.newest.Load() }

// Watch implements router.Source. A file that is gone, cannot be read or has no greater epoch changes nothing but is logged.
func (f *fileSource) Watch(ctx context.Context, changed func(*router.Topology)) error {
	look := time.NewTicker(fileLook)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
			if t := f.changed(); t != nil {
				f.newest.Store(t)
				changed(t)
			}
		}
	}
}

// changed is the file's topology if it is another and newer than the one at hand, else nil.
func (f *fileSource) changed() *router.Topology {
	var now version // of a file that is gone: the zero
	info, err := os.Stat(f.path)
	if err == nil {
		now = versionOf(info)
	}
	if now == f.seen {
		return nil
	}
	f.seen = now
	t, err := f.read()
	if err != nil {
		f.log.Error("topology file is not taken; the last one is used", "error", err)
		return nil
	}
	if have := f.newest.Load(); t.Epoch <= have.Epoch {
		f.log.Error("topology file is not taken: its epoch must be greater", "file", f.path, "epoch", t.Epoch, "have", have.Epoch)
		return nil
	}
	return t
}
