package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"larder/protocol/resp"
	"larder/router"
)

// Primary is a server that holds keys of an address.
type Primary struct {
	Addr  string
	Slots []router.Range // in a Redis Cluster; nil = all keys
}

// Primaries asks where the data of an address is: the server itself, the primary that a sentinel names, or the primaries of a cluster, in the order of
// their slots. A single server that is a node of a cluster is asked for the others.
func (a Address) Primaries(ctx context.Context) ([]Primary, error) {
	switch a.Kind {
	case Sentinel:
		return a.sentinels(ctx)
	case Cluster:
		return a.nodes(ctx)
	case Single:
	}
	clustered, err := a.clustered(ctx)
	if err != nil {
		return nil, err
	}
	if clustered {
		return a.nodes(ctx)
	}
	return []Primary{{Addr: a.Hosts[0]}}, nil
}

// clustered asks a server whether it is a node of a cluster.
func (a Address) clustered(ctx context.Context) (bool, error) {
	c, err := a.Dial(ctx, a.Hosts[0])
	if err != nil {
		return false, err
	}
	defer c.Close()
	info, err := c.Info("cluster")
	if Denied(err) { // then nobody can know; who has hidden INFO says what kind it is
		return false, nil
	}
	return info["cluster_enabled"] == "1", err
}

// Info asks for a section of INFO, by names.
func (c *Conn) Info(section string) (map[string]string, error) {
	reply, err := c.Do("INFO", section)
	if err != nil {
		return nil, err
	}
	text, _ := reply.Bytes()
	fields := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields, nil
}

// Unpause lets the clients of servers write again, of the primaries if none is named, on connections of its own. All are asked at once: one that is silent
// keeps no other paused. Errors: of all that failed.
func (a Address) Unpause(ctx context.Context, servers ...string) error {
	var failed error
	if len(servers) == 0 {
		var list []Primary
		list, failed = a.Primaries(ctx)
		for _, p := range list {
			servers = append(servers, p.Addr)
		}
	}
	return errors.Join(failed, a.unpauseAll(ctx, servers))
}

func (a Address) unpause(ctx context.Context, addr string) error {
	c, err := a.dial(ctx, addr, a.Login, 0)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Do("CLIENT", "UNPAUSE")
	return err
}

// any asks the hosts in turn until one answers.
func (a Address) any(ctx context.Context, login Login, ask func(c *Conn) error) error {
	var failed []error
	for _, host := range a.Hosts {
		c, err := a.dial(ctx, host, login, 0)
		if err == nil {
			err = ask(c)
			c.Close()
		}
		if err == nil {
			return nil
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

func (a Address) sentinels(ctx context.Context) (list []Primary, err error) {
	err = a.any(ctx, a.SentinelLogin, func(c *Conn) error {
		reply, err := c.Do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", a.Master)
		if err != nil {
			return err
		}
		words := Texts(reply)
		if len(words) != 2 {
			return fmt.Errorf("sentinel %s knows no primary named %q", c.Addr, a.Master)
		}
		list = []Primary{{Addr: net.JoinHostPort(words[0], words[1])}}
		return nil
	})
	return list, err
}

func (a Address) nodes(ctx context.Context) (list []Primary, err error) {
	err = a.any(ctx, a.Login, func(c *Conn) error {
		reply, err := c.Do("CLUSTER", "SLOTS")
		if err != nil {
			return err
		}
		list, err = primariesOf(reply, c.Addr)
		return err
	})
	return list, err
}

// slotsInAll is how many there are.
const slotsInAll = 16384

// primariesOf reads what CLUSTER SLOTS answers. An empty host is the one that was asked.
func primariesOf(reply resp.Value, asked string) ([]Primary, error) {
	broken := fmt.Errorf("server %s answers CLUSTER SLOTS by what cannot be understood", asked)
	byAddr := map[string]*Primary{}
	covered := 0
	for it := reply.Elements(); it.Left() > 0; {
		run, _ := it.Next()
		parts := resp.Elements(run)
		first, _ := parts.Next()
		last, _ := parts.Next()
		node, _ := parts.Next()
		from, ok1 := resp.ParseInt(first)
		to, ok2 := resp.ParseInt(last)
		where := resp.Elements(node)
		name, _ := where.Next()
		number, _ := where.Next()
		port, ok3 := resp.ParseInt(number)
		if !ok1 || !ok2 || !ok3 || from < 0 || to < from || to >= slotsInAll {
			return nil, broken
		}
		host, _ := resp.Value(name).Bytes()
		addr := net.JoinHostPort(hostOf(string(host), asked), strconv.FormatInt(port, 10))
		if byAddr[addr] == nil {
			byAddr[addr] = &Primary{Addr: addr}
		}
		byAddr[addr].Slots = append(byAddr[addr].Slots, router.Range{From: int(from), To: int(to)})
		covered += int(to - from + 1)
	}
	if covered != slotsInAll {
		return nil, fmt.Errorf("server %s knows primaries of %d slots of %d: the cluster is not whole", asked, covered, slotsInAll)
	}
	list := make([]Primary, 0, len(byAddr))
	for _, p := range byAddr {
		slices.SortFunc(p.Slots, func(x, y router.Range) int { return cmp.Compare(x.From, y.From) })
		list = append(list, *p)
	}
	slices.SortFunc(list, func(x, y Primary) int { return cmp.Compare(x.Slots[0].From, y.Slots[0].From) })
	return list, nil
}

func hostOf(host, asked string) string {
	if host == "" || host == "?" {
		host, _, _ = net.SplitHostPort(asked)
	}
	return host
}
