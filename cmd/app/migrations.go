package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"larder/backends/remote"
	"larder/control/migrate"
	"larder/control/migrate/follow"
	"larder/control/migrate/scan"
	"larder/router"
)

// target is a cluster's nodes as what a migration fills.
type target struct {
	newest func() *router.Topology
	login  remote.Login
}

func (t *target) Topology() *router.Topology { return t.newest() }

func (t *target) Dial(ctx context.Context, addr string) (*remote.Conn, error) {
	return remote.Address{Login: t.login, DB: remote.AllDBs}.Dial(ctx, addr)
}

// each asks every primary.
func (t *target) each(ctx context.Context, ask func(c *remote.Conn) error) error {
	for _, shard := range t.Topology().Shards {
		c, err := t.Dial(ctx, shard.Primary.Addr)
		if err != nil {
			return err
		}
		err = ask(c)
		c.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// keys is how many there are.
func (t *target) keys(ctx context.Context) (n int64, err error) {
	return n, t.each(ctx, func(c *remote.Conn) error {
		info, err := c.Info("keyspace")
		for _, value := range info {
			count, _, _ := strings.Cut(strings.TrimPrefix(value, "keys="), ",")
			if keys, err := strconv.ParseInt(count, 10, 64); err == nil {
				n += keys
			}
		}
		return err
	})
}

func (t *target) empty(ctx context.Context) error {
	return t.each(ctx, func(c *remote.Conn) error {
		_, err := c.Do("FLUSHALL")
		return err
	})
}

// startMigrator starts what looks after migrations into the cluster.
func (c *minded) startMigrator() error {
	to := &target{c.newest, remote.Login{User: c.auth.User, Password: c.auth.Password}}
	m := migrate.NewMigrator(migrate.Options{
		Cluster: c.is.name, Registry: c.term.Store, Keys: to.keys, Empty: to.empty, Report: c.is.Agent.Report, Log: c.env.Log, Now: time.Now,
		NewID: func() string {
			return fmt.Sprintf("%s-%08x", time.Now().UTC().Format("20060102t150405"), rand.Uint32())
		},
		Way: func(r migrate.Request) (migrate.Way, string, bool, error) {
			a, err := remote.Parse(r.From)
			if err != nil {
				return nil, "", false, fmt.Errorf("%w: from: %w", migrate.ErrRequest, err)
			}
			if a.Login.Password == "" {
				a.Login.Password = r.Password
			}
			way, err := c.wayOf(r, a, to)
			return way, a.String(), a.Login == remote.Login{} && a.SentinelLogin == remote.Login{}, err
		},
	})
	c.is.Migrator = m
	ready := make(chan struct{})
	return c.is.stack.start("migrations into cluster "+c.is.name, func(ctx context.Context) error { return m.Run(ctx, ready) }, ready)
}

// wayOf makes the way that is asked for.
func (c *minded) wayOf(r migrate.Request, from remote.Address, to *target) (migrate.Way, error) {
	switch r.By {
	case "replication":
		return follow.New(follow.Options{Source: from, Target: to, Stage: c.stage, Report: c.is.Agent.Report, Log: c.env.Log, Now: time.Now}), nil
	case "scan":
		return c.scanning(r, from)
	}
	return nil, fmt.Errorf("%w: %q is no way of a migration: replication and scan are", migrate.ErrRequest, r.By)
}

// scanning is the way by scan, which writes through a gateway as clients do.
func (c *minded) scanning(r migrate.Request, from remote.Address) (migrate.Way, error) {
	heard, err := scan.ParseNotifications(r.Notifications)
	if err != nil || r.Rate < 0 {
		return nil, fmt.Errorf("%w: %w", migrate.ErrRequest, cmp.Or(err, errRate))
	}
	endpoint, err := c.endpoint(c.is.stack.ctx, c.is.name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", migrate.ErrRequest, err)
	}
	return scan.New(scan.Options{
		Source: from, Replace: r.Replace, Notifications: heard, Rate: r.Rate, Log: c.env.Log, Now: time.Now, Sleep: sleep,
		Target: remote.Address{Hosts: []string{endpoint}, DB: remote.AllDBs, Login: remote.Login{Password: c.config.Gateway.Password}},
	}), nil
}

var errRate = errors.New("a rate is a number of keys a second, from 0 on")
