package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"regexp"
	"runtime"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"larder/configs"
)

// DevMetrics is where dev serves its metrics if nothing else is said.
const DevMetrics = "127.0.0.1:9121"

// devMetrics is that address, or any free port beside another dev: nobody has asked for it by name.
func devMetrics(log *slog.Logger) string {
	probe, err := net.Listen("tcp", DevMetrics)
	if errors.Is(err, syscall.EADDRINUSE) {
		log.Info("the usual address of metrics is taken: another is served, which the log names", "usual", DevMetrics)
		return "127.0.0.1:0"
	}
	if err == nil {
		_ = probe.Close()
	}
	return DevMetrics
}

const (
	healthWithin = 2 * time.Second        // for all parts' answers to /readyz
	headerWithin = 5 * time.Second        // for a client of the HTTP server to say what it wants
	closeWithin  = 200 * time.Millisecond // for requests under way when the process stops; then they are cut
)

// newRegistry has what every role publishes: Go's runtime, the process, and which build this is.
func newRegistry() (*prometheus.Registry, error) {
	reg := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "larder_build_info", Help: "Always 1; the labels say which build this is.",
		ConstLabels: prometheus.Labels{"version": BuildVersion(), "goversion": runtime.Version()},
	})
	build.Set(1)
	for _, c := range []prometheus.Collector{
		build, newGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register process metrics: %w", err)
		}
	}
	return reg, nil
}

// newGoCollector publishes what the client's default does, and the CPU time that collections took: without it nobody sees what a heap that grows
// costs the commands.
func newGoCollector() prometheus.Collector {
	return collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(
		collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/cpu/classes/gc/total:cpu-seconds$`)},
	))
}

// monitor is the HTTP server for operators: /metrics, /healthz, /readyz, perhaps /debug/pprof/.
type monitor struct {
	listener net.Listener
	server   *http.Server
}

// newMonitor listens. It returns nil if the configuration turns it off.
func newMonitor(c configs.Metrics, reg *prometheus.Registry, h *health, log *slog.Logger) (*monitor, error) {
	if c.Listen == "" || c.Listen == configs.Off {
		return nil, nil
	}
	listener, err := net.Listen("tcp", c.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("metrics: listen on %s: the address is taken by another process; stop it, or say --metrics with another address or off", c.Listen)
	}
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError)}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { sayReady(w, r, h) })
	if c.Pprof {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: headerWithin, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	return &monitor{listener: listener, server: server}, nil
}

func sayReady(w http.ResponseWriter, r *http.Request, h *health) {
	ctx, cancel := context.WithTimeout(r.Context(), healthWithin)
	defer cancel()
	if err := h.ready(ctx); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ready\n")
}

func (m *monitor) addr() string { return m.listener.Addr().String() }

// close ends the listener and what is under way.
func (m *monitor) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	if m.server.Shutdown(ctx) != nil {
		_ = m.server.Close()
	}
}
