package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"larder/control"
	"larder/control/api/client"
)

func (o *operator) events(cmd *cobra.Command, c *client.Client, cluster string, _ []string) error {
	list, err := c.Events(cmd.Context(), cluster)
	if err != nil {
		return err
	}
	if o.json {
		return printJSON(cmd.OutOrStdout(), list)
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "AT (UTC)\tEVENT\tWHAT")
	for _, e := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\n", e.At.UTC().Format(time.DateTime), e.Kind, e.Text)
	}
	return w.Flush()
}

func (o *operator) cancel(cmd *cobra.Command, c *client.Client, cluster string, args []string) error {
	task, err := c.Task(cmd.Context(), cluster, args[0], 0)
	if err != nil {
		return err
	}
	if task.State == control.TaskRunning {
		if task, err = o.give(cmd, c, cluster, task); task.State == control.TaskRunning {
			return err
		}
	}
	if o.json {
		return printJSON(cmd.OutOrStdout(), task)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "task %s, %s of %s: %s\n", task.ID, task.Kind, task.Subject, task.State)
	return nil
}
