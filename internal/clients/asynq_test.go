package clients_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"golang.org/x/sync/errgroup"

	"larder/internal/clients"
)

// jobs is an application with a task queue (asynq): jobs of several queues, which lie on all shards.
type jobs struct {
	t      *testing.T
	client *asynq.Client
	queues map[string]int
	at     asynq.RedisClientOpt
	done   sync.Map // by number: how often it was worked on, *atomic.Int64
	names  []string
}

func newJobs(t *testing.T, addr string) *jobs {
	j := &jobs{t: t, queues: map[string]int{}, at: asynq.RedisClientOpt{Addr: addr}}
	for shard := range 3 {
		name := queueOn(shard)
		j.queues[name] = 1
		j.names = append(j.names, name)
	}
	j.client = asynq.NewClient(j.at)
	t.Cleanup(func() { _ = j.client.Close() })
	return j
}

// queueOn is a queue's name whose keys lie on one of three shards: all of them have the name as their hash tag.
func queueOn(shard int) string { return keyOn(shard, 7) }

// asynqAtOnce is how many jobs are worked on at once.
const asynqAtOnce = 20

// work begins to work on jobs.
func (j *jobs) work() {
	server := asynq.NewServer(j.at, asynq.Config{
		Concurrency: asynqAtOnce, Queues: j.queues, LogLevel: asynq.FatalLevel, TaskCheckInterval: 20 * time.Millisecond, DelayedTaskCheckInterval: 200 * time.Millisecond,
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return 100 * time.Millisecond },
	})
	handler := asynq.HandlerFunc(func(_ context.Context, task *asynq.Task) error {
		times, _ := j.done.LoadOrStore(string(task.Payload()), new(atomic.Int64))
		times.(*atomic.Int64).Add(1)
		return nil
	})
	if err := server.Start(handler); err != nil {
		j.t.Fatal(err)
	}
	j.t.Cleanup(server.Shutdown)
}

// enqueue brings jobs from..to−1. One whose fate is unknown, or whose node is away, is brought again: its number is its id, so that it is there once.
func (j *jobs) enqueue(from, to int) error {
	var group errgroup.Group
	const clients = 8
	for c := range clients {
		group.Go(func() error {
			for i := from + c; i < to; i += clients {
				if err := j.bring(i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func (j *jobs) bring(i int) error {
	for deadline := time.Now().Add(30 * time.Second); ; {
		id := strconv.Itoa(i)
		_, err := j.client.Enqueue(asynq.NewTask("number", []byte(id)), asynq.Queue(j.names[i%len(j.names)]), asynq.TaskID(id), asynq.MaxRetry(20))
		if err == nil || errors.Is(err, asynq.ErrTaskIDConflict) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("job %d: %w", i, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// worked counts the jobs from..to−1 that were worked on.
func (j *jobs) worked(from, to int) (n int) {
	for i := from; i < to; i++ {
		if _, ok := j.done.Load(strconv.Itoa(i)); ok {
			n++
		}
	}
	return n
}

// TestAsynq: ten thousand jobs are enqueued and each is worked on once.
func TestAsynq(t *testing.T) {
	t.Parallel()
	const n = 10_000
	gateway, _ := overThree(t, backends[0].start)
	j := newJobs(t, gateway.Addr)
	j.work()
	if err := j.enqueue(0, n); err != nil {
		t.Fatal(err)
	}
	for part := n / 10; part <= n; part += n / 10 { // a machine that is busy with other tests takes its time, and never stands
		eventually(t, fmt.Sprint(part, " jobs"), func() bool { return j.worked(0, n) >= part })
	}
	j.done.Range(func(id, times any) bool {
		if got := times.(*atomic.Int64).Load(); got != 1 {
			t.Errorf("job %v was worked on %d times", id, got)
		}
		return true
	})
	inspector := asynq.NewInspector(j.at)
	defer inspector.Close()
	eventually(t, "what asynq says of its queues", func() bool {
		processed := 0
		for _, queue := range j.names {
			info, err := inspector.GetQueueInfo(queue)
			if err != nil || info.Pending+info.Active+info.Retry+info.Archived > 0 {
				return false
			}
			processed += info.Processed
		}
		return processed == n
	})
}

// TestAsynqOverFailures: a node that hangs for longer than the reply time-out delays the jobs that were just being handed out, and no more; one that is
// killed costs those that lay there, and no more.
func TestAsynqOverFailures(t *testing.T) {
	t.Parallel()
	asynqOverFailures(t, func(j *jobs, n int) {
		eventually(t, "all jobs but those that were being handed out", func() bool { return j.worked(0, n) >= n-asynqAtOnce })
	})
}

// asynqOverFailures waits, after the node has hung, as it is told to.
func asynqOverFailures(t *testing.T, hung func(j *jobs, n int)) {
	const n = 600
	gateway, nodes := overThree(t, backends[0].start)
	j := newJobs(t, gateway.Addr)
	j.work()
	phase := func(from int, meanwhile func(node *clients.Process)) {
		var group errgroup.Group
		group.Go(func() error { return j.enqueue(from, from+n) })
		eventually(t, "first jobs", func() bool { return j.worked(from, from+n) > n/10 })
		meanwhile(nodes[1])
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	phase(0, func(node *clients.Process) {
		node.Freeze(t)
		time.Sleep(replyTimeout * 3 / 2) // how long a node hangs is what is tried here
		node.Thaw(t)
	})
	hung(j, n)
	phase(n, func(node *clients.Process) {
		node.Kill()
		node.Start(t)
	})
	eventually(t, "the jobs of the nodes that live", func() bool {
		for i := n; i < 2*n; i++ {
			if _, ok := j.done.Load(strconv.Itoa(i)); !ok && i%3 != 1 {
				return false
			}
		}
		return true
	})
	if err := j.enqueue(2*n, 3*n); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all jobs that came later", func() bool { return j.worked(2*n, 3*n) == n })
}
