package metrics_test

import (
	"slices"
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

// What was refused is answered and failed, but took no time.
func TestRefuse(t *testing.T) {
	c, o := metrics.NewCommands(), metrics.NewCommands()
	id := int(command.CmdGet)
	c.Ran(command.CmdGet, 2, 1000)
	c.Refuse(command.CmdGet)
	o.Set(&c)
	o.Add(&c)
	o.Take(&c)
	for _, c := range []*metrics.Commands{&c, &o} {
		if c.Calls(id) != 3 || c.Refused(id) != 1 || c.Failed(id) != 1 || c.Times(id).Count() != 2 || c.NS(id) != 2000 {
			t.Errorf("%d calls, %d refused, %d failed, %d timed, %d ns", c.Calls(id), c.Refused(id), c.Failed(id), c.Times(id).Count(), c.NS(id))
		}
	}
}

func TestPercentile(t *testing.T) {
	var none metrics.Times
	if got := none.Percentile(50); got != 0 {
		t.Errorf("of none: %v", got)
	}
	c := metrics.NewCommands()
	c.Ran(command.CmdGet, 4, 0)
	c.Ran(command.CmdGet, 4, 300)
	c.Ran(command.CmdGet, 2, 1<<62)
	for percent, want := range map[float64]float64{0: 0, 20: 64, 40: 128, 50: 320, 80: 512, 90: 1.5 * 128 * (1 << 26), 100: 128 * (1 << 27)} {
		if got := c.Times(int(command.CmdGet)).Percentile(percent); got != want {
			t.Errorf("%v: %v, want %v", percent, got, want)
		}
	}
}

// The bounds are those that a real server's LATENCY HISTOGRAM shows.
func TestEach(t *testing.T) {
	c := metrics.NewCommands()
	for exponent := range 63 {
		c.Ran(command.CmdGet, 1, 1<<exponent)
	}
	var bounds, counts []uint64
	c.Times(int(command.CmdGet)).Each(func(us, n uint64) { bounds, counts = append(bounds, us), append(counts, n) })
	want := []uint64{
		1, 2, 4, 8, 16, 33, 66, 132, 264, 528, 1056, 2113, 4227, 8454, 16908, 33816, 67633, 135266, 270532, 541065, 1082130,
	}
	if !slices.Equal(bounds, want) || counts[0] != 10 || counts[1] != 11 || counts[len(counts)-1] != 63 {
		t.Errorf("%d %d", bounds, counts)
	}
	less := c.Times(int(command.CmdGet)).Less(c.Times(int(command.CmdGet)))
	less.Each(func(us, n uint64) { t.Errorf("of none: %d %d", us, n) })
}
