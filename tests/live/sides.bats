#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016 # what the helper sets; quoted for inner shells
# shellcheck disable=SC2030,SC2031 # each test is a subshell, with its own functions' globals
#
# sides.bats - both sides of `memcrun move`: whose the cgroups are, who else is in them, what
# the container has made below its own, and what it sees of them.

load helper

setup_file()
{
	make_bundle
}

teardown()
{
	[[ -z $task ]] || kill -KILL "$task" 2>/dev/null || :
	delete_made
}

# A process besides, of one test.
task=

# box NAME PATH [FILTER]: a container that sleeps, in the cgroup PATH, of which it has pids.max.
box()
{
	configure ".linux.cgroupsPath = \"$2\" | .linux.resources.pids = {limit: 77} | (${3:-.})"
	memcrun create --bundle "$BUNDLE" --config "$config" "$1" \
		</dev/null >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- ||
		fail "$(<"$BATS_TEST_TMPDIR/said")"
	made+=("$1")
	memcrun start "$1"
	pid=$(memcrun state "$1" | jq .pid)
}

# The cgroup that crun's record of container $1 names.
at()
{
	jq -r '."cgroup-path"' "$STATE/$1/status"
}

# refuses TEXT OPTION...: the move fails with these words, in one line, and leaves no journal.
refuses()
{
	local text=$1

	shift
	run --separate-stderr memcrun move "$@" 3>&-
	assert_equal "$status" 1
	assert_contains "$stderr" "$text"
	[[ $stderr != *$'\n'* ]] || fail "more than a line: $stderr"
	assert_equal "$(find "$STATE" -name memcrun-move.json)" ""
}

# A v2 hierarchy, or the one of v1 that freezes.
tree()
{
	if [[ $CGROUP == v2 ]]; then
		printf '/sys/fs/cgroup%s\n' "$1"
	else
		printf '/sys/fs/cgroup/freezer%s\n' "$1"
	fi
}

@test "two_that_move_to_one_place_do_not_share_it" {
	local first target=/sides-target-1 a=sides-a b=sides-b home

	! is_systemd || skip "systemd starts one scope of a name"
	box $a /$a
	box $b /$b
	home=$(at $b)
	# the first one has looked, and waits before it makes the destination
	strace -f -qq -o /dev/null -e trace=mkdirat -e inject=mkdirat:delay_enter=5s:when=1 \
		memcrun move --to $target $a >"$BATS_TEST_TMPDIR/first" 2>&1 3>&- &
	first=$!
	until_true "it is under way" test -e "$STATE/$a/memcrun-move.json"
	run --separate-stderr memcrun move --to $target $b 3>&-
	assert_equal "$status" 1
	assert_contains "$stderr" "$b: $target is also in use by container \"$a\""
	wait "$first" || fail "$(<"$BATS_TEST_TMPDIR/first")"
	assert_equal "$(at $a) $(at $b)" "$target $home"
	memcrun delete --force $a
	made=("$b")
	assert_equal "$(memcrun state $b | jq -r .status)" running
}

@test "a_container_that_nobody_named_is_not_taken_along" {
	! is_systemd || skip "systemd starts a scope for each container"
	box sides-outer /sides-outer
	box sides-inner "$(at sides-outer)/inner"
	refuses "sides-outer: /sides-outer/inner is also in use by container \"sides-inner\"" \
		--to /sides-target-2 sides-outer
	# the inner one may go, and then so may the outer one
	memcrun move --to /sides-inner sides-inner 3>&-
	box sides-same /sides-outer
	refuses "/sides-outer is also in use by container \"sides-same\"" \
		--to /sides-target-2 sides-outer
	memcrun delete --force sides-same
	made=(sides-outer sides-inner)
}

@test "a_process_whose_first_thread_has_ended_moves_and_moves_back" {
	local target=/sides-target-3

	! is_systemd || skip "the same as without systemd"
	box sides-a /sides-a
	# exit(2), which ends the first thread alone
	perl -Mthreads -e 'threads->create(sub { sleep 1000 }); syscall(60, 0)' 3>&- &
	task=$!
	echo "$task" >"$(tree /sides-a)/cgroup.procs"
	until_true "its first thread has ended" grep -q '^State:.*zombie' "/proc/$task/status"
	memcrun move --to $target --timeout 9 sides-a 3>&-
	assert_equal "$(wc -l <"$(tree $target)/$(threads)")" 2
	[[ ! -e $(tree /sides-a) ]] || fail "the old cgroup is left"
	memcrun move --to /sides-a --timeout 9 sides-a 3>&-
	assert_equal "$(wc -l <"$(tree /sides-a)/$(threads)")" 2
}

threads()
{
	if [[ $CGROUP == v2 ]]; then
		echo cgroup.threads
	else
		echo tasks
	fi
}

@test "what_the_container_makes_of_its_cgroups_is_no_veto_and_outlives_a_crash" {
	local path name rounds=0 target=/sides-target-4 odd
	local -a endings=(--resume --rollback)

	[[ -z ${LIVE_SHORT:-} ]] || endings=(--rollback)
	! is_systemd || skip "the same as without systemd"
	odd=$(printf '\xff\xfe')
	box sides-a /sides-a
	path=$(tree /sides-a)
	mkdir "$path"/{cgroup.x,"$odd",k,100%}
	if [[ $CGROUP == v2 ]]; then
		chmod 0600 "$path/k/cgroup.kill"
		chmod 0644 "$path/k/cgroup.stat"
		chmod 0444 "$path/k/cgroup.max.depth"
		for name in cgroup.x "$odd" k; do
			echo 80 >"$path/$name/cgroup.max.depth"
		done
	fi
	name=$path/k
	for ((rounds = 0; rounds < 70; rounds++)); do
		name+=/n
		mkdir "$name"
	done
	for name in "${endings[@]}"; do
		run strace -o /dev/null -e trace=renameat -e inject=renameat:signal=KILL:when=4 \
			memcrun move --to $target sides-a 3>&-
		assert_equal "$status" 137
		[[ -e $STATE/sides-a/memcrun-move.json ]] || fail "no journal"
		# the process that watches has the lock until it has done its work
		until_true "it has ended" flock --nonblock "$STATE/sides-a" true
		memcrun move "$name" sides-a 3>&-
		[[ $name == --rollback ]] || memcrun move --to /sides-a sides-a 3>&-
		assert_equal "$(at sides-a)" /sides-a
		[[ ! -e $(tree $target) ]] || fail "$target is left"
		assert_equal "$(find "$(tree /sides-a)/k" -type d | wc -l)" 71
		if [[ $CGROUP == v2 ]]; then
			assert_equal "$(<"$path/$odd/cgroup.max.depth")" 80
			assert_equal "$(<"$path/cgroup.x/cgroup.max.depth")" 80
			assert_equal "$(<"$path/k/cgroup.max.depth")" 80
		fi
	done
}

@test "whose_the_cgroup_is_goes_along" {
	local path file=cgroup.procs target=/sides-target-5

	! is_systemd || skip "the same as without systemd"
	box sides-a /sides-a
	path=$(tree /sides-a)
	mkdir "$path/k"
	chown 100000:100001 "$path" "$path/$file" "$path/k" "$path/k/$file"
	chmod 0775 "$path/k"
	memcrun move --to $target sides-a 3>&-
	path=$(tree $target)
	assert_equal "$(stat -c %u:%g "$path" "$path/$file" "$path/k" "$path/k/$file" | sort -u)" \
		100000:100001
	assert_equal "$(stat -c %a "$path/k")" 775
	assert_equal "$(stat -c %u "$path/k/cgroup.clone_children" "$path/k/cgroup.freeze" 2>/dev/null)" 0
}

@test "the_container_sees_its_new_cgroup_with_the_same_limits" {
	local file=/sys/fs/cgroup/pids.max target=/sides-target-6 to

	! is_systemd || skip "a scope is made otherwise, and moved like this"
	[[ $CGROUP == v2 ]] || file=/sys/fs/cgroup/pids/pids.max
	box sides-a /sides-a '.linux.namespaces |=
		map(select(.type != "cgroup")) + [{type: "cgroup"}] |
		.mounts = (.mounts | map(select(.destination != "/sys/fs/cgroup"))) +
		[{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
		  options: ["nosuid", "noexec", "nodev", "relatime", "ro"]}]'
	assert_equal "$(memcrun exec sides-a cat "$file" 3>&-)" 77
	grep ' - cgroup' "/proc/$pid/mountinfo" | awk '{ print $5, $6 }' >"$BATS_TEST_TMPDIR/before"
	for to in $target /sides-a $target; do
		assert_equal "$(memcrun move --format json --to "$to" sides-a 2>/dev/null 3>&- |
			jq '.cgroup_mounts_left, (.cgroup_mounts > 0)' | tr '\n' ' ')" "0 true "
		assert_equal "$(memcrun exec sides-a cat "$file" 3>&-)" 77
		# where they were, and read-only as they were; none upon another
		diff -u "$BATS_TEST_TMPDIR/before" \
			<(grep ' - cgroup' "/proc/$pid/mountinfo" | awk '{ print $5, $6 }') >&2
		# none of it has come out of the container
		assert_equal "$(grep -c " $to " /proc/self/mountinfo)" 0
	done
}

@test "an_engine_that_loses_sight_of_it_is_named" {
	local warned

	! is_systemd || skip "the same as without systemd"
	box sides-a /sides-a '.annotations += {"io.kubernetes.cri-o.ContainerName": "x"}'
	warned=$(memcrun move --to /sides-target-7 sides-a 2>&1 >/dev/null 3>&-)
	assert_contains "$warned" "CRI-O reads its statistics in the cgroup that it asked for"
	# there it finds them again
	warned=$(memcrun move --to /sides-a sides-a 2>&1 >/dev/null 3>&-)
	assert_lacks "$warned" CRI-O
}
