package engine

// infoNever are lines of Redis's INFO about what does not happen on this node, by section: their one value is true of it, and tools look for them.
var infoNever = map[string]string{
	"Server": "redis_git_sha1:00000000\r\nredis_git_dirty:0\r\nredis_build_id:0\r\nmultiplexing_api:epoll\r\nprocess_supervised:no\r\nio_threads_active:0\r\nconfig_file:\r\n",
	// Memory is given back in slices behind each change, and nothing is moved by a defragmentation of its own.
	"Memory": "active_defrag_running:0\r\nlazyfree_pending_objects:0\r\nlazyfreed_objects:0\r\n",
	"Stats": "total_forks:0\r\nlatest_fork_usec:0\r\n" + // nothing forks
		"instantaneous_input_repl_kbps:0.00\r\ninstantaneous_output_repl_kbps:0.00\r\n" +
		"slave_expires_tracked_keys:0\r\nmigrate_cached_sockets:0\r\n" +
		"active_defrag_hits:0\r\nactive_defrag_misses:0\r\nactive_defrag_key_hits:0\r\nactive_defrag_key_misses:0\r\n" +
		"total_active_defrag_time:0\r\ncurrent_active_defrag_time:0\r\n" +
		"expired_time_cap_reached_count:0\r\n" + // the wheel fires in slices of its own
		"io_threaded_reads_processed:0\r\nio_threaded_writes_processed:0\r\nreply_buffer_shrinks:0\r\nreply_buffer_expands:0\r\n",
	"CPU": "used_cpu_sys_children:0.000000\r\nused_cpu_user_children:0.000000\r\n",
}
