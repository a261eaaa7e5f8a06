package sqllex

import (
	"strings"
	"testing"
)

// TestEveryDeniedFunction: what PostgreSQL's own functions do beyond the tables, name by name. The list stands here once more, so that a
// name that is lost from the lexer's own is missed.
func TestEveryDeniedFunction(t *testing.T) {
	for _, name := range strings.Fields(`
		pg_read_file pg_read_binary_file pg_ls_dir pg_ls_tmpdir pg_ls_archive_statusdir pg_stat_file pg_file_write pg_file_unlink pg_file_rename pg_file_sync
		lo_import lo_export lo_create lo_creat lo_unlink lo_put lo_from_bytea lo_truncate lo_truncate64 lowrite
		pg_terminate_backend pg_cancel_backend pg_reload_conf pg_rotate_logfile pg_rotate_logfile_old pg_logfile_rotate pg_log_backend_memory_contexts set_config
		pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all pg_try_advisory_lock pg_try_advisory_lock_shared
		pg_switch_wal pg_create_restore_point pg_promote pg_backup_start pg_backup_stop pg_start_backup pg_stop_backup pg_export_snapshot
		pg_create_physical_replication_slot pg_create_logical_replication_slot pg_copy_physical_replication_slot pg_copy_logical_replication_slot
		pg_drop_replication_slot pg_replication_slot_advance pg_replication_origin_create pg_logical_emit_message pg_logical_slot_get_changes
		pg_stat_reset pg_stat_reset_shared pg_wal_replay_pause query_to_xml query_to_xmlschema cursor_to_xml cursor_to_xmlschema
		dblink dblink_exec dblink_connect dblink_send_query
		http http_get http_post http_put http_patch http_delete http_head query_export_to_s3 table_import_from_s3 pg_background_launch`) {
		if _, ps := Parse(PostgreSQL, "SELECT "+name+"('x')"); codes(ps) != "denied_function" {
			t.Errorf("%s: %q", name, codes(ps))
		}
	}
}
