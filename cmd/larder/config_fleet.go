package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"larder/control/api"
	"larder/control/api/client"
	"larder/control/config"
)

// takenWithin is how long who has changed settings waits for the gateways to say that they have them.
const (
	takenWithin = 5 * time.Second
	takenLook   = 50 * time.Millisecond
)

func configGet() *cobra.Command {
	o := &operator{}
	cmd := o.asks("get [KEY...]", "Show the gateways' settings, and where each value comes from",
		"Shows the value of each setting that the registry may say, of those keys or of all: what holds, whether a flag, the environment or a file of a gateway, the registry or the default says so, and at which gateways. "+
			"A flag goes before the registry, that before the environment, that before the file.",
		cobra.ArbitraryArgs, func(cmd *cobra.Command, c *client.Client, keys []string) error {
			s, err := c.Config(cmd.Context())
			if err != nil {
				return err
			}
			for _, key := range keys {
				if !slices.ContainsFunc(s.Settings, func(s config.Setting) bool { return s.Key == key }) {
					return fmt.Errorf("%s is none of the settings that the registry may say; larder config --explain %s tells whether there is such a setting", key, key)
				}
			}
			s.Effective = slices.DeleteFunc(s.Effective, func(e config.Effective) bool { return len(keys) > 0 && !slices.Contains(keys, e.Key) })
			return o.showConfig(cmd, s)
		})
	o.reach(cmd)
	return cmd
}

func (o *operator) showConfig(cmd *cobra.Command, s config.State) error {
	err := o.table(cmd, s, "", "KEY\tVALUE\tFROM\tGATEWAYS", func(row func(string, ...any)) {
		for _, e := range s.Effective {
			where := "all"
			if len(e.Where) < len(s.Running) {
				where = strings.Join(e.Where, ", ")
			}
			if e.Waits {
				where += " (at the next start)"
			}
			row("%s\t%s\t%s\t%s", e.Key, dash(e.Value), e.From, where)
		}
	})
	if err != nil || o.json {
		return err
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "\nThe registry has version %d.\n", s.Present.Version)
	if s.Present.Refused != "" {
		fmt.Fprintf(out, "It is refused, and the last good version stays: %s\n", s.Present.Refused)
	}
	for _, r := range s.Running {
		fmt.Fprintf(out, "  %s runs version %d\n", r.ID, r.Version)
		if r.Refused != nil {
			fmt.Fprintf(out, "    and refuses version %d: %s\n", r.Refused.Version, r.Refused.Error)
		}
	}
	return nil
}

func configSet() *cobra.Command {
	o, want, version := &operator{}, config.Edit{}, uint64(0)
	cmd := o.asks("set KEY=VALUE...", "Change settings of all gateways while they run",
		"Writes settings into the registry, all of them or none; the gateways take them over within a second, and no connection ends but those that a new access.allow no longer lets in. "+
			"What is wrong is refused, and so is what a gateway can only be told at its start: its addresses, passwords and users. gateway.loops and gateway.databases wait for each gateway's next start.",
		cobra.ArbitraryArgs, func(cmd *cobra.Command, c *client.Client, args []string) error {
			if cmd.Flags().Changed("if") {
				want.If = &version
			}
			var err error
			if want.Set, err = pairs(args); err != nil {
				return err
			}
			if len(want.Set)+len(want.Unset) == 0 {
				return errors.New("nothing is to be changed: say KEY=VALUE, or --unset KEY")
			}
			want.By = whoAsks()
			v, err := c.ChangeConfig(cmd.Context(), want)
			if err != nil {
				return err
			}
			return o.taken(cmd, c, v)
		})
	cmd.Example = "  larder config set gateway.idle-timeout=5m access.allow=10.0.0.0/8,192.168.0.0/16\n  larder config set --unset gateway.idle-timeout\n  larder config set gateway.pending-max=64 --if 42"
	cmd.Flags().StringArrayVar(&want.Unset, "unset", nil, "take a `KEY` out of the registry, so that what each gateway was told otherwise counts; may be given again")
	cmd.Flags().Uint64Var(&version, "if", 0, "only if the registry has this `VERSION`")
	o.reach(cmd)
	return cmd
}

// pairs reads KEY=VALUE..., or KEY VALUE.
func pairs(args []string) (config.Values, error) {
	if len(args) == 2 && !strings.Contains(args[0], "=") {
		return config.Values{args[0]: args[1]}, nil
	}
	values := config.Values{}
	for _, arg := range args {
		key, value, found := strings.Cut(arg, "=")
		if !found {
			return nil, fmt.Errorf("%q: must be KEY=VALUE", arg)
		}
		if _, twice := values[key]; twice {
			return nil, fmt.Errorf("%s: given twice", key)
		}
		values[key] = value
	}
	return values, nil
}

// whoAsks is who does so, for the history.
func whoAsks() string {
	name := "somebody"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		return name
	}
	return name + "@" + host
}

// taken waits until each gateway has said what it does with a version, and tells it.
func (o *operator) taken(cmd *cobra.Command, c *client.Client, v config.Version) error {
	running, err := whoRuns(cmd.Context(), c, v)
	out, refusing := cmd.OutOrStdout(), 0
	if o.json {
		out = io.Discard
		if wrong := printJSON(cmd.OutOrStdout(), v); wrong != nil {
			return wrong
		}
	}
	if err != nil {
		return fmt.Errorf("version %d is written, and which gateways run it is not known: %w; larder config get shows it", v.Version, err)
	}
	fmt.Fprintf(out, "version %d\n", v.Version)
	for _, r := range running {
		fmt.Fprintf(out, "  %s %s\n", r.ID, does(r, v))
		if declines(r, v) {
			refusing++
		}
	}
	if refusing > 0 {
		return fmt.Errorf("%d of %d gateways refuse version %d; larder config rollback goes back", refusing, len(running), v.Version)
	}
	return nil
}

// whoRuns waits until no gateway is behind a version, for a while, and gives what they said last; an error if that is nothing.
func whoRuns(ctx context.Context, c *client.Client, v config.Version) ([]config.Running, error) {
	ctx, cancel := context.WithTimeout(ctx, takenWithin)
	defer cancel()
	behind := func(r config.Running) bool {
		return r.Version < v.Version && (r.Refused == nil || r.Refused.Version < v.Version)
	}
	var running []config.Running
	var failed error
	known := false
	for {
		s, err := c.Config(ctx)
		switch {
		case err == nil:
			running, known = s.Running, true
			if !slices.ContainsFunc(running, behind) {
				return running, nil
			}
		case ctx.Err() == nil || failed == nil: // the end of the time is no reason if there is another
			failed = err
		}
		if err != nil && !passing(err) || pause(ctx, takenLook) != nil {
			break
		}
	}
	if known {
		return running, nil
	}
	return nil, failed
}

// declines tells whether a gateway has said that it does not take a version. One that has got a newer one by then is past it.
func declines(r config.Running, v config.Version) bool {
	return r.Version < v.Version && r.Refused != nil && r.Refused.Version == v.Version
}

// does is what a gateway does with a version.
func does(r config.Running, v config.Version) string {
	switch {
	case declines(r, v):
		return fmt.Sprintf("refuses it and runs version %d on: %s", r.Version, r.Refused.Error)
	case r.Version > v.Version:
		return fmt.Sprintf("runs version %d, which somebody has written meanwhile", r.Version)
	case r.Version == v.Version:
		return "runs it" + exceptions(r, v)
	case r.Refused != nil && r.Refused.Version > v.Version:
		return fmt.Sprintf("runs version %d on, and refuses version %d, which somebody has written meanwhile: %s", r.Version, r.Refused.Version, r.Refused.Error)
	}
	return "has not said that it runs it"
}

// exceptions are the settings of a version that a gateway does not have, or not yet.
func exceptions(r config.Running, v config.Version) string {
	text := ""
	for _, key := range r.Waiting {
		text += "; " + key + " at its next start"
	}
	for _, key := range slices.Sorted(maps.Keys(r.Own)) {
		own := r.Own[key]
		if _, set := v.Values[key]; set && own.First {
			text += "; but " + key + " is " + own.Value + " there by " + own.Source + " on its command line, which goes first"
		}
	}
	return text
}

func configHistory() *cobra.Command {
	o := &operator{}
	cmd := o.asks("history", "List the last versions of the gateways' settings", "Lists the last "+strconv.Itoa(config.HistoryMax)+" versions, the newest first, with who wrote them and what each changed.", cobra.NoArgs,
		func(cmd *cobra.Command, c *client.Client, _ []string) error {
			h, err := c.ConfigHistory(cmd.Context())
			if err != nil {
				return err
			}
			return o.table(cmd, h, "nothing was set yet", "VERSION\tAT (UTC)\tBY\tWHAT", func(row func(string, ...any)) {
				for i, v := range h.Versions {
					row("%d\t%s\t%s\t%s", v.Version, v.At.UTC().Format(time.DateTime), dash(v.By), whatChanged(h.Versions, i))
				}
			})
		})
	o.reach(cmd)
	return cmd
}

// whatChanged is what a version of a list did to the last good one before it.
func whatChanged(all []config.Version, i int) string {
	v := all[i]
	if v.Refused != "" {
		return "refused: " + strings.ReplaceAll(v.Refused, "\n", "; ")
	}
	was := config.Values{}
	for _, before := range all[i+1:] {
		if before.Refused == "" {
			was = before.Values
			break
		}
	}
	var words []string
	if v.Note != "" {
		words = append(words, v.Note)
	}
	for _, d := range config.Compare(was, v.Values) {
		if d.Is == nil {
			words = append(words, d.Key+" unset")
		} else {
			words = append(words, d.Key+"="+*d.Is)
		}
	}
	return dash(strings.Join(words, ", "))
}

func configDiff() *cobra.Command {
	o := &operator{}
	cmd := o.asks("diff [VERSION [VERSION]]", "Show what versions of the gateways' settings say differently",
		"Shows what the last version changed, what has changed since a version, or what two versions say differently. Version 0 is before the first: nothing was set.",
		cobra.MaximumNArgs(2), func(cmd *cobra.Command, c *client.Client, args []string) error {
			h, err := c.ConfigHistory(cmd.Context())
			if err != nil {
				return err
			}
			was, is, err := chosen(h, args)
			if err != nil {
				return err
			}
			differences := config.Compare(was, is)
			return o.table(cmd, differences, "no difference", "KEY\tWAS\tIS", func(row func(string, ...any)) {
				for _, d := range differences {
					row("%s\t%s\t%s", d.Key, orUnset(d.Was), orUnset(d.Is))
				}
			})
		})
	o.reach(cmd)
	return cmd
}

func orUnset(value *string) string {
	if value == nil {
		return "(not set)"
	}
	return dash(*value)
}

// chosen are the two versions that are compared.
func chosen(h api.History, args []string) (was, is config.Values, err error) {
	numbers := []uint64{0, 0}
	good := slices.DeleteFunc(slices.Clone(h.Versions), func(v config.Version) bool { return v.Refused != "" })
	if len(good) > 0 {
		numbers[1] = good[0].Version
	}
	if len(good) > 1 {
		numbers[0] = good[1].Version
	}
	for i, arg := range args {
		if numbers[i], err = strconv.ParseUint(arg, 10, 64); err != nil {
			return nil, nil, fmt.Errorf("%q: must be the number of a version, as larder config history shows them", arg)
		}
	}
	found := []config.Values{{}, {}}
	for i, n := range numbers {
		at := slices.IndexFunc(h.Versions, func(v config.Version) bool { return v.Version == n })
		switch {
		case n == 0:
		case at < 0:
			return nil, nil, fmt.Errorf("there is no version %d; larder config history shows those that there are", n)
		case h.Versions[at].Refused != "":
			return nil, nil, fmt.Errorf("version %d was refused and has no settings: %s", n, h.Versions[at].Refused)
		default:
			found[i] = h.Versions[at].Values
		}
	}
	return found[0], found[1], nil
}

func configRollback() *cobra.Command {
	o := &operator{}
	cmd := o.asks("rollback VERSION", "Write an earlier version of the gateways' settings anew",
		"Writes what an earlier version said as a new version, which the gateways take over within a second. Version 0 is before the first: nothing is set.",
		cobra.ExactArgs(1), func(cmd *cobra.Command, c *client.Client, args []string) error {
			to, err := strconv.ParseUint(args[0], 10, 64)
			if err != nil {
				return fmt.Errorf("%q: must be the number of a version, as larder config history shows them", args[0])
			}
			v, err := c.RollbackConfig(cmd.Context(), api.Rollback{To: to, By: whoAsks()})
			if err != nil {
				return err
			}
			return o.taken(cmd, c, v)
		})
	o.reach(cmd)
	return cmd
}
