package app

import (
	"context"
	crand "crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/backends"
	"larder/configs"
	"larder/control"
	"larder/control/api"
	"larder/control/api/client"
	"larder/control/controller"
	"larder/control/migrate"
	"larder/engine"
	"larder/persistence"
	"larder/persistence/snapshot"
	"larder/process/files"
	"larder/router"
)

// devFleet is dev's nodes, as the agent asks them.
type devFleet struct {
	nodes  [][]*engine.Node // of a shard: its primary, then its replicas
	source router.Source
	auth   backends.Auth
	store  snapshot.Store
}

func (f *devFleet) Topology() *router.Topology { return f.source.Topology() }

// Snapshot asks a replica that has all that the primary has, or else the primary.
func (f *devFleet) Snapshot(ctx context.Context, shard int, file *snapshot.Upload, progress func(done, total int64)) (control.Taken, error) {
	node := f.nodes[shard][0]
	for _, replica := range f.nodes[shard][1:] {
		if replica.Whole(ctx) == nil {
			node = replica
			break
		}
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

// Settings are those of the first shard's primary: all nodes of dev have the same.
func (f *devFleet) Settings(ctx context.Context) (parameters map[string]string, users []string, err error) {
	node, err := backends.Dial(ctx, f.nodes[0][0].Addr(), f.auth)
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

// startControl starts the agent that looks after the cluster, and the API by which it is asked.
func (d *dev) startControl(nodes [][]*engine.Node, src router.Source, endpoint string) error {
	c := d.config.Snapshots
	window, err := controller.ParseWindow(c.Window)
	if err != nil {
		return err
	}
	metrics, err := control.NewMetrics(prometheus.WrapRegistererWith(prometheus.Labels{"cluster": clusterName}, d.reg), time.Now)
	if err != nil {
		return err
	}
	fleet := &devFleet{nodes, src, backends.Auth{Password: d.config.Engine.Password}, d.store}
	agent := control.New(control.Options{
		Cluster: clusterName, Fleet: fleet, Restorer: fleet, Store: d.store, Registry: d.registry,
		Snapshot: control.SnapshotOptions{Level: c.Level, BytesPerSec: c.BytesPerSec, Schedule: controller.Schedule{Window: window, Retain: c.Retain}},
		Version:  BuildVersion(), Log: d.env.Log, Metrics: metrics, Now: time.Now, Sleep: sleep, Chance: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	})
	ready := make(chan struct{})
	if err := d.stack.start("controller", func(ctx context.Context) error { return agent.Run(ctx, ready) }, ready); err != nil {
		return err
	}
	if d.original != nil {
		agent.Report("snapshot-restored", "the cluster has begun with the keys of "+d.original.place)
	}
	if d.config.API.Listen == configs.Off {
		return nil
	}
	migrator, err := d.startMigrator(agent, src, endpoint)
	if err != nil {
		return err
	}
	return d.startAPI(agent, migrator, endpoint)
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
func (d *dev) startAPI(agent *control.Agent, migrator *migrate.Migrator, endpoint string) error {
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
	host, port := connectTo(endpoint)
	d.clusters.set(clusterName, api.Served{Agent: agent, Migrator: migrator, Endpoint: net.JoinHostPort(host, port)})
	handler := api.New(api.Options{Key: address.Key, Clusters: &d.clusters, Open: d.storeAt})
	m := &monitor{listener: listener, server: &http.Server{Handler: handler, ReadHeaderTimeout: headerWithin}}
	serving := make(chan struct{})
	close(serving)
	d.env.Log.Info("management API is served", "addr", listener.Addr().String(), "key in", path)
	return d.stack.start("management API", func(ctx context.Context) error {
		return errors.Join(m.run(ctx), os.Remove(path))
	}, serving)
}
