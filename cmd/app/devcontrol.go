package app

import (
	"context"
	crand "crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"larder/backends"
	"larder/configs"
	"larder/control"
	"larder/control/api"
	"larder/control/api/client"
	"larder/engine"
	"larder/persistence"
	"larder/persistence/snapshot"
	"larder/process/files"
	"larder/router"
)

// devFleet is a cluster's nodes in this process, as its agent asks them.
type devFleet struct {
	nodes  *nodes
	source router.Source
	auth   backends.Auth
	store  snapshot.Store
}

func (f *devFleet) Topology() *router.Topology { return f.source.Topology() }

// primary is a shard's.
func (f *devFleet) primary(shard int) (*engine.Node, error) {
	of := f.source.Topology().Shards[shard].Primary
	if p := f.nodes.get(of.ID); p != nil {
		return p.node, nil
	}
	return nil, fmt.Errorf("its primary %s does not run in this process now", of.ID)
}

// Snapshot asks a replica that has all that the primary has, or else the primary.
func (f *devFleet) Snapshot(ctx context.Context, shard int, file *snapshot.Upload, progress func(done, total int64)) (control.Taken, error) {
	topology := f.source.Topology()
	node, err := f.primary(shard)
	for _, replica := range f.nodes.beside(topology.Cluster, shard, topology.Shards[shard].Primary.ID) {
		if replica.node.Whole(ctx) == nil {
			node, err = replica.node, nil
			break
		}
	}
	if err != nil {
		return control.Taken{}, errors.Join(err, file.Abandon())
	}
	t, err := node.Snapshot(ctx, file, progress)
	switch {
	case errors.Is(err, engine.ErrBusy):
		err = fmt.Errorf("%w: %w", control.ErrBusy, err)
	case errors.Is(err, engine.ErrKept):
		err = fmt.Errorf("%w: %w", control.ErrKept, err)
	}
	return control.Taken{
		Node: node.ID(), Replica: t.Replica, At: time.UnixMilli(t.AtMS).UTC(), Keys: t.Keys, Expiring: t.Expiring, Databases: t.Databases,
		ReplID: t.ReplID, ReplOffset: t.ReplOffset,
	}, err
}

// secrets are parameters that no manifest shows.
var secrets = map[string]bool{"requirepass": true, "masterauth": true, "masteruser": true, "tls-key-file-pass": true, "tls-client-key-file-pass": true}

// Settings are those of the first shard's primary: all nodes of a cluster have the same.
func (f *devFleet) Settings(ctx context.Context) (parameters map[string]string, users []string, err error) {
	node, err := backends.Dial(ctx, f.source.Topology().Shards[0].Primary.Addr, f.auth)
	if err != nil {
		return nil, nil, err
	}
	defer node.Close()
	got, err := node.Do(ctx, "CONFIG", "GET", "*")
	if err != nil {
		return nil, nil, err
	}
	parameters = map[string]string{}
	for i := 0; i+1 < len(got.List); i += 2 {
		if name := got.List[i].Text; !secrets[name] {
			parameters[name] = got.List[i+1].Text
		}
	}
	list, err := node.Do(ctx, "ACL", "LIST")
	if err != nil {
		return nil, nil, err
	}
	for _, user := range list.List {
		users = append(users, user.Text)
	}
	return parameters, users, nil
}

// openStore opens where dev's snapshots are.
func (d *dev) openStore() (snapshot.Store, error) {
	c := d.config.Snapshots
	if c.Store == "" {
		path, err := d.data.sub("snapshots")
		if err != nil {
			return snapshot.Store{}, err
		}
		c.Store = path
	}
	return d.storeAt(c.Store)
}

// storeAt opens a store at another place, with the same keys.
func (d *dev) storeAt(place string) (snapshot.Store, error) {
	c, settings := d.config.Snapshots, persistence.Settings{persistence.KeyPlace: place}
	for key, value := range map[string]string{
		"access-key": c.AccessKey, "secret-key": c.SecretKey, persistence.KeyEncryptTo: c.EncryptTo, persistence.KeyIdentity: c.Identity,
	} {
		if value != "" {
			settings[key] = value
		}
	}
	bucket, err := OpenStore(settings)
	if err != nil {
		return snapshot.Store{}, fmt.Errorf("snapshots: %w (snapshots.store)", err)
	}
	return snapshot.Store{Bucket: bucket}, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// startAPI serves the management API, and leaves its address and key where the folder's owner finds them.
func (d *dev) startAPI() error {
	if d.config.API.Listen == configs.Off {
		return nil
	}
	listener, err := net.Listen("tcp", d.config.API.Listen)
	if err != nil {
		return fmt.Errorf("management API: %w (api.listen)", err)
	}
	var key [32]byte
	_, _ = crand.Read(key[:]) // it never fails
	address := client.Address{URL: "http://" + listener.Addr().String(), Key: hex.EncodeToString(key[:])}
	path := filepath.Join(d.data.path, client.AddressFile)
	text, err := json.Marshal(address)
	if err == nil {
		err = files.Replace(path, string(text))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("management API: %w", err), listener.Close())
	}
	handler := api.New(api.Options{Key: address.Key, Clusters: d.clusters, Manager: newManager(d.leader, d.clusters.endpoint), Open: d.storeAt, Config: d.keeper})
	m := &monitor{listener: listener, server: &http.Server{Handler: handler, ReadHeaderTimeout: headerWithin}}
	serving := make(chan struct{})
	close(serving)
	d.env.Log.Info("management API is served", "addr", listener.Addr().String(), "key in", path)
	return d.stack.start("management API", func(ctx context.Context) error {
		return errors.Join(m.run(ctx), os.Remove(path))
	}, serving)
}
