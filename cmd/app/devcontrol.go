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
	"slices"
	"time"

	"larder/configs"
	"larder/control/api"
	"larder/control/api/client"
	"larder/process/files"
)

// storePlace is where dev's snapshots are.
func (d *dev) storePlace() (string, error) {
	if place := d.config.Snapshots.Store; place != "" {
		return place, nil
	}
	return d.data.sub("snapshots")
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
	handler := api.New(api.Options{Key: address.Key, Clusters: devClusters{d.minder, d.clusters}, Manager: newManager(d.leader, d.clusters.endpoint), Store: d.store, Open: d.storeAt, Config: d.keeper})
	m := &monitor{listener: listener, server: &http.Server{Handler: handler, ReadHeaderTimeout: headerWithin}}
	serving := make(chan struct{})
	close(serving)
	d.env.Log.Info("management API is served", "addr", listener.Addr().String(), "key in", path)
	return d.stack.start("management API", func(ctx context.Context) error {
		return errors.Join(m.run(ctx), os.Remove(path))
	}, serving)
}

// devClusters are those whose data this process looks after, and those whose endpoints it has.
type devClusters struct {
	minder   *minder
	clusters *clusters
}

// Names implements api.Clusters.
func (d devClusters) Names() []string {
	names := append(d.minder.Names(), d.clusters.Names()...)
	slices.Sort(names)
	return slices.Compact(names)
}

// Cluster implements api.Clusters.
func (d devClusters) Cluster(name string) (api.Served, bool) {
	minded, ok := d.minder.Cluster(name)
	here, too := d.clusters.Cluster(name)
	minded.Endpoint = here.Endpoint
	return minded, ok || too
}
