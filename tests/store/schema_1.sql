-- What the collector made of an empty directory before it noted its schema's number, word for word.
CREATE TABLE IF NOT EXISTS events (`project` LowCardinality(String), `message_key` UInt128, `installation` UInt128, `kind` LowCardinality(String), `plan` LowCardinality(String), `event_time` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)), `corrected_time` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)), `received_day` Date, `keep_until` Date, `command` LowCardinality(String), `target` LowCardinality(String), `cohort` LowCardinality(String), `command_type` LowCardinality(String), `duration_ms` Nullable(UInt64) CODEC(ZSTD(1)), `exit_status` Nullable(Int16), `start_time` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)), `attempt` LowCardinality(String), `checkout_age` LowCardinality(String), `git_checked_out_master` Nullable(Bool), `git_commit_time` String, `is_test` LowCardinality(String), `os` LowCardinality(String), `arch` LowCardinality(String), `actor` LowCardinality(String), `suspended` Nullable(Bool), `in_container` Nullable(Bool), `client` LowCardinality(String), `run` String, `sequence` Nullable(UInt32), `parent` Nullable(UInt32), `offset_ms` Nullable(UInt64) CODEC(ZSTD(1)), `critical` Nullable(Bool), `targets` Nullable(UInt32), `targets_failed` Nullable(UInt32), `choice` LowCardinality(String), `previous_consent` LowCardinality(String),
        PROJECTION ids (SELECT message_key ORDER BY message_key) WITH SETTINGS (index_granularity = 256))
        ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(event_time) ORDER BY (project, command, event_time, message_key)
        TTL keep_until + INTERVAL 1 DAY
        SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 60, non_replicated_deduplication_window = 1000,
            deduplicate_merge_projection_mode = 'rebuild', lightweight_mutation_projection_mode = 'rebuild';
CREATE TABLE IF NOT EXISTS quarantine (`project` LowCardinality(String), `message_key` UInt128, `installation` UInt128, `reason` LowCardinality(String), `fields` Array(String), `plan` String, `received_day` Date, `body` String)
        ENGINE = ReplacingMergeTree ORDER BY (project, message_key)
        TTL received_day + INTERVAL 30 DAY SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 60;
CREATE TABLE IF NOT EXISTS projects (`project` String, `version` UInt32, `digest` String, `agreement` String, `document` String, `min_active_weeks` UInt16, `applied_day` Date)
        ENGINE = ReplacingMergeTree ORDER BY (project, version) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;
CREATE TABLE IF NOT EXISTS write_keys (`project` String, `key_hash` String, `created_day` Date, `revoked` Bool, `version` UInt32)
        ENGINE = ReplacingMergeTree(version) ORDER BY key_hash SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;
CREATE TABLE IF NOT EXISTS probes (`day` Date) ENGINE = ReplacingMergeTree ORDER BY day SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;
CREATE TABLE IF NOT EXISTS registrations (`project` LowCardinality(String), `mark` UInt128, `proof` UInt128)
        ENGINE = ReplacingMergeTree ORDER BY mark SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;
CREATE TABLE IF NOT EXISTS tombstones (`project` LowCardinality(String), `mark` UInt128, `finished` UInt8)
        ENGINE = ReplacingMergeTree(finished) ORDER BY mark SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;
CREATE TABLE IF NOT EXISTS receipts (`receipt` String, `project` LowCardinality(String), `day` Date, `ids` UInt32, `events` UInt64) ENGINE = MergeTree ORDER BY receipt SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;
