package slow

import (
	"fmt"
	"strings"

	"larder/metrics"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// WriteHistogram answers LATENCY HISTOGRAM, of the commands named in args, of a container those of its subcommands, or of all that ran; times are those of a
// command.
func WriteHistogram(w *resp.Writer, args [][]byte, times func(command.ID) metrics.Times) {
	rows := command.Rows()
	if len(args) > 2 {
		rows = nil
		for _, name := range args[2:] {
			rows = append(rows, command.Named(name)...)
		}
	}
	var ran []*command.Row
	var took []metrics.Times
	for _, row := range rows {
		if t := times(row.ID); t.Count() > 0 {
			ran, took = append(ran, row), append(took, t)
		}
	}
	w.Map(len(ran))
	for i, row := range ran {
		w.Bulk(row.Name)
		w.Map(2)
		w.Bulk("calls")
		w.Int(int64(took[i].Count()))
		w.Bulk("histogram_usec")
		var bounds []int64
		took[i].Each(func(us, n uint64) { bounds = append(bounds, int64(us), int64(n)) })
		w.Map(len(bounds) / 2)
		for _, n := range bounds {
			w.Int(n)
		}
	}
}

// AppendInfo writes INFO's section of the percentiles.
func (s *Settings) AppendInfo(b *strings.Builder, times func(command.ID) metrics.Times) {
	if !s.Tracking {
		return
	}
	for _, row := range command.Rows() {
		t := times(row.ID)
		if t.Count() == 0 {
			continue
		}
		fields := make([]string, len(s.Percentiles))
		for i, percent := range s.Percentiles {
			fields[i] = fmt.Sprintf("p%s=%.3f", percentText(percent), t.Percentile(percent)/1000)
		}
		fmt.Fprintf(b, "latency_percentiles_usec_%s:%s\r\n", row.Name, strings.Join(fields, ","))
	}
}
