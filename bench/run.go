package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// fetchProfile asks a server for its CPU profile of the next seconds and writes it to a file. It works while the
// caller makes the load; the channel gives one error or nil when it is done.
func fetchProfile(ctx context.Context, metrics, path string, length time.Duration) <-chan error {
	done := make(chan error, 1)
	go func() { done <- saveProfile(ctx, metrics, path, length) }()
	return done
}

func saveProfile(ctx context.Context, metrics, path string, length time.Duration) error {
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", metrics, int(length.Seconds()))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("fetch profile: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("fetch profile: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("fetch profile: %s from %s", resp.Status, url)
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("save profile: %w", err)
	}
	if _, err := io.Copy(f, resp.Body); err != nil {
		_ = f.Close()
		return fmt.Errorf("save profile: %w", err)
	}
	return f.Close()
}
