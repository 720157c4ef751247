#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016 # what the helper sets; quoted for inner shells
# shellcheck disable=SC2030,SC2031 # each test is a subshell, with its own functions' globals
#
# adopt.bats - `memcrun adopt`: charges alone change hands, of a cgroup or of a process. On
# v2 with the series; elsewhere it is refused.

load helper

BATCH=$((64 * 4096 * $(nproc)))

setup_file()
{
	local number

	learn_fresh_cgroup
	make_bundle
	export HOLDER=$BATS_FILE_TMPDIR/memory-holder DISK=$BATS_FILE_TMPDIR/disk ZRAM
	cp "$("$BATS_TEST_DIRNAME/../programs")/memory-holder" "$HOLDER"
	number=$(</sys/class/zram-control/hot_add)
	ZRAM=$number
	echo 512M >"/sys/block/zram$number/disksize"
	mkfs.ext4 -q "/dev/zram$number"
	mkdir "$DISK"
	mount "/dev/zram$number" "$DISK"
}

teardown_file()
{
	umount "$DISK"
	echo "$ZRAM" >/sys/class/zram-control/hot_remove
}

setup()
{
	source=/live-source-$BATS_TEST_NUMBER
	from=$MEMORY_ROOT$source
	processes=()
	mkdir "$from"
}

teardown()
{
	local process

	for process in "${processes[@]}"; do
		kill -KILL "$process" 2>/dev/null || :
		wait "$process" || :
	done
	delete_made
	[[ ! -d $MEMORY_ROOT/live-tool ]] || rmdir "$MEMORY_ROOT/live-tool"
	rm -f /dev/shm/live-left
	[[ ! -d $MEMORY_ROOT/live-other ]] || rmdir "$MEMORY_ROOT/live-other"
	[[ ! -d $from ]] || rmdir "$from"
}

# A container, in $id; its cgroup is $directory.
container()
{
	direct "$1"
	id=${made[-1]}
}

# in_source COMMAND...: charged to $source.
in_source()
{
	(echo "$BASHPID" >"$from/cgroup.procs" && exec "$@" 3>&-)
}

# What a service that has ended leaves: page cache and tmpfs.
leave()
{
	in_source dd if=/dev/zero of="$DISK/left" bs=1M count=16 status=none
	in_source dd if=/dev/zero of=/dev/shm/live-left bs=1M count=8 status=none
	sync "$DISK/left"
	[[ $(stat_of "$from" file) -ge $((24 * MIB)) ]] || fail "$(<"$from/memory.stat")"
}

# hold MIB: a process in $source with so much memory, in $process.
hold()
{
	rm -f "$BATS_TEST_TMPDIR/ready" "$BATS_TEST_TMPDIR/in"
	mkfifo "$BATS_TEST_TMPDIR/in"
	# no terminal and nothing of bats: criu has to find all of it again
	(echo "$BASHPID" >"$from/cgroup.procs" && exec setsid "$HOLDER" anon "$1" \
		<>"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/ready" 2>&1 3>&-) &
	process=$!
	processes+=("$process")
	until_true "it has its memory" test -s "$BATS_TEST_TMPDIR/ready"
}

stat_of()
{
	awk -v key="$2" '$1 == key { print $2 }' "$1/memory.stat"
}

# adopt OPTION...: it works; what it says is in $adopted.
adopt()
{
	adopted=$(memcrun adopt --format json "$@" "$id" 2>"$BATS_TEST_TMPDIR/warned" 3>&-) ||
		fail "$(<"$BATS_TEST_TMPDIR/warned")"
}

told_of()
{
	jq -r ".$1" <<<"$adopted"
}

# adopt_fails TEXT OPTION...: one line, and nothing of what the source has moves.
adopt_fails()
{
	local text=$1 before after

	shift
	before=$(<"$directory/memory.current")
	run --separate-stderr memcrun adopt "$@" "$id" 3>&-
	assert_equal "$status" 1
	[[ $stderr != *$'\n'* ]] || fail "more than a line: $stderr"
	assert_contains "$stderr" "$text"
	# what has moved would be megabytes
	after=$(<"$directory/memory.current")
	[[ $after -le $((before + BATCH)) ]] || fail "$after bytes, and $before before"
}

# Does this kernel move charges? One with the series does.
moves_charges()
{
	[[ -e $from/memory.migrate ]]
}

refused_here()
{
	if [[ $CGROUP == v2 ]] && grep -qw memory_migrate /sys/kernel/cgroup/features; then
		fail "there is no memory.migrate"
	fi
	run --separate-stderr memcrun adopt "$@" "$id" 3>&-
	assert_equal "$status:$stderr" \
		"1:memcrun: $id: this kernel moves no charges (memory.migrate)"
}

@test "what_a_service_has_left_goes_to_its_successor_and_its_cgroup_goes" {
	local dying

	container .
	if ! moves_charges; then
		refused_here --from "$source"
		return
	fi
	leave
	dying=$(awk '$1 == "nr_dying_subsys_memory" { print $2 }' "$MEMORY_ROOT/cgroup.stat")
	adopt --from "$source"
	[[ $(told_of types.file.moved_bytes) -ge $((16 * MIB)) ]] || fail "$adopted"
	[[ $(told_of types.shmem.moved_bytes) -ge $((8 * MIB)) ]] || fail "$adopted"
	[[ $(told_of moved_bytes) -ge $((24 * MIB)) ]] || fail "$adopted"
	[[ $(told_of left_bytes) -le $BATCH ]] || fail "$adopted"
	[[ $(stat_of "$directory" file) -ge $((24 * MIB)) ]] || fail "$(<"$directory/memory.stat")"
	assert_equal "$(stat_of "$from" file)" 0
	rmdir "$from"
	charge_another
	until_true "no cgroup is left dying" eval \
		"awk '\$1 == \"nr_dying_subsys_memory\" { exit \$2 > $dying }' $MEMORY_ROOT/cgroup.stat"
}

@test "only_the_types_that_are_asked_for_move" {
	container .
	if ! moves_charges; then
		refused_here --from "$source" --charges shmem
		return
	fi
	leave
	adopt --from "$source" --charges shmem
	assert_equal "$(told_of types.shmem.moved_bytes)" $((8 * MIB))
	assert_equal "$(told_of types.file.moved_bytes)" 0
	[[ $(stat_of "$from" file) -ge $((16 * MIB)) ]] || fail "$(<"$from/memory.stat")"
}

@test "a_process_that_joins_brings_what_it_maps" {
	container .
	hold 32
	if ! moves_charges; then
		refused_here --pid "$process"
		return
	fi
	echo "$process" >"$directory/cgroup.procs"
	[[ $(stat_of "$from" anon) -ge $((32 * MIB)) ]] || fail "the kernel has moved it by itself"
	adopt --pid "$process"
	[[ $(told_of types.anon.moved_bytes) -ge $((32 * MIB)) ]] || fail "$adopted"
	[[ $(stat_of "$directory" anon) -ge $((32 * MIB)) ]] || fail "$(<"$directory/memory.stat")"
	assert_equal "$(stat_of "$from" anon)" 0
}

@test "without_room_what_fits_has_moved_and_the_same_again_goes_on" {
	container '.linux.resources.memory = {limit: 25165824, swap: 25165824}'
	if ! moves_charges; then
		refused_here --from "$source"
		return
	fi
	hold 48
	run --separate-stderr memcrun adopt --from "$source" "$id" 3>&-
	assert_equal "$status" 1
	[[ $stderr != *$'\n'* ]] || fail "more than a line: $stderr"
	assert_contains "$stderr" "memory.migrate"
	[[ $(stat_of "$directory" anon) -le $((24 * MIB)) ]] || fail "its limit did not hold"
	[[ $(($(stat_of "$directory" anon) + $(stat_of "$from" anon))) -ge $((48 * MIB)) ]] ||
		fail "something is lost"
	kill -0 "$process"

	memcrun update --memory 128M --memory-swap 128M "$id" 2>/dev/null 3>&-
	adopt --from "$source"
	[[ $(stat_of "$directory" anon) -ge $((48 * MIB)) ]] || fail "$(<"$directory/memory.stat")"
	assert_equal "$(stat_of "$from" anon)" 0
}

@test "what_cannot_be_is_refused_and_nothing_moves" {
	container .
	if ! moves_charges; then
		refused_here --from "$source"
		return
	fi
	leave
	adopt_fails "it is the container's own" --from "${directory#"$MEMORY_ROOT"}"
	adopt_fails 'the root is nobody'\''s cgroup, "/"' --from /
	adopt_fails 'no such cgroup, "/live-nowhere"' --from /live-nowhere
	adopt_fails "memory.migrate" --pid 4194304
	id=nobody
	run --separate-stderr memcrun adopt --from "$source" "$id" 3>&-
	assert_equal "$status" 1
	assert_contains "$stderr" 'nobody'
}

@test "a_process_restored_from_a_checkpoint_brings_its_charges" {
	local images=$BATS_TEST_TMPDIR/images tool=$MEMORY_ROOT/live-tool restored

	container .
	if ! moves_charges; then
		refused_here --from "$source"
		return
	fi
	criu check >/dev/null 2>&1 || skip "criu wants nf_tables: a kernel with --config network"
	hold 32
	mkdir "$images" "$tool"
	criu dump --tree "$process" --images-dir "$images" --manage-cgroups=ignore \
		--log-file log 3>&- || fail "$(tail "$images/log")"
	# as an engine does it: a process of its own restores, and what it makes is charged there
	(echo "$BASHPID" >"$tool/cgroup.procs" && exec criu restore --restore-detached \
		--images-dir "$images" --manage-cgroups=ignore --pidfile "$BATS_TEST_TMPDIR/pid" \
		--log-file restored 3>&-) || fail "$(tail "$images/restored")"
	restored=$(<"$BATS_TEST_TMPDIR/pid")
	processes+=("$restored")
	echo "$restored" >"$directory/cgroup.procs"
	[[ $(stat_of "$tool" anon) -ge $((32 * MIB)) ]] || fail "$(<"$tool/memory.stat")"
	adopt --from /live-tool
	[[ $(stat_of "$directory" anon) -ge $((32 * MIB)) ]] || fail "$(<"$directory/memory.stat")"
	assert_equal "$(stat_of "$tool" anon)" 0
	kill -0 "$restored"
}
