package beside

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The settings of a copy's server. Rules:
//
//   - nothing of the source's settings is taken over but what recovery needs: whatever ALTER SYSTEM wrote there comes
//     along in postgresql.auto.conf, and that file is replaced
//   - it listens nowhere but in its own folder, archives nothing, and runs nobody's jobs or subscriptions

// parameter is one of the server's.
type parameter struct{ name, value string }

// text is the parameters as a file of settings.
func text(parameters []parameter) string {
	var b strings.Builder
	for _, p := range parameters {
		b.WriteString(p.name + " = '" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(p.value) + "'\n")
	}
	return b.String()
}

// jobRunners are libraries whose workers would do the source's work a second time.
var jobRunners = []string{"pg_cron", "pg_partman_bgw", "pglogical", "pgl_ddl_deploy", "timescaledb"}

// keptLibraries are those of the source's shared_preload_libraries that the copy loads, and those that it does not.
func keptLibraries(libraries []string) (kept, left []string) {
	for _, library := range libraries {
		if slices.Contains(jobRunners, filepath.Base(strings.TrimSuffix(library, ".so"))) {
			left = append(left, library)
		} else {
			kept = append(kept, library)
		}
	}
	return kept, left
}

// port of every copy: each has a folder of its own for its socket, and no other way in.
const port = "5432"

// serverSettings are what a copy's server runs with, until it is thrown away.
func serverSettings(p place, name string, c Control, libraries []string) []parameter {
	return []parameter{
		{"data_directory", p.data()},
		{"hba_file", p.hba()},
		{"ident_file", p.ident()},
		{"listen_addresses", ""},
		{"port", port},
		{"unix_socket_directories", `"` + p.socket() + `"`},
		{"unix_socket_permissions", "0700"},
		{"cluster_name", name},
		{"shared_preload_libraries", strings.Join(libraries, ",")},
		{"shared_buffers", "128MB"},
		{"huge_pages", "off"},
		{"dynamic_shared_memory_type", "mmap"}, // /dev/shm goes with any unit of this user that has RemoveIPC=
		{"jit", "off"},                         // a unit's sandbox forbids memory that is writable and executable
		{"max_connections", strconv.Itoa(max(20, c.MaxConnections))},
		{"max_worker_processes", strconv.Itoa(max(1, c.MaxWorkerProcesses))},
		{"max_wal_senders", strconv.Itoa(c.MaxWALSenders)},
		{"max_prepared_transactions", strconv.Itoa(c.MaxPreparedTransactions)},
		{"max_locks_per_transaction", strconv.Itoa(max(64, c.MaxLocksPerTransaction))},
		{"hot_standby", "on"},
		{"archive_mode", "off"},
		{"archive_command", ""},
		{"archive_cleanup_command", ""},
		{"recovery_end_command", ""},
		{"primary_conninfo", ""},
		{"max_logical_replication_workers", "0"}, // a copied subscription would take the source's changes
		{"max_parallel_workers", "0"},
		{"synchronous_standby_names", ""},
		{"synchronous_commit", "local"},
		{"ssl", "off"},
		{"logging_collector", "off"},
		{"log_destination", "stderr"},
		{"log_line_prefix", "%m "},
		{"log_timezone", "UTC"},
		{"lc_messages", "C"}, // its lines are read
		{"log_min_messages", "info"},
		{"log_min_error_statement", "panic"}, // statements have people's data
		{"log_statement", "none"},
		{"log_min_duration_statement", "-1"},
		{"log_checkpoints", "off"},
		{"restart_after_crash", "off"},
	}
}

// recoverySettings bring it to the target, and let it wait there.
func recoverySettings(target Target, timeline uint32, restoreCommand string) []parameter {
	settings := append([]parameter{{"restore_command", restoreCommand}}, target.settings()...)
	return append(settings,
		parameter{"recovery_target_timeline", strconv.FormatUint(uint64(timeline), 10)},
		parameter{"recovery_target_action", "pause"})
}

// hbaText lets in who may open the socket's folder, as whatever role: that is the owner of the copy's files, who can
// read them anyway.
const hbaText = "local all all trust\n"
