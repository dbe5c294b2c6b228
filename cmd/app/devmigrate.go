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

// devTarget is dev's nodes as what a migration fills.
type devTarget struct {
	source   router.Source
	password string
	endpoint string // the gateway's, as this machine reaches it
}

func (t *devTarget) Topology() *router.Topology { return t.source.Topology() }

func (t *devTarget) Dial(ctx context.Context, addr string) (*remote.Conn, error) {
	return remote.Address{Login: remote.Login{Password: t.password}, DB: remote.AllDBs}.Dial(ctx, addr)
}

// each asks every primary.
func (t *devTarget) each(ctx context.Context, ask func(c *remote.Conn) error) error {
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
func (t *devTarget) keys(ctx context.Context) (n int64, err error) {
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

func (t *devTarget) empty(ctx context.Context) error {
	return t.each(ctx, func(c *remote.Conn) error {
		_, err := c.Do("FLUSHALL")
		return err
	})
}

// startMigrator starts what looks after migrations into the cluster.
func (c *cluster) startMigrator() error {
	target := &devTarget{c.src, c.config.Engine.Password, c.is.Endpoint}
	m := migrate.NewMigrator(migrate.Options{
		Cluster: c.is.name, Registry: c.registry, Keys: target.keys, Empty: target.empty, Report: c.is.Agent.Report, Log: c.env.Log, Now: time.Now,
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
			way, err := c.wayOf(r, a, target, c.is.Agent.Report)
			return way, a.String(), a.Login == remote.Login{} && a.SentinelLogin == remote.Login{}, err
		},
	})
	c.is.Migrator = m
	ready := make(chan struct{})
	return c.is.stack.start("migrations into cluster "+c.is.name, func(ctx context.Context) error { return m.Run(ctx, ready) }, ready)
}

// wayOf makes the way that is asked for.
func (d *dev) wayOf(r migrate.Request, from remote.Address, target *devTarget, report func(kind, text string)) (migrate.Way, error) {
	switch r.By {
	case "replication":
		return follow.New(follow.Options{Source: from, Target: target, Stage: d.stage, Report: report, Log: d.env.Log, Now: time.Now}), nil
	case "scan":
		return d.scanning(r, from, target)
	}
	return nil, fmt.Errorf("%w: %q is no way of a migration: replication and scan are", migrate.ErrRequest, r.By)
}

// scanning is the way by scan, which writes through the gateway as clients do.
func (d *dev) scanning(r migrate.Request, from remote.Address, target *devTarget) (migrate.Way, error) {
	heard, err := scan.ParseNotifications(r.Notifications)
	if err != nil || r.Rate < 0 {
		return nil, fmt.Errorf("%w: %w", migrate.ErrRequest, cmp.Or(err, errRate))
	}
	return scan.New(scan.Options{
		Source: from, Replace: r.Replace, Notifications: heard, Rate: r.Rate, Log: d.env.Log, Now: time.Now, Sleep: sleep,
		Target: remote.Address{Hosts: []string{target.endpoint}, DB: remote.AllDBs, Login: remote.Login{Password: d.config.Gateway.Password}},
	}), nil
}

var errRate = errors.New("a rate is a number of keys a second, from 0 on")
