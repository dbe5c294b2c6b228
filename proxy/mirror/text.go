package mirror

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// Line is the report in a line.
func (r *Report) Line() string {
	all := r.Commands[0]
	line := fmt.Sprintf("mirrored %d, compared %d, differences %d (in doubt %d), not comparable %d, dropped %d, missed %d; p50/p99 source %s/%s, shadow %s/%s; memory %s, %s",
		r.Mirrored, r.Compared, r.Confirmed, r.InDoubt, r.Unknown+r.Blind, r.Dropped, r.Missed, took(all.SourceP50), took(all.SourceP99), took(all.ShadowP50), took(all.ShadowP99),
		mib(r.SourceSide.Memory), mib(r.ShadowSide.Memory))
	if r.Away {
		line += "; the shadow is out of reach"
	}
	return line
}

func took(d time.Duration) string {
	const three = 1000
	switch {
	case d < 10*time.Microsecond:
		return d.Round(10 * time.Nanosecond).String()
	case d < 10*time.Millisecond:
		return d.Round(time.Microsecond).String()
	}
	return d.Round(max(d/three, time.Millisecond)).String()
}

func mib(bytes int64) string {
	const unit = 1 << 20
	return fmt.Sprintf("%.1f MiB", float64(bytes)/unit)
}

// Write writes the report for people.
func (r *Report) Write(w io.Writer) error {
	fmt.Fprintf(w, "Since %s, %.4g%% of the keys\n\n", r.Since.Format(time.DateTime), 100*r.Share)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name string, n any, note string) { fmt.Fprintf(t, "%s\t%v\t%s\n", name, n, note) }
	row("mirrored", r.Mirrored, "commands that the shadow has answered")
	row("compared", r.Compared, "replies")
	row("  differing", r.Differing, "of which both sides were asked again, in a quiet moment:")
	row("    confirmed", r.Confirmed, "differences (below), those by refused commands included")
	row("    passing", r.Passing, "were the same then")
	row("    undecided", r.Undecided+r.Unchecked, "the key was never quiet, was written anew, or there were too many at once")
	row("    evicted", r.Evicted, "missing on a side that has evicted keys")
	row("    in doubt", r.InDoubt, "are still to be asked for, or are being learned")
	row("not compared", r.Unknown+r.Blind, fmt.Sprintf("%d of keys that are not known to be the same on both sides, %d that depend on chance, time or the server", r.Unknown, r.Blind))
	row("not mirrored", r.Dropped+r.Missed+r.Halves, fmt.Sprintf("%d for want of room, %d while the shadow was out of reach, %d with keys in and out of the share", r.Dropped, r.Missed, r.Halves))
	row("refused", r.Refused, "the shadow could not do them then (LOADING, OOM, CLUSTERDOWN and the like)")
	if r.Trouble != "" {
		row("  lastly", r.Trouble, "")
	}
	row("raced", r.Raced, "writes by several connections at the same time, whose order is not known")
	if r.Away {
		row("away", "yes", "the shadow is out of reach now")
	}
	fmt.Fprintf(t, "\n\tSOURCE\tSHADOW\n")
	a, b := r.SourceSide, r.ShadowSide
	fmt.Fprintf(t, "keys\t%d\t%d\nmemory used\t%s\t%s\nresident\t%s\t%s\nevicted\t%d\t%d\n", a.Keys, b.Keys, mib(a.Memory), mib(b.Memory), mib(a.RSS), mib(b.RSS), a.Evicted, b.Evicted)
	if a.Error+b.Error != "" {
		fmt.Fprintf(t, "error\t%s\t%s\n", a.Error, b.Error)
	}
	fmt.Fprintf(t, "\nCOMMAND\tMIRRORED\tCOMPARED\tDIFFERING\tSOURCE P50\tP99\tSHADOW P50\tP99\n")
	for _, c := range r.Commands {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%s\t%s\t%s\t%s\n", c.Command, c.Mirrored, c.Compared, c.Differing, took(c.SourceP50), took(c.SourceP99), took(c.ShadowP50), took(c.ShadowP99))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return r.writeFound(w)
}

func (r *Report) writeFound(w io.Writer) error {
	if len(r.Found) == 0 {
		_, err := fmt.Fprintln(w, "\nno difference was found")
		return err
	}
	fmt.Fprintf(w, "\n%d differences:\n", len(r.Found))
	for i := range r.Found {
		d := &r.Found[i]
		fmt.Fprintf(w, "\n%s: key %q of database %d, %d times, last at %s\n  said     %s\n  source   %s\n  shadow   %s\n", d.Kind, d.Key, d.DB, d.Times, d.At.Format(time.DateTime), d.Command, d.Source, d.Shadow)
		if d.SourceNow != "" || d.ShadowNow != "" {
			fmt.Fprintf(w, "  source has %s\n  shadow has %s\n", d.SourceNow, d.ShadowNow)
		}
	}
	return nil
}
