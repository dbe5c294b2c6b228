package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"larder/backends/remote"
	"larder/control"
	"larder/control/migrate"
	"larder/control/migrate/follow"
	"larder/router"
)

// devTarget is dev's nodes as what a migration fills.
type devTarget struct {
	source   router.Source
	password string
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

// startMigrator starts what looks after migrations.
func (d *dev) startMigrator(agent *control.Agent, src router.Source) (*migrate.Migrator, error) {
	target := &devTarget{src, d.config.Engine.Password}
	m := migrate.NewMigrator(migrate.Options{
		Cluster: clusterName, Registry: d.registry, Keys: target.keys, Empty: target.empty, Report: agent.Report, Log: d.env.Log, Now: time.Now,
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
			way, err := d.wayOf(r.By, a, target, agent.Report)
			return way, a.String(), a.Login == remote.Login{} && a.SentinelLogin == remote.Login{}, err
		},
	})
	ready := make(chan struct{})
	return m, d.stack.start("migrations", func(ctx context.Context) error { return m.Run(ctx, ready) }, ready)
}

// wayOf makes the way that is asked for.
func (d *dev) wayOf(by string, from remote.Address, target *devTarget, report func(kind, text string)) (migrate.Way, error) {
	if by == "replication" {
		return follow.New(follow.Options{Source: from, Target: target, Stage: d.stage, Report: report, Log: d.env.Log, Now: time.Now}), nil
	}
	return nil, fmt.Errorf("%w: %q is no way of a migration: replication is", migrate.ErrRequest, by)
}
