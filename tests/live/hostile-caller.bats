#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016 # what the helper sets; quoted for inner shells
# shellcheck disable=SC2030,SC2031 # each test is a subshell
#
# hostile-caller.bats - memcrun under a caller that closes descriptors, ignores signals, sets
# limits to 0, or gives a directory for records that cannot be written: no verb hangs, each
# says what is wrong or succeeds, and the container runs on, with old settings or new ones.

load helper

setup_file()
{
	make_bundle
}

setup()
{
	# crun's records, in a file system of their own that a test can fill
	records=$BATS_TEST_TMPDIR/records
	mkdir "$records"
	mount -t tmpfs -o size=256k tmpfs "$records"
	id=hostile-$BATS_TEST_NUMBER
	limit=$((256 * MIB))
	create "$id" ".linux.resources.memory = {limit: $limit}" --root "$records"
	memcrun --root "$records" start "$id"
	pid=$(memcrun --root "$records" state "$id" | jq .pid)
	count=0
	turn=0
}

teardown()
{
	mount -o remount,rw "$records"
	rm -f "$records/filling"
	[[ ! -d $records/$id ]] || memcrun --root "$records" delete --force "$id"
	umount -l "$records"
}

# What is wrong with a caller: a name, and a script that runs "$@" so.
callers='
closed stdin     |exec "$@" <&-
closed stdout    |exec "$@" >&-
closed stderr    |exec "$@" 2>&-
closed all       |exec "$@" <&- >&- 2>&-
full stdout      |exec "$@" >/dev/full
full stderr      |exec "$@" 2>/dev/full
nobody reads     |mkfifo p; exec 3<>p 4>p 3<&-; rm p; exec "$@" >&4 2>&4
no SIGCHLD       |exec env --ignore-signal=CHLD "$@"
ignored signals  |exec env --ignore-signal "$@"
blocked signals  |exec env --block-signal "$@"
no file size     |(ulimit -f 0; exec "$@") 2>&1 | cat; exit "${PIPESTATUS[0]}"
small files      |(ulimit -f 1; exec "$@") 2>&1 | cat; exit "${PIPESTATUS[0]}"
three files      |ulimit -n 3; exec "$@"
ten files        |ulimit -n 10; exec "$@"
forty files      |ulimit -n 40; exec "$@"
'

# The verbs of ours; crun's get all of that as it is. CONTAINER, TARGET and LIMIT are replaced.
verbs='
move --to TARGET CONTAINER
move --live --to TARGET CONTAINER
move --resume CONTAINER
update --memory LIMIT --pids-limit 100 CONTAINER
reclaim --by 1m CONTAINER
adopt --from TARGET CONTAINER
events --stats CONTAINER
check CONTAINER
features
'

# What must hold after each verb, whatever it has said.
assert_sound()
{
	local now recorded

	recorded=$(jq -n -e -r 'input | select(.linux) | input | select(.pid) | ."cgroup-path"' \
		"$records/$id/config.json" "$records/$id/status") ||
		fail "$1: crun's records cannot be read"
	[[ -d /proc/$pid && $(</proc/"$pid"/stat) != *") Z "* ]] || fail "$1: it does not run"
	directory=$(memory_cgroup "$pid")
	[[ $CGROUP == v1 || $(<"$directory/cgroup.events") == *"frozen 0"* ]] ||
		fail "$1: it is frozen in $directory"
	assert_equal "$1: ${directory#"$MEMORY_ROOT"/}" "$1: ${recorded#/}"
	now=$(memory_limit)
	[[ $now == "$limit" || $now == "$wanted" ]] ||
		fail "$1: the limit is $now: neither $limit nor $wanted"
	limit=$now
	[[ ! -e $records/$id/memcrun-move.json ]] || fail "$1: a move is left"
	[[ ! -e $records/$id/memcrun-update.json ]] || fail "$1: an update is left"
}

memory_limit()
{
	if [[ $CGROUP == v2 ]]; then
		echo "$(<"$directory/memory.max")"
	else
		echo "$(<"$directory/memory.limit_in_bytes")"
	fi
}

# try NAME SCRIPT VERB: memcrun VERB, called by SCRIPT.
try()
{
	local words=$3 status=0

	count=$((count + 1))
	wanted=$(((128 + count) * MIB))
	words=${words//CONTAINER/$id}
	words=${words//TARGET//live-hostile-$count}
	words=${words//LIMIT/$wanted}
	# shellcheck disable=SC2086 # words they are
	timeout -k 5 60 bash -c "$2" sh memcrun --root "$records" $words \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- </dev/null || status=$?
	# 141: SIGPIPE ends verbs that change nothing
	((status < 124)) || [[ $1 == nobody* && $words =~ ^(events|check|features) && $status == 141 ]] ||
		fail "$1: $words: status $status"
	# a failure has words, where there is somebody to hear them
	if ((status)) && [[ $1 != *stderr* && $1 != *all* && $1 != *nobody* ]]; then
		[[ $(<"$BATS_TEST_TMPDIR/out") == *?" "?* || $(<"$BATS_TEST_TMPDIR/err") == *?" "?* ]] ||
			fail "$1: $words: status $status and no word"
	fi
	# for a reader of a failure
	echo "$1: $words: $status $(<"$BATS_TEST_TMPDIR/err")"
	assert_sound "$1: $words"
}

# each_verb NAME SCRIPT: the short form takes a third of the verbs, for each caller others.
each_verb()
{
	local verb

	# the lines of $verbs are no multiple of three
	while read -r verb; do
		turn=$((turn + 1))
		[[ -n $verb && (-z ${LIVE_SHORT:-} || $((turn % 3)) == 0) ]] || continue
		try "$1" "$2" "$verb"
	done <<<"$verbs"
}

@test "under_no_caller_a_verb_hangs_or_leaves_a_container_half_done" {
	local name script

	while IFS='|' read -r name script <&4; do
		[[ -z $name ]] || each_verb "${name%%  *}" "$script"
	done 4<<<"$callers"
}

@test "records_that_cannot_be_written_leave_the_container_as_it_was" {
	mount -o remount,ro "$records"
	each_verb "read-only records" 'exec "$@"'
	mount -o remount,rw "$records"
	run dd if=/dev/zero of="$records/filling" bs=4k
	assert_contains "$output" "No space left"
	each_verb "full records" 'exec "$@"'
}

@test "a_move_with_closed_descriptors_keeps_the_container_frozen_to_its_end" {
	local closed

	[[ $CGROUP == v2 ]] || skip "what is frozen is looked at on cgroup v2"
	for closed in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
		count=$((count + 1))
		rm -f "$BATS_TEST_TMPDIR/seen"
		stopped "bash -c 'exec memcrun --root $records move --to /live-hostile-closed-$count $id $closed'"
		directory=$(memory_cgroup "$pid")
		assert_equal "$closed: $(grep frozen "$directory/cgroup.events")" "$closed: frozen 1"
		# with its output closed it fails, when all is done
		go_on || [[ $closed == *'>'* ]]
		wanted=$limit
		assert_sound "$closed"
		assert_equal "$directory" "$MEMORY_ROOT/live-hostile-closed-$count"
	done
}

# stopped COMMAND: a move that is stopped between the change of crun's record and the thaw. The
# journal is renamed three times before.
stopped()
{
	rm -f "$BATS_TEST_TMPDIR/trace"
	strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=renameat \
		-e inject=renameat:signal=STOP:when=4 sh -c "exec $1" </dev/null \
		>"$BATS_TEST_TMPDIR/moved" 2>&1 3>&- &
	tracer=$!
	until_true "the move is stopped" is_stopped
}

is_stopped()
{
	mover=$(awk '/--- stopped by SIGSTOP ---/ { print $1 }' "$BATS_TEST_TMPDIR/trace" \
		2>/dev/null)
	[[ -n $mover ]]
}

go_on()
{
	kill -CONT "$mover"
	wait "$tracer" || fail "$(<"$BATS_TEST_TMPDIR/moved")"
}

# has_open PID FILE
has_open()
{
	local fd

	for fd in "/proc/$1/fd"/*; do
		[[ ! $fd -ef $2 ]] || return 0
	done
	return 1
}

# wait_for_move VERB: it waits while the container moves, and is done behind that.
wait_for_move()
{
	local waiter

	count=$((count + 1))
	stopped "memcrun --root $records move --to /live-hostile-waited-$count $id"
	# shellcheck disable=SC2086 # words they are
	memcrun --root "$records" $1 >"$BATS_TEST_TMPDIR/waited" 2>&1 3>&- </dev/null &
	waiter=$!
	until_true "$1 waits" has_open "$waiter" "$records/$id"
	go_on
	wait "$waiter" || fail "$1: $(<"$BATS_TEST_TMPDIR/waited")"
	directory=$(memory_cgroup "$pid")
	assert_equal "$directory" "$MEMORY_ROOT/live-hostile-waited-$count"
}

@test "verbs_that_use_the_cgroup_wait_for_a_move" {
	wait_for_move "exec $id true"
	wait_for_move "ps $id"
	assert_contains "$(<"$BATS_TEST_TMPDIR/waited")" "$pid"
	wait_for_move "kill --all $id 0"
	wait_for_move "pause $id"
	assert_equal "$(memcrun --root "$records" state "$id" | jq -r .status)" paused
	# the one who paused it is not waited for
	run ! timeout 20 memcrun --root "$records" exec "$id" true
	assert_contains "$output" paused
	wait_for_move "resume $id"
	assert_equal "$(memcrun --root "$records" state "$id" | jq -r .status)" running
}
