package app

import (
	"context"
	crand "crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"larder/backends/registry/consul"
	"larder/backends/registry/embedded"
	"larder/control/controller"
	leading "larder/control/fleet"
	"larder/control/host"
	"larder/control/host/client"
	"larder/process/files"
	"larder/proxy"
)

// devHost is the host's name where it is the only one.
const devHost = "dev"

// fleetKeyName is the file in the data folder that has the key by which hosts and controllers of a fleet know each other.
const fleetKeyName = "fleet.key"

// openRegistry opens the registry: the embedded one, or Consul, where other processes may join the fleet.
func (d *dev) openRegistry() (err error) {
	if d.config.Consul.Address == "" {
		d.registry, err = embedded.Open(d.data.path)
		return err
	}
	d.shared = true
	machine, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("this machine's name: %w", err)
	}
	d.host = hostName(machine, d.data.path)
	d.registry, err = consul.New(d.config.Consul, d.reg)
	return err
}

// hostName is a host's that has a folder on a machine: two folders are two hosts, and one keeps its name.
func hostName(machine, folder string) string {
	sum := sha256.Sum256([]byte(folder))
	plain := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return '-'
	}, strings.ToLower(machine))
	return "dev-" + strings.Trim(plain, "-") + "-" + hex.EncodeToString(sum[:3])
}

// notMine refuses a first cluster that is somebody else's.
func (d *dev) notMine(have *first) error {
	if !d.shared || have.spec == nil && have.topology == nil {
		return nil
	}
	if have.plan != nil {
		for i := range have.plan.Nodes {
			if have.plan.Nodes[i].Host == d.host {
				return nil
			}
		}
	}
	return fmt.Errorf("there is a cluster %s already in Consul at %s, and none of its nodes is in this folder (%s): use the folder that it has, or keep fleets apart with --set consul.prefix=NAME/",
		clusterName, d.config.Consul.Address, d.data.path)
}

// door is where controllers in other processes ask the host. nil: there are none.
type door struct {
	listener net.Listener
	key      string
}

// openDoor listens where others ask the host, and has the host say so.
func (d *dev) openDoor(me *controller.Host) (*door, error) {
	if !d.shared {
		return nil, nil
	}
	path := filepath.Join(d.data.path, fleetKeyName)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		var key [32]byte
		_, _ = crand.Read(key[:]) // it never fails
		if err := files.Replace(path, hex.EncodeToString(key[:])+"\n"); err != nil {
			return nil, err
		}
	}
	key, err := host.ReadKey(path)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	me.Addr = listener.Addr().String()
	return &door{listener, key}, nil
}

// open lets controllers in, and gives the hosts that this process asks: its own, and others over the network.
func (d *dev) open(door *door, h *host.Host) (leading.Hosts, error) {
	if door == nil {
		return h, nil
	}
	m := &monitor{listener: door.listener, server: &http.Server{Handler: host.NewHandler(h, door.key), ReadHeaderTimeout: headerWithin}}
	others := client.New(door.key)
	return &hosts{own: d.host, here: h, others: others}, d.begin("host's API", func(ctx context.Context) error {
		defer others.Close()
		return m.run(ctx)
	})
}

// hosts are the one of this process and others.
type hosts struct {
	own          string
	here, others leading.Hosts
}

func (h *hosts) of(id string) leading.Hosts {
	if id == h.own {
		return h.here
	}
	return h.others
}

// Says implements fleet.Hosts.
func (h *hosts) News(ctx context.Context, who controller.Host, seen uint64) (controller.HostSays, error) {
	return h.of(who.ID).News(ctx, who, seen)
}

func (h *hosts) Says(ctx context.Context, who controller.Host) (controller.HostSays, error) {
	return h.of(who.ID).Says(ctx, who)
}

// Obey implements fleet.Hosts.
func (h *hosts) Obey(ctx context.Context, who controller.Host, o controller.Order) error {
	return h.of(who.ID).Obey(ctx, who, o)
}

// join makes the cluster's gateway one of its endpoint's, where others may have some too.
func (c *cluster) join(gateway *proxy.Gateway) error {
	if !c.shared {
		return nil
	}
	p := *c.process
	p.stack, p.config.Cluster = c.is.stack, c.is.name
	return p.join(&fleet{process: &p, registry: c.registry}, gateway)
}
