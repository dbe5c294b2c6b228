package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"larder/cmd/app"
	"larder/control"
	"larder/control/api/client"
)

// operator is what the commands have in common that ask an appliance.
type operator struct {
	api, keyFile, dir, cluster string
	json                       bool
}

// flags gives a command, and those below it, the flags by which it finds the appliance, and a cluster there.
func (o *operator) flags(cmd *cobra.Command) {
	o.reach(cmd)
	cmd.PersistentFlags().StringVar(&o.cluster, "cluster", "", "the cluster's `NAME`, if there are several")
}

// reach gives a command, and those below it, the flags by which it finds the appliance.
func (o *operator) reach(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringVar(&o.api, "api", "", "the management API's `URL`; else LARDER_API")
	f.StringVar(&o.keyFile, "api-key-file", "", "the `FILE` with its key; else the key is LARDER_API_KEY")
	f.StringVar(&o.dir, "dir", "", "the data `FOLDER` of a larder dev, which leaves address and key there; without --api and this, dev's own folder")
	f.BoolVar(&o.json, "json", false, "print JSON")
}

const apiKeyVariable = "LARDER_API_KEY"

// connect finds the appliance and the cluster.
func (o *operator) connect(ctx context.Context) (*client.Client, string, error) {
	c, err := o.find()
	if err != nil {
		return nil, "", err
	}
	if o.cluster != "" {
		return c, o.cluster, nil
	}
	names, err := c.Clusters(ctx)
	if err != nil {
		return nil, "", err
	}
	if len(names) != 1 {
		return nil, "", fmt.Errorf("there are %d clusters: say which by --cluster (%v)", len(names), names)
	}
	return c, names[0], nil
}

func (o *operator) find() (*client.Client, error) {
	url := o.api
	if url == "" && o.dir == "" {
		url = os.Getenv("LARDER_API")
	}
	if url == "" {
		dir := o.dir
		if dir == "" {
			var err error
			if dir, err = app.DevFolder(); err != nil {
				return nil, err
			}
		}
		return client.FromFolder(dir)
	}
	if o.dir != "" {
		return nil, errors.New("--api and --dir say two appliances: say one")
	}
	key := os.Getenv(apiKeyVariable)
	if o.keyFile != "" {
		text, err := os.ReadFile(o.keyFile)
		if err != nil {
			return nil, fmt.Errorf("--api-key-file: %w", err)
		}
		key = strings.TrimSpace(string(text))
	}
	if key == "" {
		return nil, fmt.Errorf("the API at %s wants a key: say --api-key-file, or set %s", url, apiKeyVariable)
	}
	return &client.Client{URL: url, Key: key, HTTP: http.DefaultClient}, nil
}

const (
	lookEvery  = 200 * time.Millisecond
	cancelTime = time.Minute // for a cancelled task to clean up
)

// pause waits, or until ctx ends, and says why that did.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// bar shows how far something is, unless a program reads.
func (o *operator) bar(cmd *cobra.Command, total int64) *app.Bar {
	if o.json {
		return app.NewBar(nil, total)
	}
	return app.NewBar(cmd.ErrOrStderr(), total)
}

// follow shows a task until it is over. A signal cancels it; it is then waited for, so that what is said of it is true.
func (o *operator) follow(cmd *cobra.Command, c *client.Client, cluster string, task control.Task) (control.Task, error) {
	ctx := cmd.Context()
	bar := o.bar(cmd, task.Total)
	defer bar.Clear()
	for heard := time.Now(); task.State == control.TaskRunning; {
		next, err := answered(ctx, lookEvery+answerMax, func(ctx context.Context) (control.Task, error) { return c.Task(ctx, cluster, task.ID, lookEvery) })
		switch {
		case ctx.Err() != nil:
			bar.Clear()
			return o.give(cmd, c, cluster, task)
		case err == nil:
			task, heard = next, time.Now()
		case !passing(err) || time.Since(heard) > awayMax: // else another controller may be taking over, which knows what has become of it
			return task, fmt.Errorf("%w; if the appliance runs, the task goes on there: larder snapshot tasks shows it", err)
		default:
			_ = pause(ctx, lookEvery) // if ctx ends, the next answer is that
			continue
		}
		unit := task.Unit
		if unit == "bytes" {
			unit = ""
		}
		bar.Of(task.Total, unit)
		bar.Show(task.Done)
	}
	return task, failure(task)
}

// give cancels a task and waits for its end. What it says is true already: a second signal may come just behind.
func (o *operator) give(cmd *cobra.Command, c *client.Client, cluster string, task control.Task) (control.Task, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), cancelTime)
	defer cancel()
	err := c.Cancel(ctx, cluster, task.ID)
	if err == nil {
		fmt.Fprintln(cmd.ErrOrStderr(), "larder: stopping it; a second signal leaves it to the appliance")
	}
	for err == nil && task.State == control.TaskRunning && ctx.Err() == nil {
		task, err = c.Task(ctx, cluster, task.ID, time.Second)
	}
	return task, cmp.Or(err, failure(task))
}

// failure is what went wrong with a task that is over.
func failure(task control.Task) error {
	switch task.State {
	case control.TaskDone:
		return nil
	case control.TaskCanceled:
		switch {
		case task.Folder != "":
			return fmt.Errorf("%s of %s: %s", task.Kind, task.Subject, task.Error)
		case task.Kind == "snapshot.restore": // it says what it has changed
			return errors.New(task.Error)
		}
		return fmt.Errorf("%s of %s was canceled: nothing of it remains (%s)", task.Kind, task.Subject, task.Error)
	case control.TaskRunning:
		return fmt.Errorf("%s of %s is still ending: larder snapshot tasks shows it", task.Kind, task.Subject)
	}
	return errors.New(task.Error)
}
