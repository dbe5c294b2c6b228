package metrics_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"larder/metrics"
	"larder/protocol/command"
)

type collector struct {
	family  metrics.Family
	count   *metrics.Commands
	numbers []metrics.Number
}

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	c.family.Describe(ch)
	metrics.Describe(ch, c.numbers)
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	c.family.Collect(ch, c.count)
	metrics.Collect(ch, c.numbers)
}

func TestCollect(t *testing.T) {
	count := metrics.NewCommands()
	count.Ran(command.CmdGet, 3, 127)
	count.Ran(command.CmdGet, 1, 256)
	count.Ran(command.CmdGet, 1, 1<<62)
	count.Fail(command.CmdGet)
	count.Ran(0, 1, 0)
	clients, closed := uint64(7), uint64(9)
	c := collector{
		metrics.NewFamily("x", "Time."), &count,
		[]metrics.Number{{Value: &clients, Gauge: true, Name: "x_clients", Help: "C."}, {Value: &closed, Name: "x_closed_total", Help: "D."}},
	}
	if err := testutil.CollectAndCompare(c, strings.NewReader(`
# HELP x_clients C.
# TYPE x_clients gauge
x_clients 7
# HELP x_closed_total D.
# TYPE x_closed_total counter
x_closed_total 9
# HELP x_commands_total Commands answered, by name and outcome.
# TYPE x_commands_total counter
x_commands_total{command="get",outcome="error"} 1
x_commands_total{command="get",outcome="ok"} 4
x_commands_total{command="unknown",outcome="error"} 0
x_commands_total{command="unknown",outcome="ok"} 1
`), "x_clients", "x_closed_total", "x_commands_total"); err != nil {
		t.Error(err)
	}
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(c)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "x_command_seconds" {
			continue
		}
		h := f.GetMetric()[0].GetHistogram() // of get
		b := h.GetBucket()
		if h.GetSampleCount() != 5 || b[0].GetCumulativeCount() != 3 || b[1].GetCumulativeCount() != 3 || b[2].GetCumulativeCount() != 4 || b[len(b)-1].GetCumulativeCount() != 4 {
			t.Errorf("%v", h)
		}
	}
}

func TestAddAndTake(t *testing.T) {
	a, b, sum := metrics.NewCommands(), metrics.NewCommands(), metrics.NewCommands()
	a.Ran(command.CmdGet, 2, 1000)
	b.Ran(command.CmdGet, 1, 10)
	b.Ran(command.CmdSet, 1, 10)
	b.Fail(command.CmdSet)
	sum.Set(&a)
	sum.Add(&b)
	if calls, failed := sum.Total(); calls != 4 || failed != 1 || sum.NS(int(command.CmdGet)) != 2010 {
		t.Errorf("the sum is %d, %d", calls, failed)
	}
	sum.Take(&a)
	if calls, failed := sum.Total(); calls != 2 || failed != 1 || sum.Failed(int(command.CmdSet)) != 1 || sum.NS(int(command.CmdGet)) != 10 {
		t.Errorf("the rest is %d, %d", calls, failed)
	}
	if calls, _ := a.Total(); calls != 2 {
		t.Error("they share something")
	}
}
