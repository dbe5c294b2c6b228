package docs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/backends/registry/consul"
	"larder/control"
	"larder/control/config"
	"larder/control/fleet"
	"larder/control/host"
	"larder/engine"
	"larder/proxy"
	"larder/proxy/mirror"
	"larder/router"
)

const metricsHead = `# Metrics

Served at ` + "`/metrics`" + ` in Prometheus's format by every role that has ` + "`metrics.listen`" + ` set. Made from the code by ` + "`go test ./docs -update`" + `.
Counters are plain numbers of a loop, published once a second: a scrape shows them as they were a second ago at most. Beside these there are
` + "`larder_build_info`" + ` (its labels say which build this is) and what the Prometheus client says of the process and of Go's runtime. In ` + "`larder dev`" + ` the
nodes' metrics carry the labels ` + "`cluster`" + ` and ` + "`node`" + `, those of gateways and of what looks after a cluster a label ` + "`cluster`" + `. A command that no client has sent yet has no series.
`

// TestMetrics makes metrics.md from what gateway and node register and wants the page to be just that.
func TestMetrics(t *testing.T) {
	var page strings.Builder
	page.WriteString(metricsHead)
	page.WriteString(metricsTable("Gateway", gatewayMetrics(t)))
	page.WriteString(metricsTable("Node", nodeMetrics(t)))
	page.WriteString(metricsTable("Control", controlMetrics(t)))
	page.WriteString(metricsTable("Fleet, in whoever may lead it", fleetMetrics(t)))
	page.WriteString(metricsTable("Host", hostMetrics(t)))
	page.WriteString(metricsTable("Consul, in each role that asks it", consulMetrics(t)))
	page.WriteString(metricsTable("Settings of the fleet, in each role with gateways that follow them", configMetrics(t)))
	page.WriteString(metricsTable("Shadow", shadowMetrics(t)))
	golden(t, "metrics.md", page.String())
}

// metric is what a collector says of a metric before it has a value.
type metric struct{ name, help, labels string }

// kind follows from the name, as Prometheus's convention has it.
func (m metric) kind() string {
	switch {
	case strings.HasSuffix(m.name, "_total"):
		return "counter"
	case strings.HasSuffix(m.name, "_age_seconds"), strings.HasSuffix(m.name, "_timestamp_seconds"), strings.Contains(m.name, "_last_"):
		return "gauge"
	case strings.HasSuffix(m.name, "_seconds"):
		return "histogram"
	default:
		return "gauge"
	}
}

func metricsTable(title string, all []metric) string {
	var out strings.Builder
	fmt.Fprintf(&out, "\n## %s\n\n| name | kind | labels | meaning |\n|---|---|---|---|\n", title)
	for _, m := range all {
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", m.name, m.kind(), m.labels, m.help)
	}
	return out.String()
}

// recorder is a registry that only notes what it is given.
type recorder struct {
	prometheus.Registerer
	metrics []metric
}

// described takes a prometheus.Desc's only way of telling what it holds apart.
var described = regexp.MustCompile(`^Desc\{fqName: "([^"]*)", help: "(.*?)"(?:, unit: "[^"]*")?, constLabels: \{\}, variableLabels: \{([^}]*)\}\}$`)

func (r *recorder) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc)
	go func() {
		c.Describe(descs)
		close(descs)
	}()
	for d := range descs {
		parts := described.FindStringSubmatch(d.String())
		if parts == nil {
			return fmt.Errorf("read metric: %v", d)
		}
		r.metrics = append(r.metrics, metric{name: parts[1], help: parts[2], labels: strings.ReplaceAll(parts[3], ",", ", ")})
	}
	slices.SortFunc(r.metrics, func(a, b metric) int { return strings.Compare(a.name, b.name) })
	return nil
}

// fixed is a source of a topology that never changes.
type fixed struct{ topology *router.Topology }

func (f fixed) Topology() *router.Topology { return f.topology }

func (f fixed) Watch(ctx context.Context, _ func(*router.Topology)) error {
	<-ctx.Done()
	return nil
}

func gatewayMetrics(t *testing.T) []metric {
	t.Helper()
	topology, err := router.Even("docs", 1, []router.Node{{ID: "n0", Addr: "127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	if _, err := proxy.New(proxy.DefaultOptions(), fixed{topology}, slog.New(slog.DiscardHandler), r); err != nil {
		t.Fatal(err)
	}
	return r.metrics
}

func consulMetrics(t *testing.T) []metric {
	t.Helper()
	r := &recorder{}
	registry, err := consul.New(consul.DefaultOptions(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer registry.Close()
	return r.metrics
}

func configMetrics(t *testing.T) []metric {
	t.Helper()
	r := &recorder{}
	if _, err := config.NewMetrics(r); err != nil {
		t.Fatal(err)
	}
	return r.metrics
}

func shadowMetrics(t *testing.T) []metric {
	t.Helper()
	o := mirror.DefaultOptions()
	o.Target = "127.0.0.1:2"
	topology, err := router.Even("docs", 1, []router.Node{{ID: "n0", Addr: "127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := mirror.New(o, fixed{topology}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	if err := r.Register(m); err != nil {
		t.Fatal(err)
	}
	return r.metrics
}

func nodeMetrics(t *testing.T) []metric {
	t.Helper()
	r := &recorder{}
	if _, err := engine.New(engine.DefaultOptions(), slog.New(slog.DiscardHandler), r); err != nil {
		t.Fatal(err)
	}
	return r.metrics
}

func hostMetrics(t *testing.T) []metric {
	t.Helper()
	r := &recorder{}
	h, err := host.New(host.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.Register(r), (&host.Announcement{}).Register(r)); err != nil {
		t.Fatal(err)
	}
	return r.metrics
}

func fleetMetrics(t *testing.T) []metric {
	t.Helper()
	r := &recorder{}
	if _, err := fleet.NewMetrics(r); err != nil {
		t.Fatal(err)
	}
	return r.metrics
}

func controlMetrics(t *testing.T) []metric {
	t.Helper()
	r := &recorder{}
	if _, err := control.NewMetrics(r, time.Now); err != nil {
		t.Fatal(err)
	}
	return r.metrics
}
