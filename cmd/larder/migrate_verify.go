package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"larder/backends/remote"
	"larder/cmd/app"
	"larder/control/compare"
)

const (
	fromPasswordVariable = "LARDER_FROM_PASSWORD"
	toPasswordVariable   = "LARDER_TO_PASSWORD"
)

// verification is larder migrate verify.
type verification struct {
	*operator
	from, to string
	sample   int64
	rate     int
}

func (o *operator) verifyMigrationCommand() *cobra.Command {
	v := &verification{operator: o}
	cmd := &cobra.Command{
		Use:   "verify --from SOURCE",
		Short: "Compare a server's data with a cluster's",
		Long: "Reads all keys of both sides, or a sample, and compares types, values and expiries, in whatever form either keeps them. Keys that change meanwhile are read again, and told as\n" +
			"changing if they come to no rest. It writes nothing. Exit code 0: no difference was found.\n\n" + addressHelp + fromPasswordVariable + " and " + toPasswordVariable + ".",
		Example: "  larder migrate verify --from redis://old-cache:6379\n  larder migrate verify --from redis+cluster://a:7000,b:7000 --to redis://larder:6379 --sample 100000",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return v.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&v.from, "from", "", "the `SERVER` that was migrated from")
	f.StringVar(&v.to, "to", "", "the `SERVER` it is compared with; else the endpoint of the appliance that runs on --dir or at --api")
	f.Int64Var(&v.sample, "sample", 0, "how many `KEYS`, about, are compared; 0 = all")
	f.IntVar(&v.rate, "rate", 0, "how many `KEYS` a second are read at most; 0 = as many as there can be")
	return cmd
}

func (v *verification) run(cmd *cobra.Command) error {
	switch {
	case v.from == "":
		return errors.New("say which server was migrated from: --from redis://HOST:PORT")
	case v.sample < 0 || v.rate < 0:
		return errors.New("--sample and --rate are numbers from 0 on")
	}
	source, err := serverOf("--from", v.from, fromPasswordVariable)
	if err != nil {
		return err
	}
	target, err := v.target(cmd.Context())
	if err != nil {
		return err
	}
	bar := app.NewBar(cmd.ErrOrStderr(), 0)
	defer bar.Clear()
	report, err := compare.Run(cmd.Context(), compare.Options{
		Source: source, Target: target, Sample: v.sample, Seed: uint64(time.Now().UnixNano()), Rate: v.rate, Now: time.Now, Sleep: pause,
		Progress: func(done, total int64) {
			bar.Of(total, "keys")
			bar.Show(done)
		},
	})
	bar.Clear()
	if cmd.Context().Err() != nil {
		err = fmt.Errorf("stopped when %d keys of both sides were looked through: %s", report.Seen, found(report))
	}
	if v.json {
		return firstOf(printJSON(cmd.OutOrStdout(), report), err, verdict(report))
	}
	if err != nil && report.Seen == 0 {
		return err
	}
	return firstOf(printComparison(cmd.OutOrStdout(), report), err, verdict(report))
}

// firstOf is the first of them that is an error.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// target is what --to says, or the endpoint of the appliance.
func (v *verification) target(ctx context.Context) (remote.Address, error) {
	text := v.to
	if text == "" {
		c, cluster, err := v.connect(ctx)
		if err != nil {
			return remote.Address{}, err
		}
		told, err := c.Cluster(ctx, cluster)
		if err != nil {
			return remote.Address{}, err
		}
		text = "redis://" + told.Endpoint
	}
	return serverOf("--to", text, toPasswordVariable)
}

// verdict is an error if the sides differ.
func verdict(r *compare.Report) error {
	if r.Equal {
		return nil
	}
	return errors.New("source and target differ: " + found(r))
}

// found says in one line what was found so far.
func found(r *compare.Report) string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(r.Counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", r.Counts[what], what))
	}
	if len(parts) == 0 {
		return "no difference was found"
	}
	return strings.Join(parts, ", ")
}

func printComparison(out io.Writer, r *compare.Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "source\t%s\ntarget\t%s\n\nDATABASE\tKEYS\tAT THE TARGET\tEXPIRING\tAT THE TARGET\tREAD\n", r.Source, r.Target)
	for _, d := range r.Databases {
		name := fmt.Sprint(d.DB)
		if d.TargetDB != d.DB {
			name += fmt.Sprint(" and ", d.TargetDB)
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%s\n", name, d.Source.Keys, d.Target.Keys, d.Source.Expiring, d.Target.Expiring, kinds(d.Source.Types))
	}
	if len(r.First) > 0 {
		fmt.Fprint(w, "\nDATABASE\tKEY\tWHAT\tSOURCE\tTARGET\n")
	}
	for _, d := range r.First {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", d.DB, named(d), d.What, d.Source, d.Target)
	}
	if more := r.Differences() + r.Changing - int64(len(r.First)); more > 0 {
		fmt.Fprintf(w, "and %d more\n", more)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d keys are the same on both sides, with their values and expiries; %s\n", r.Alike, r.Took.Round(time.Millisecond))
	if r.Sample > 0 {
		fmt.Fprintf(out, "only a sample of %d keys was compared\n", r.Sample)
	}
	if r.Changing > 0 {
		fmt.Fprintf(out, "%d keys changed each time they were read, and are not judged\n", r.Changing)
	}
	for _, note := range r.Notes {
		fmt.Fprintln(out, note)
	}
	return nil
}

// keyShown is how much of a key's name is printed, bytes.
const keyShown = 60

func named(d compare.Difference) string {
	name := d.Key
	switch {
	case d.Function != "":
		return "function library " + d.Function
	case d.KeyHex != "":
		name = "0x" + d.KeyHex
	}
	if len(name) > keyShown {
		name = name[:keyShown] + "…"
	}
	return name
}

func kinds(types map[string]int64) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(types)) {
		parts = append(parts, fmt.Sprintf("%d %s", types[kind], kind))
	}
	return strings.Join(parts, ", ")
}
