#!/bin/bash
# A stand-in for WAL-G 3.0.9 in tests, where no such program can be had: its command line, as far as pgbtui calls it,
# what it prints, and its folders in the storage. Files are stored as they are, in a folder of this machine.
set -euo pipefail

version=$'wal-g version v3.0.9\t3e493188\t2026.08.20_00:00:00\tPostgreSQL'
say() { echo "INFO: $(date -u '+%Y/%m/%d %H:%M:%S.%6N') $*" >&2; }
die() { echo "ERROR: $(date -u '+%Y/%m/%d %H:%M:%S.%6N') $*" >&2; exit 1; }
decimal() { local high=${1%/*} low=${1#*/}; echo $((16#$high * 4294967296 + 16#$low)); }

config="" && args=()
for arg in "$@"; do
	case $arg in
	--version) echo "$version"; exit 0 ;;
	--config=*) config=${arg#--config=} ;;
	*) args+=("$arg") ;;
	esac
done
set -- "${args[@]}"
setting() { # its own environment counts more than its file
	if [ -n "${!1:-}" ]; then echo "${!1}"; elif [ -n "$config" ]; then sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$config"; fi
}
store=$(setting WALG_FILE_PREFIX)
[ -n "$store" ] || die "Failed to configure multi-storage: no storage is configured"
[ ! -e "$store/away" ] || die "list: RequestError: send request failed, dial tcp 127.0.0.2:9000: connect: connection refused"
base=$store/basebackups_005 wal=$store/wal_005
mkdir -p "$base" "$wal"

backup_push() {
	local data=$1 full=${2:-} tools delta="" name start end started
	started=$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)
	tools=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
	work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
	"$tools/pg_basebackup" --no-password -D "$work/out" -Ft -X none -c fast 2>"$work/log" || die "$(tail -1 "$work/log")"
	name=$(tar xOf "$work/out/base.tar" backup_label | sed -n 's/^START WAL LOCATION: .*(file \([0-9A-F]*\))/\1/p')
	start=$(sed -n 's/.*"Start-LSN": "\([^"]*\)".*/\1/p' "$work/out/backup_manifest")
	end=$(sed -n 's/.*"End-LSN": "\([^"]*\)".*/\1/p' "$work/out/backup_manifest")
	if [ -z "$full" ] && [ "$(setting WALG_DELTA_MAX_STEPS || echo 0)" != 0 ]; then
		delta=$(ls "$base" | sed -n 's/^base_\([0-9A-F]*\).*_backup_stop_sentinel.json$/_D_\1/p' | tail -1)
	fi
	name=base_$name$delta
	mkdir -p "$base/$name/tar_partitions"
	cp "$work/out/base.tar" "$base/$name/tar_partitions/part_001.tar.lz4"
	tar xOf "$work/out/base.tar" global/pg_control >"$base/$name/tar_partitions/pg_control.tar.lz4"
	cat >"$base/$name/metadata.json" <<-EOF
		{"backup_name":"$name","time":"$(date -u +%Y-%m-%dT%H:%M:%SZ)","wal_file_name":"${name:5:24}","storage_name":"default",
		"start_time":"$started","finish_time":"$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)","date_fmt":"%Y-%m-%dT%H:%M:%S.%fZ",
		"hostname":"db1","data_dir":"$data","pg_version":$(cat "$data/PG_VERSION")0000,"start_lsn":$(decimal "$start"),
		"finish_lsn":$(decimal "$end"),"is_permanent":false,"system_identifier":$("$tools/pg_controldata" "$data" |
		sed -n 's/^Database system identifier: *//p'),"uncompressed_size":$(stat -c %s "$work/out/base.tar"),
		"compressed_size":$(stat -c %s "$work/out/base.tar")}
	EOF
	echo "{\"Spec\":{\"base_prefix\":\"$data\",\"tablespaces\":[]}}" >"$base/${name}_backup_stop_sentinel.json"
	say "Wrote backup with name $name"
}

backup_list() {
	local between=""
	printf '['
	for sentinel in "$base"/*_backup_stop_sentinel.json; do
		[ -e "$sentinel" ] || continue
		printf '%s' "$between" && cat "${sentinel%_backup_stop_sentinel.json}/metadata.json" && between=,
	done
	printf ']'
}

storage() {
	case $1 in
	ls)
		echo 'type size last modified name'
		if [ -d "$store/$3" ]; then
			find "$store/$3" -type f -printf 'obj  %s %TY-%Tm-%Td %TH:%TM:%TS +0000 UTC %P  \n'
		fi ;;
	cat) cat "$store/$2" || die "object '$2' not found in storage" ;;
	rm) rm -rf "${store:?}/$2" ;;
	esac
}

retain() { # as many full backups, with what builds on them and all WAL from the first of them on
	local first
	first=$(ls "$base" | sed -n 's/^base_\([0-9A-F]\{24\}\)_backup_stop_sentinel.json$/\1/p' | tail -"$1" | head -1)
	for backup in "$base"/base_*; do
		if [[ $(basename "$backup") < "base_$first" ]]; then say "deleting $(basename "$backup")" && rm -rf "$backup"; fi
	done
	for segment in "$wal"/*; do
		if [[ $(basename "$segment") < $first ]]; then rm -f "$segment"; fi
	done
}

case ${1:-} in
wal-push) cp "$2" "$wal/.new-$$" && mv "$wal/.new-$$" "$wal/$(basename "$2").lz4" ;;
wal-fetch)
	if [ ! -e "$wal/$2.lz4" ]; then
		echo "ERROR: Archive '$2' does not exist." >&2 && exit 74
	fi
	cp "$wal/$2.lz4" "$3" ;;
backup-push) backup_push "$2" "${3:-}" ;;
backup-fetch) tar xf "$base/$3/tar_partitions/part_001.tar.lz4" -C "$2" ;;
backup-list) backup_list ;;
wal-verify) cat "$store/verify.json" 2>/dev/null || echo '{"integrity":{"status":"OK","details":[{"timeline_id":1,"start_segment":"000000010000000000000002","end_segment":"000000010000000000000004","segments_count":3,"status":"FOUND"}]},"timeline":{"status":"OK","details":{"current_timeline_id":1,"highest_storage_timeline_id":1}}}' ;;
delete) [ "$2 $3" = "retain FULL" ] && [ "${5:-}" = --confirm ] && retain "$4" ;;
st) shift && storage "$@" ;;
*) die "unknown command \"${1:-}\" for \"wal-g\"" ;;
esac
