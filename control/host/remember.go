package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"larder/persistence/files"
)

// Where a host remembers, in its folder. The temporary one has it while it is written.
const (
	memoryName    = "host.json"
	memoryWriting = "host.json.writing"
	memoryMax     = 64 << 20 // bytes; more is no file of ours
)

// remember reads what a host has remembered in a folder; in a new one there is nothing.
func remember(dir string) (memory, error) {
	m := memory{Clusters: map[string]cluster{}, Nodes: map[string]*node{}}
	in, err := files.In(dir, nil).Read(memoryName)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, memoryMax))
	if err != nil {
		return m, err
	}
	if err := m.parse(text); err != nil {
		return m, fmt.Errorf("%s says which nodes this host has, and cannot be read: %w; put back a copy of it, or move it and the folder nodes beside it away, and the host begins empty", in.Name(), err)
	}
	return m, nil
}

func (m *memory) parse(text []byte) error {
	*m = memory{}
	if err := json.Unmarshal(text, m); err != nil {
		return err
	}
	if m.Clusters == nil || m.Nodes == nil {
		return errors.New("clusters or nodes are missing")
	}
	for id, n := range m.Nodes {
		if n == nil || n.Node != id || !nodeName.MatchString(id) || n.Memory < 1 || n.MaxMemory < 1 || n.Holds < 0 {
			return fmt.Errorf("node %q is none", id)
		}
		if _, ok := m.Clusters[n.Cluster]; !ok {
			return fmt.Errorf("node %q is of a cluster that is not there", id)
		}
	}
	return nil
}

// save keeps it, safely, in place of what was there.
func (m memory) save(dir string) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		panic(err) // it is made of texts and numbers
	}
	d := files.In(dir, nil)
	out, err := d.Create(memoryWriting)
	if err != nil {
		return err
	}
	_, err = out.Write(append(text, '\n'))
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	if err := d.Rename(memoryWriting, memoryName); err != nil {
		return err
	}
	return d.Sync()
}
