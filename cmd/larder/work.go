package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"larder/control/api/client"
	"larder/control/controller"
)

const (
	awayMax   = 30 * time.Second // an appliance may not answer while its work is watched: another controller may be taking over
	answerMax = 10 * time.Second // and that long a single answer may take, or it is none: where all packets are lost nothing says so
)

// asks makes a command that asks the appliance and no cluster in particular.
func (o *operator) asks(use, short, long string, args cobra.PositionalArgs, run func(cmd *cobra.Command, c *client.Client, args []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: long, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := o.find()
			if err != nil {
				return err
			}
			return run(cmd, c, args)
		},
	}
}

// group makes a command that only has others below it.
func (o *operator) group(use, short, long, example string, below ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	o.reach(cmd)
	cmd.AddCommand(below...)
	return cmd
}

// work is how a command deals with what takes long.
type work struct {
	*operator
	begin bool // and not wait for its end
}

func (w *work) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&w.begin, "no-wait", false, "return when it is begun: larder cluster tasks shows how far it is")
}

// follow shows a fleet's task until it is over, and then says what text says. The work is the appliance's: who stops watching stops nothing.
func (w *work) follow(cmd *cobra.Command, c *client.Client, task controller.Task, text func(out io.Writer) error) error {
	var err error
	if !w.begin {
		task, err = w.watch(cmd, c, task)
	}
	switch {
	case w.json:
		return firstOf(printJSON(cmd.OutOrStdout(), task), err)
	case err != nil:
		return err
	case w.begin:
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "task %s is begun: %s of %s\n", task.ID, task.Kind, of(task))
		return err
	}
	return text(cmd.OutOrStdout())
}

// of is what a task is about.
func of(t controller.Task) string {
	if t.Subject != "" {
		return t.Subject
	}
	return t.Cluster
}

func (w *work) watch(cmd *cobra.Command, c *client.Client, task controller.Task) (controller.Task, error) {
	ctx := cmd.Context()
	bar := w.bar(cmd, int64(task.Total))
	defer bar.Clear()
	told, heard := "", time.Now()
	for task.State == controller.TaskRunning {
		next, err := answered(ctx, lookEvery+answerMax, func(ctx context.Context) (controller.Task, error) { return c.FleetTask(ctx, task.ID, lookEvery) })
		switch {
		case ctx.Err() != nil:
			return task, fmt.Errorf("nobody watches any more, and the work goes on in the appliance: %s of %s; larder cluster tasks shows it", task.Kind, of(task))
		case err == nil:
			task, heard = next, time.Now()
		case !passing(err) || time.Since(heard) > awayMax:
			return task, fmt.Errorf("%w; if the appliance runs, the work goes on there: larder cluster tasks shows it", err)
		default:
			_ = pause(ctx, lookEvery) // if ctx ends, the next answer is that
			continue
		}
		if task.Waits != told && task.State == controller.TaskRunning {
			if told = task.Waits; told != "" && !w.json {
				bar.Clear()
				fmt.Fprintln(cmd.ErrOrStderr(), "larder: it waits:", told)
			}
		}
		bar.Of(int64(task.Total), "nodes")
		bar.Show(int64(task.Done))
	}
	if task.State != controller.TaskDone {
		return task, fmt.Errorf("%s of %s has failed: %s", task.Kind, of(task), task.Waits)
	}
	return task, nil
}

// answered asks once more while something is watched, and gives it up when the answer is late.
func answered[T any](ctx context.Context, within time.Duration, ask func(ctx context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return ask(ctx)
}

// passing tells whether it may be well to ask again: nobody has answered, or not in time, or one who does not know now.
func passing(err error) bool {
	answer := (*client.Error)(nil)
	const unavailable = 503
	return !errors.As(err, &answer) || answer.Status == unavailable
}

// table prints rows under a head, or JSON.
func (o *operator) table(cmd *cobra.Command, answer any, empty, head string, rows func(row func(format string, args ...any))) error {
	if o.json {
		return printJSON(cmd.OutOrStdout(), answer)
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	written := false
	rows(func(format string, args ...any) {
		if !written {
			fmt.Fprintln(w, head)
		}
		written = true
		fmt.Fprintf(w, format+"\n", args...)
	})
	if !written {
		fmt.Fprintln(w, empty)
	}
	return w.Flush()
}

// dash stands in tables where there is nothing.
func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func (o *operator) fleetTasks(cmd *cobra.Command, c *client.Client, _ []string) error {
	list, err := c.FleetTasks(cmd.Context())
	if err != nil {
		return err
	}
	return o.table(cmd, list, "nothing was asked for yet", "TASK\tKIND\tOF\tSTATE\tBEGAN (UTC)\tNODES\tWAITS", func(row func(string, ...any)) {
		for _, t := range list {
			row("%s\t%s\t%s\t%s\t%s\t%d/%d\t%s", t.ID, t.Kind, of(t), t.State, t.Began.UTC().Format(time.DateTime), t.Done, t.Total, t.Waits)
		}
	})
}
