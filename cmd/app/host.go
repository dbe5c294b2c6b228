package app

import (
	"context"
	crand "crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"larder/backends"
	"larder/configs"
	"larder/control/controller"
	"larder/control/host"
	"larder/control/host/children"
	system "larder/process"
)

// restWithin is how long nodes may take to end and save what they have, if they end with the host. Who takes longer goes on with that alone.
const restWithin = 10 * time.Minute

// hostFolder is what is put behind the usual folder's name for a host: dev has that.
const hostFolder = "-host"

// Host runs nodes on this machine, as controllers order, until ctx ends. The nodes go on then, unless the configuration says something else.
func Host(ctx context.Context, c configs.Config, env Env) error {
	key, err := host.ReadKey(c.Host.KeyFile)
	if err != nil {
		return fmt.Errorf("%w (host.key-file)", err)
	}
	if c.Data.Dir == "" {
		dir, err := DevFolder()
		if err != nil {
			return err
		}
		c.Data.Dir = dir + hostFolder
	}
	data, err := takeFolder(c.Data.Dir)
	if err != nil {
		return err
	}
	defer data.release()
	p, err := newProcess(ctx, c, env)
	if err != nil {
		return err
	}
	f, err := p.joinFleet()
	if err != nil {
		return p.stack.finish(err)
	}
	defer f.leave()
	managed := backends.NewManaged(backends.Auth{Password: c.Engine.Password})
	defer managed.Close()
	return p.serve(func() error { return f.host(data, key, managed) })
}

// host starts what starts nodes, what looks after them, and what is heard of them by others. It stops in the opposite order.
func (f *fleet) host(data *folder, key string, managed *backends.Managed) error {
	listener, err := net.Listen("tcp", f.config.Host.Listen)
	if err != nil {
		return fmt.Errorf("host: %w (host.listen)", err)
	}
	announced, err := hostOf(f.config, listener.Addr())
	var h *host.Host
	var starter *children.Children
	if err == nil {
		if starter, err = f.children(data, announced.Addr); err == nil {
			h, err = host.New(host.Options{Host: announced, Dir: data.path, Starter: starter, Nodes: host.Managed{Nodes: managed}, Log: f.env.Log})
		}
	}
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	begun := make(chan struct{})
	close(begun) // none of them has a beginning that others wait for
	if err := f.stack.start("children", starter.Run, begun); err != nil {
		return err
	}
	if err := f.stack.start("nodes", h.Run, begun); err != nil {
		return err
	}
	m := &monitor{listener: listener, server: &http.Server{
		Handler: host.NewHandler(h, key), ReadHeaderTimeout: headerWithin, ErrorLog: slog.NewLogLogger(f.env.Log.Handler(), slog.LevelDebug),
	}}
	if err := f.stack.start("host", m.run, begun); err != nil {
		return err
	}
	f.env.Log.Info("host serves", "addr", listener.Addr().String(), "host", announced.ID, "reached at", announced.Addr, "memory", controller.Bytes(announced.Memory))
	if err := f.listNodes(h, announced, begun); err != nil {
		return err
	}
	a := &host.Announcement{Host: announced, Registry: f.registry, Dir: data.path, Log: f.env.Log, Chance: newDice()}
	if err := errors.Join(h.Register(f.reg), a.Register(f.reg)); err != nil {
		return err
	}
	rested := false
	err = f.stack.start("announcement", func(ctx context.Context) error {
		a.Run(ctx)
		if rested {
			return a.Leave(context.WithoutCancel(ctx))
		}
		return nil
	}, begun)
	if err != nil || !f.config.Host.StopNodes {
		return err
	}
	return f.stack.start("rest", func(ctx context.Context) error {
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restWithin)
		defer cancel()
		err := h.Rest(ctx)
		rested = err == nil
		return err
	}, begun)
}

func newDice() *rand.Rand { return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) }

// children is what starts nodes as processes of this binary.
func (f *fleet) children(data *folder, addr string) (*children.Children, error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("this binary, of which nodes are started: %w", err)
	}
	dir, err := data.sub("nodes")
	if err != nil {
		return nil, err
	}
	advertise, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	listen, _, err := net.SplitHostPort(f.config.Host.Listen)
	if err != nil {
		return nil, err
	}
	first, last := f.config.Host.PortRange()
	return children.New(children.Options{
		Command: []string{binary, "engine"}, Env: nodeEnvironment(os.Environ(), f.config), Dir: dir, Lock: lockName, Listen: listen, Advertise: advertise,
		PortFirst: first, PortLast: last, LogMax: f.config.Host.LogMax, Flags: f.config.NodeFlags, Log: f.env.Log, Chance: newDice(),
	}), nil
}

// nodeEnvironment is what nodes get of this process's environment: all but what is said of Larder, of which they get what is meant for them.
func nodeEnvironment(own []string, c configs.Config) []string {
	ours := func(variable string) bool { return strings.HasPrefix(variable, "LARDER_") }
	return append(slices.DeleteFunc(slices.Clone(own), ours), c.NodeEnvironment()...)
}

// hostOf is what is announced, by the configuration and where the host listens.
func hostOf(c configs.Config, listens net.Addr) (controller.Host, error) {
	h := controller.Host{ID: c.Host.ID, Zone: c.Host.Zone, Memory: c.Host.Memory}
	if h.ID == "" {
		name, err := os.Hostname()
		if err != nil {
			return h, fmt.Errorf("this machine's name: %w; say --id", err)
		}
		h.ID = name
	}
	if h.Memory == 0 {
		h.Memory = system.MemoryLimit() / 4 * 3
	}
	var session [8]byte
	_, _ = crand.Read(session[:]) // it never fails
	h.Session = hex.EncodeToString(session[:])
	name, port, err := net.SplitHostPort(listens.String())
	if err != nil {
		return h, err
	}
	if c.Host.Advertise != "" {
		name = c.Host.Advertise
	} else if addr, err := netip.ParseAddr(name); err != nil || addr.IsUnspecified() {
		return h, errors.New("the host listens on every address of the machine, and it is not said by which one others reach it and its nodes: say --advertise (host.advertise)")
	}
	h.Addr = net.JoinHostPort(name, port)
	return h, nil
}
