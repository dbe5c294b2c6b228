package engine

import (
	"fmt"
	"strings"
)

// infoPersistence has Redis's lines in Redis's order. What a copy on write is to Redis, overwritten data that is kept for passes is to a node.
func infoPersistence(s *session, b *strings.Builder) {
	p := s.p
	v := &p.saves
	loading := 0
	if p.guard&guardLoading != 0 {
		loading = 1
	}
	fmt.Fprintf(b, "loading:%d\r\nasync_loading:0\r\n", loading)
	age, running, done, total := int64(0), 0, 0, 0
	current := int64(-1)
	for _, q := range p.passes {
		done, total = done+q.done, total+q.total()
	}
	if v.now != nil {
		running, current = 1, (p.nowMS-v.beganMS)/1000
		age = current
	}
	status := "ok"
	if v.failed {
		status = "err"
	}
	fmt.Fprintf(b, "current_cow_peak:%d\r\ncurrent_cow_size:%d\r\ncurrent_cow_size_age:%d\r\ncurrent_fork_perc:%.2f\r\n", v.keptBytes, p.store.Kept(), age, percentOf(done, total))
	fmt.Fprintf(b, "current_save_keys_processed:%d\r\ncurrent_save_keys_total:%d\r\n", done, total)
	fmt.Fprintf(b, "rdb_changes_since_last_save:%d\r\nrdb_bgsave_in_progress:%d\r\nrdb_last_save_time:%d\r\nrdb_last_bgsave_status:%s\r\n", p.dirty, running, v.lastMS/1000, status)
	fmt.Fprintf(b, "rdb_last_bgsave_time_sec:%d\r\nrdb_current_bgsave_time_sec:%d\r\nrdb_saves:%d\r\nrdb_last_cow_size:%d\r\n", v.tookS, current, v.count, v.keptBytes)
	fmt.Fprintf(b, "rdb_last_load_keys_expired:%d\r\nrdb_last_load_keys_loaded:%d\r\n", p.loaded.expired, p.loaded.keys)
	infoJournal(p, b)
	switch {
	case p.fileLoad != nil:
		infoLoading(b, p.nowMS, p.fileLoad.beganMS, p.fileLoad.got, p.fileLoad.total)
	case p.replay != nil:
		infoLoading(b, p.nowMS, p.replay.beganMS, p.replay.got(), p.replay.total)
	}
}

// infoLoading tells how far the loading is.
func infoLoading(b *strings.Builder, nowMS, beganMS, got, total int64) {
	eta, passedMS := int64(1), nowMS-beganMS
	if got > 0 {
		eta = passedMS * (total - got) / got / 1000
	}
	fmt.Fprintf(b, "loading_start_time:%d\r\nloading_total_bytes:%d\r\nloading_rdb_used_mem:0\r\nloading_loaded_bytes:%d\r\nloading_loaded_perc:%.2f\r\nloading_eta_seconds:%d\r\n",
		beganMS/1000, total, got, percentOf(int(got), int(total)), eta)
}

func percentOf(n, of int) float64 {
	const percent = 100
	if of == 0 {
		return 0
	}
	return percent * float64(n) / float64(of)
}
