package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"larder/control/api"
	"larder/control/api/client"
)

// eventsEvery is how often who follows events asks for new ones.
const eventsEvery = time.Second

func eventsCommand() *cobra.Command {
	o, follow := &operator{}, false
	cmd := o.asks("events", "List what has happened", "Lists what was reported lately of clusters, nodes, hosts and snapshots, the oldest first.", cobra.NoArgs,
		func(cmd *cobra.Command, c *client.Client, _ []string) error {
			list, err := o.lately(cmd.Context(), c)
			switch {
			case err != nil:
				return err
			case follow:
				return o.followEvents(cmd, c, list)
			}
			return o.table(cmd, list, "nothing has happened", "AT (UTC)\tEVENT\tCLUSTER\tWHAT", func(row func(string, ...any)) {
				for _, e := range list {
					row("%s\t%s\t%s\t%s", e.At.UTC().Format(time.DateTime), e.Kind, dash(e.Cluster), e.Text)
				}
			})
		})
	o.flags(cmd)
	cmd.Flags().BoolVar(&follow, "follow", false, "go on, and print what happens; with --json an event a line")
	return cmd
}

// lately are the events that were asked for.
func (o *operator) lately(ctx context.Context, c *client.Client) ([]api.Event, error) {
	if o.cluster != "" {
		return c.Events(ctx, o.cluster)
	}
	return c.AllEvents(ctx, time.Time{})
}

// followEvents prints events as they come, until it is interrupted. One that is late, from another process's clock, is printed late. While nobody answers it waits.
func (o *operator) followEvents(cmd *cobra.Command, c *client.Client, list []api.Event) error {
	ctx, printed := cmd.Context(), []api.Event{}
	heard := time.Now()
	for ctx.Err() == nil {
		for _, e := range list {
			known := func(p api.Event) bool { return p.At.Equal(e.At) && p.Kind == e.Kind && p.Text == e.Text }
			if slices.ContainsFunc(printed, known) {
				continue
			}
			if err := o.printEvent(cmd, e); err != nil {
				return err
			}
		}
		printed = list
		_ = pause(ctx, eventsEvery) // if ctx ends, the loop does
		next, err := answered(ctx, answerMax, func(ctx context.Context) ([]api.Event, error) { return o.lately(ctx, c) })
		switch {
		case err == nil:
			list, heard = next, time.Now()
		case ctx.Err() == nil && (!passing(err) || time.Since(heard) > awayMax):
			return err
		}
	}
	return nil
}

func (o *operator) printEvent(cmd *cobra.Command, e api.Event) (err error) {
	if o.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(e)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s  %-16s %s\n", e.At.UTC().Format(time.DateTime), e.Kind, e.Text)
	return err
}
