#!/usr/bin/env bats
# shellcheck disable=SC2154 # what the helper sets
#
# update.bats - other settings for a container that runs and uses memory: what becomes of
# every file, who is refused, and that nobody is killed.

load helper

setup_file()
{
	learn_fresh_cgroup
	make_bundle
}

teardown()
{
	delete_made
}

# filled MIB [MEMORY JSON]: a container that holds so much of tmpfs, in $id, its memory
# cgroup in $directory
filled()
{
	local settings='{limit: 100663296, swap: 134217728}'

	[[ $# == 1 ]] || settings=$2
	tried=$((tried + 1))
	id=filled-$BATS_TEST_NUMBER-$tried
	configure ".linux.cgroupsPath = \"/$id\" | .linux.resources.memory = $settings
		| .process.args = [\"sh\", \"-c\",
			\"dd if=/dev/zero of=/dev/shm/fill bs=1M count=$1; echo > /dev/shm/done; sleep 1000\"]"
	memcrun run --detach --bundle "$BUNDLE" --config "$config" "$id" \
		</dev/null >/dev/null 2>&1 3>&-
	made+=("$id")
	directory=$MEMORY_ROOT/$id
	pid=$(memcrun state "$id" | jq .pid)
	until_true "$id has filled its memory" test -e "/proc/$pid/root/dev/shm/done"
}

# One that sleeps.
plain()
{
	filled 0 '{limit: 67108864, swap: 100663296}'
}

expect()
{
	local -a v1=() v2=()

	while [[ $1 != -- ]]; do
		v1+=("$1")
		shift
	done
	shift
	v2=("$@")
	if [[ $CGROUP == v1 ]]; then
		assert_memory "$directory" "${v1[@]}"
	elif [[ -e $directory/memory.memsw.max ]]; then
		assert_memory "$directory" "${v2[@]/#swap.max=*/swap.max=max}" \
			"memsw.max=$(memsw "${v1[@]}")"
	else
		assert_memory "$directory" "${v2[@]}"
	fi
}

# The limit of memory and swap together: v1's, or none
memsw()
{
	local each value=max

	for each; do
		[[ $each != memsw.limit_in_bytes=* ]] || value=${each#*=}
	done
	printf '%s\n' "$value"
}

# limits L S: both in force; S is memory and swap together
limits()
{
	expect limit_in_bytes="$1" memsw.limit_in_bytes="$2" -- max="$1" swap.max=$(($2 - $1))
}

usage()
{
	if [[ $CGROUP == v1 ]]; then
		printf '%s\n' "$(<"$directory/memory.usage_in_bytes")"
	else
		printf '%s\n' "$(<"$directory/memory.current")"
	fi
}

is_locked()
{
	! flock -n "$1" true
}

# Nobody was killed: the process is the one that was started.
assert_alive()
{
	[[ $(memcrun state "$id" | jq -r '.status, .pid' | tr '\n' ' ') == "${1:-running} $pid " ]] ||
		fail "not $pid ${1:-running}: $(memcrun state "$id")"
	if [[ $CGROUP == v2 ]]; then
		assert_contains "$(<"$directory/memory.events")" "oom_kill 0"
	fi
	[[ ! -e $STATE/$id/memcrun-update.json ]] || fail "a journal is left"
}

update_refused()
{
	local text=$1

	shift
	run --separate-stderr memcrun update "$@"
	assert_equal "$status" 1
	assert_contains "$stderr" "$text"
	assert_equal "$(wc -l <<<"$stderr")" 1
}

@test "limits_rise_and_fall_together_and_alone" {
	plain
	limits $((64 * MIB)) $((96 * MIB))
	memcrun update --memory 128M --memory-swap 256M "$id"
	limits $((128 * MIB)) $((256 * MIB))
	# L up to what S was, S down
	memcrun update --memory 256M --memory-swap 256M "$id"
	limits $((256 * MIB)) $((256 * MIB))
	memcrun update --memory 32M --memory-swap 48M "$id"
	limits $((32 * MIB)) $((48 * MIB))
	# the limit of both stays when the limit of one changes
	memcrun update --memory 40M "$id"
	limits $((40 * MIB)) $((48 * MIB))
	memcrun update --memory-swap 80M "$id"
	limits $((40 * MIB)) $((80 * MIB))
	assert_alive
}

@test "what_is_not_given_or_zero_stays" {
	plain
	memcrun update --memory 0 --memory-swap 0 --memory-reservation 0 "$id"
	limits $((64 * MIB)) $((96 * MIB))
	memcrun update --resources - "$id" <<<'{"memory": {"limit": null}}'
	limits $((64 * MIB)) $((96 * MIB))
	memcrun update --resources - "$id" <<<'{}'
	limits $((64 * MIB)) $((96 * MIB))
}

@test "minus_one_takes_the_limit_away_and_that_of_swap_with_it" {
	plain
	memcrun update --memory -1 "$id"
	if [[ $CGROUP == v1 ]]; then
		assert_memory "$directory"
	else
		assert_equal "$(<"$directory/memory.max")" max
		assert_equal "$(<"$directory/memory.swap.max")" max
	fi
	assert_alive
}

@test "contradictions_are_refused_and_nothing_changes" {
	plain
	update_refused 'below the limit' --memory 128M "$id"
	update_refused 'below the limit' --memory-swap 32M "$id"
	update_refused 'below -1' --resources - "$id" <<<'{"memory": {"limit": -2}}'
	update_refused 'memcrun: '"$id"': linux.resources.memory.limit: not an integer' --resources - "$id" <<<'{"memory": {"limit": "1"}}'
	update_refused 'no such container' --memory 1M nobody
	limits $((64 * MIB)) $((96 * MIB))
	run memcrun update --memory 1.5x "$id"
	assert_equal "$status" 2
	run memcrun update --nonsense "$id"
	assert_equal "$status" 2
	limits $((64 * MIB)) $((96 * MIB))
}

@test "a_limit_below_usage_is_reclaimed_down_to_and_nobody_dies" {
	filled 60
	memcrun update --memory 24M "$id"
	limits $((24 * MIB)) $((128 * MIB))
	[[ $(usage) -le $((24 * MIB)) ]] || fail "$(usage) bytes are used"
	assert_alive
}

@test "a_limit_that_cannot_be_reached_is_refused_with_usage_and_target" {
	# tmpfs, and no swap for it
	filled 60 "{limit: 100663296, swap: 100663296}"
	update_refused "$((20 * MIB)) wanted" --memory 20M --memory-swap 20M --timeout 5 "$id"
	assert_contains "$stderr" "bytes in use"
	limits $((96 * MIB)) $((96 * MIB))
	assert_alive
	# it has its memory still
	assert_equal "$(memcrun exec "$id" wc -c /dev/shm/fill </dev/null)" "$((60 * MIB)) /dev/shm/fill"
}

@test "check_before_update_refuses_at_once" {
	filled 60 "{limit: 100663296, swap: 134217728, checkBeforeUpdate: true}"
	update_refused 'checkBeforeUpdate' --memory 20M "$id"
	[[ $(usage) -ge $((60 * MIB)) ]] || fail "it was reclaimed: $(usage)"
	limits $((96 * MIB)) $((128 * MIB))
	assert_alive
}

@test "a_frozen_container_is_updated_and_stays_frozen" {
	filled 40
	memcrun pause "$id"
	memcrun update --memory 16M "$id"
	assert_alive paused
	memcrun resume "$id"
	limits $((16 * MIB)) $((128 * MIB))
	assert_alive
}

@test "crun_does_the_rest_and_its_refusal_puts_memory_back" {
	local alone

	# what crun makes of cpu.weight by itself: the formula is another since crun 1.23
	plain
	crun update --cpu-share 512 "$id"
	[[ $CGROUP == v1 ]] || alone=$(<"$directory/cpu.weight")
	plain
	memcrun update --memory 48M --pids-limit 55 --cpu-share 512 "$id"
	limits $((48 * MIB)) $((96 * MIB))
	if [[ $CGROUP == v1 ]]; then
		assert_equal "$(cat "/sys/fs/cgroup/pids/$id/pids.max")" 55
	else
		assert_equal "$(<"$directory/pids.max")" 55
		[[ $alone != 100 ]] || fail "crun has not set cpu.weight"
		assert_equal "$(<"$directory/cpu.weight")" "$alone"
	fi
	update_refused cpu --memory 32M --cpu-quota 1 "$id"
	limits $((48 * MIB)) $((96 * MIB))
	assert_alive
}

@test "what_was_changed_by_hand_stays_unless_it_is_asked_for" {
	local file=memory.low value=4194304

	[[ $CGROUP == v2 ]] || file=memory.swappiness value=7
	plain
	echo "$value" >"$directory/$file"
	memcrun update --memory 48M "$id"
	assert_equal "$(<"$directory/$file")" "$value"
	# the same again sets right what has drifted of it
	if [[ $CGROUP == v2 ]]; then
		echo 60M >"$directory/memory.max"
		memcrun update --memory 48M "$id"
		limits_file=$(<"$directory/memory.max")
		assert_equal "$limits_file" $((48 * MIB))
	fi
}

@test "check_knows_what_is_asked_now" {
	plain
	memcrun update --memory 48M "$id"
	run memcrun check --format json "$id"
	assert_equal "$(jq -r '[.plan[] | select(.drift)] | length' <<<"$output")" 0
	assert_equal "$(jq -r '.plan[] | select(.field == "limit" and .file != null).asked' <<<"$output" |
		head -n 1)" $((48 * MIB))
}

@test "two_at_once_come_one_after_the_other_and_a_move_keeps_both_out" {
	local other

	plain
	memcrun update --memory 40M "$id" 3>&- &
	other=$!
	memcrun update --memory-swap 88M "$id"
	wait "$other"
	limits $((40 * MIB)) $((88 * MIB))
	# whoever has the record's directory locked is moving or updating it
	flock "$STATE/$id" sleep 20 3>&- &
	other=$!
	until_true "it is locked" is_locked "$STATE/$id"
	update_refused 'another memcrun' --memory 32M "$id"
	kill "$other"
	wait "$other" || [[ $? == 143 ]]
	limits $((40 * MIB)) $((88 * MIB))
}

@test "killed_at_any_write_the_next_update_sets_it_right" {
	local call number count=0 low high

	plain
	strace -o "$BATS_TEST_TMPDIR/trace" memcrun update --memory 128M --memory-swap 160M "$id" 3>&-
	memcrun update --memory 64M --memory-swap 96M "$id"
	awk -F '(' '{ count[$1]++ }
		/^write\(/ || /^renameat/ || /^unlinkat\(/ || /^(openat).*O_CREAT/ {
			print $1, count[$1] }' "$BATS_TEST_TMPDIR/trace" >"$BATS_TEST_TMPDIR/calls"
	while read -r call number; do
		count=$((count + 1))
		strace -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$number" \
			memcrun update --memory 128M --memory-swap 160M "$id" 3>&- && continue
		# never tighter than both, never wider than both
		if [[ $CGROUP == v1 ]]; then
			low=$(<"$directory/memory.limit_in_bytes") high=$(<"$directory/memory.memsw.limit_in_bytes")
			[[ $low == $((64 * MIB)) || $low == $((128 * MIB)) ]] || fail "limit $low"
			[[ $high == $((96 * MIB)) || $high == $((160 * MIB)) ]] || fail "memsw $high"
		else
			low=$(<"$directory/memory.max")
			[[ $low == $((64 * MIB)) || $low == $((128 * MIB)) ]] || fail "limit $low"
		fi
		memcrun update --memory 64M --memory-swap 96M "$id"
		limits $((64 * MIB)) $((96 * MIB))
		assert_alive
	done <"$BATS_TEST_TMPDIR/calls"
	[[ $count -gt 5 ]] || fail "only $count system calls"
}

@test "reclaim_brings_usage_down_and_says_how_far" {
	filled 40
	run memcrun reclaim --to 16M --format json "$id"
	assert_equal "$status" 0
	[[ $(jq .after_bytes <<<"$output") -le $((16 * MIB)) ]] || fail "$output"
	[[ $(usage) -le $((17 * MIB)) ]] || fail "$(usage) bytes are used"
	limits $((96 * MIB)) $((128 * MIB))
	# there it is done by a limit that kills nobody
	[[ $CGROUP == v2 ]] || assert_equal "$(head -n 1 "$directory/memory.oom_control")" \
		"oom_kill_disable 0"
	assert_alive
	run memcrun reclaim --to 16M --by 1M "$id"
	assert_equal "$status" 2
	run memcrun reclaim --swappiness 201 --to 1 "$id"
	assert_equal "$status" 2
	run memcrun reclaim --to 1M nobody
	assert_equal "$status" 1
}

@test "reclaim_that_does_not_get_there_says_so" {
	# v1 counts both together and swaps as long as it is told to
	if [[ $CGROUP == v1 ]]; then
		filled 40 "{limit: 100663296, swap: 100663296, swappiness: 0}"
	else
		filled 40 "{limit: 100663296, swap: 100663296}"
	fi
	run --separate-stderr memcrun reclaim --to 4M "$id"
	assert_equal "$status" 1
	assert_contains "$stderr" "nothing more can be reclaimed; "
	assert_contains "$stderr" " were reclaimed, "
	assert_contains "$stderr" " are in use, 4.0M wanted"
	assert_equal "$output" ""
	run --separate-stderr memcrun reclaim --to 4M --format json "$id"
	assert_equal "$status" 1
	[[ $(jq .after_bytes <<<"$output") -ge $((40 * MIB)) ]] || fail "$output"
	[[ $(usage) -ge $((40 * MIB)) ]] || fail "it was reclaimed: $(usage)"
	assert_alive
}

# The guard has the lock for as long as it has something to do.
guard_is_done()
{
	flock "$STATE/$id" true
}

@test "an_update_killed_at_any_write_leaves_nothing_to_repair" {
	local call number count=0

	plain
	strace -o "$BATS_TEST_TMPDIR/trace" memcrun update --memory 128M --memory-swap 160M "$id" 3>&-
	memcrun update --memory 64M --memory-swap 96M "$id"
	# behind the guard's fork: what comes before has changed nothing
	awk -F '(' '{ count[$1]++ }
		/^(clone|fork|vfork)/ { guarded = 1 }
		guarded && (/^write\(/ || /^renameat/ || /^unlinkat\(/ || /^openat.*O_CREAT/) {
			print $1, count[$1] }' "$BATS_TEST_TMPDIR/trace" >"$BATS_TEST_TMPDIR/calls"
	while read -r call number; do
		count=$((count + 1))
		strace -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$number" \
			memcrun update --memory 128M --memory-swap 160M "$id" 3>&- && continue
		guard_is_done
		[[ ! -e $STATE/$id/memcrun-update.json ]] || fail "a journal is left after $call $number"
		[[ ! -e $STATE/$id/.config.json.new ]] || fail "a staged record is left"
		assert_alive
		# done or not done, and the record says which
		if memcrun check --format json "$id" | jq -e '.plan[0].asked == "67108864"' >/dev/null; then
			limits $((64 * MIB)) $((96 * MIB))
		else
			limits $((128 * MIB)) $((160 * MIB))
			memcrun update --memory 64M --memory-swap 96M "$id"
		fi
	done <"$BATS_TEST_TMPDIR/calls"
	[[ $count -ge 4 ]] || fail "only $count system calls"
}

@test "a_reclaim_that_is_killed_leaves_the_limit_and_the_oom_killer_as_they_were" {
	local count=0 number

	filled 8
	[[ ! -e $directory/memory.reclaim ]] || skip "memory.reclaim changes no limit"
	for ((number = 1; number < 12; number++)); do
		strace -o /dev/null -e trace=write -e inject="write:signal=KILL:when=$number" \
			memcrun reclaim --to 1M "$id" 3>&- >/dev/null && break
		guard_is_done
		limits $((96 * MIB)) $((128 * MIB))
		assert_equal "$(head -n 1 "$directory/memory.oom_control")" "oom_kill_disable 0"
		assert_alive
		count=$((count + 1))
	done
	[[ $count -ge 4 ]] || fail "killed only $count times"
}

@test "an_update_whose_record_has_no_room_changes_nothing" {
	local root=$BATS_TEST_TMPDIR/small config shares

	mkdir "$root"
	mount -t tmpfs -o size=1M none "$root"
	# a config of more than one page, as engines write it
	configure '.linux.cgroupsPath = "/small" | .linux.resources.memory = {limit: 67108864} |
		.annotations.filler = "x" * 8192'
	memcrun --root "$root" run --detach --bundle "$BUNDLE" --config "$config" small \
		</dev/null >/dev/null 2>&1 3>&-
	directory=$MEMORY_ROOT/small
	shares=$(pids_max small)
	# two pages are left: the journal has room, the record of more than one page has not
	dd if=/dev/zero of="$root/small/filler" bs=4k 2>/dev/null || :
	truncate -s "$(($(stat -c %s "$root/small/filler") / 4096 * 4096 - 4096))" "$root/small/filler"
	[[ $(stat -c %s "$root/small/config.json") -gt 4096 ]] || fail "the record is small"
	run --separate-stderr memcrun --root "$root" update --memory 32M --pids-limit 77 small
	assert_equal "$status" 1
	assert_contains "$stderr" "No space left on device"
	assert_equal "$(pids_max small)" "$shares"
	expect limit_in_bytes=$((64 * MIB)) -- max=$((64 * MIB))
	rm "$root/small/filler"
	memcrun --root "$root" update --memory 32M --pids-limit 77 small
	expect limit_in_bytes=$((32 * MIB)) -- max=$((32 * MIB))
	assert_equal "$(pids_max small)" 77
	memcrun --root "$root" delete --force small
	umount "$root"
}

pids_max()
{
	local controller=

	[[ $CGROUP == v2 ]] || controller=pids/
	cat "/sys/fs/cgroup/$controller$1/pids.max"
}

@test "an_update_says_again_only_what_it_changes" {
	filled 0 '{limit: 67108864, kernel: 20971520}'
	# as engines do: all settings, of which one is another
	echo '{"memory":{"limit":33554432,"kernel":20971520}}' >"$BATS_TEST_TMPDIR/resources"
	run memcrun update -r "$BATS_TEST_TMPDIR/resources" "$id"
	assert_equal "$status" 0
	assert_equal "$output" ""
	run memcrun update --kernel-memory 30M "$id"
	assert_equal "$status" 0
	assert_contains "$output" 'linux.resources.memory.kernel: this kernel has no limit'
}

@test "a_result_that_cannot_be_printed_is_said_in_the_error" {
	filled 8
	run memcrun reclaim --to 1G "$id"
	assert_equal "$status" 0
	run bash -c "exec memcrun reclaim --to 1G $id >/dev/full"
	assert_equal "$status" 1
	assert_contains "$output" "memcrun: $id: 0 were reclaimed, "
	assert_contains "$output" ": reclaim: cannot print: No space left on device"
	run bash -c "exec memcrun move --to /moved-$id $id >/dev/full"
	assert_equal "$status" 1
	assert_contains "$output" "memcrun: $id: is in /moved-$id: move: cannot print: No space left on device"
}
