#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016 # what the helper sets; quoted for inner shells
#
# events.bats - what a container uses, as runc says it, and when it is out of memory.

load helper

setup_file()
{
	make_bundle
}

teardown()
{
	memcrun delete --force c >/dev/null 2>&1 || [[ $? == 1 ]]
	runc delete --force r >/dev/null 2>&1 || [[ $? == 1 ]]
}

# begin FILTER: container c, running
begin()
{
	create c ".linux.resources.memory = {limit: 67108864, swap: 100663296} |
		.linux.resources.pids = {limit: 50} | $1" || fail "$said"
	memcrun start c 3>&-
}

# paths FILTER: of the numbers in the JSON on stdin for which FILTER holds, without those of
# which each kernel has its own
paths()
{
	jq -r "paths(numbers and $1) | map(tostring) | join(\".\")" |
		grep -vE '^data\.(memory\.raw|blkio|hugetlb|cpu\.usage\.percpu|intel_rdt)' | sort
}

used_a_processor()
{
	[[ $(memcrun events --stats c | jq .data.cpu.usage.total) -gt 0 ]]
}

@test "one_line_of_statistics_has_what_runc_has" {
	local ours theirs

	# a kernel that is a program counts time in ticks: what sleeps at once has used none
	begin '.process.args = ["sh", "-c", "while :; do :; done"]'
	until_true "it has used a processor" used_a_processor
	ours=$(memcrun events --stats c)
	assert_equal "$(jq -r '.type + " " + .id' <<<"$ours")" "stats c"
	assert_equal "$(jq .data.memory.usage.limit <<<"$ours")" $((64 * MIB))
	assert_equal "$(jq .data.memory.swap.limit <<<"$ours")" $((96 * MIB))
	assert_equal "$(jq .data.pids.limit <<<"$ours")" 50
	[[ $(jq .data.pids.current <<<"$ours") -ge 1 ]] || fail "$ours"
	[[ $(jq .data.memory.usage.usage <<<"$ours") -gt 0 ]] || fail "$ours"
	assert_equal "$(jq '.data.memory.raw | length > 10' <<<"$ours")" true

	# the same settings under runc: each number that it gives is here as well; but a 0,
	# which it gives for what the kernel has no file for
	configure '.linux.cgroupsPath = "/r" | .linux.resources.pids = {limit: 50} |
		.linux.resources.memory = {limit: 67108864, swap: 100663296}'
	mkdir -p "$BATS_TEST_TMPDIR/b"
	jq --arg root "$BUNDLE/rootfs" '.root.path = $root' "$config" >"$BATS_TEST_TMPDIR/b/config.json"
	runc run -d --bundle "$BATS_TEST_TMPDIR/b" r </dev/null >/dev/null 2>&1 3>&-
	theirs=$(runc events --stats r)
	assert_equal "$(comm -13 <(paths true <<<"$ours") <(paths '. != 0' <<<"$theirs"))" ""
	assert_equal "$(jq -r '.data.memory.usage.limit, .data.pids.limit' <<<"$ours")" \
		"$(jq -r '.data.memory.usage.limit, .data.pids.limit' <<<"$theirs")"
}

@test "statistics_come_in_intervals_and_end_with_the_container" {
	local lines

	begin .
	memcrun events --interval 300ms c >"$BATS_TEST_TMPDIR/events" 3>&- &
	until_true "there are three" eval '[[ $(wc -l <"$BATS_TEST_TMPDIR/events") -ge 3 ]]'
	memcrun kill c KILL
	wait $!
	lines=$(jq -r .type "$BATS_TEST_TMPDIR/events" | sort -u)
	assert_equal "$lines" stats
}

@test "being_out_of_memory_is_an_event" {
	begin '.process.args = ["sh", "-c",
		"until [ -e /dev/shm/go ]; do sleep 0.1; done; tail /dev/zero; sleep 1000"] |
		.linux.resources.memory = {limit: 16777216, swap: 16777216}'
	memcrun events --interval 1h c >"$BATS_TEST_TMPDIR/events" 3>&- &
	until_true "it listens" test -s "$BATS_TEST_TMPDIR/events"
	memcrun exec c touch /dev/shm/go
	until_true "it is told" grep -q '"type":"oom","id":"c"' "$BATS_TEST_TMPDIR/events"
	kill %1
	wait %1
}

# The kill and the end of the process come at once: the event must not get lost between them.
@test "the_first_process_is_out_of_memory_and_that_is_an_event_each_time" {
	local events=$BATS_TEST_TMPDIR/events rounds=12

	[[ -z ${LIVE_SHORT:-} ]] || rounds=5
	while ((rounds--)); do
		begin '.process.args = ["sh", "-c",
			"until [ -e /dev/shm/go ]; do sleep 0.1; done; exec tail /dev/zero"] |
			.linux.resources.memory = {limit: 16777216, swap: 16777216}'
		: >"$events"
		memcrun events --interval 1h c >"$events" 3>&- &
		until_true "it listens" test -s "$events"
		memcrun exec c touch /dev/shm/go
		wait $!
		assert_equal "$(jq -r .type "$events" | sort | uniq -c | tr -s ' ')" " 1 oom
 1 stats"
		memcrun delete c
	done
}

@test "a_container_that_moves_is_followed" {
	local lines

	begin .
	memcrun events --interval 200ms c >"$BATS_TEST_TMPDIR/events" 3>&- &
	until_true "there is one" test -s "$BATS_TEST_TMPDIR/events"
	memcrun move --to /live-moved --charges none c >/dev/null 2>&1 3>&-
	lines=$(wc -l <"$BATS_TEST_TMPDIR/events")
	until_true "there are more" eval \
		'[[ $(wc -l <"$BATS_TEST_TMPDIR/events") -gt $((lines + 2)) ]]'
	assert_equal "$(jq -r .type "$BATS_TEST_TMPDIR/events" | sort -u)" stats
	memcrun kill c KILL
	wait $!
}

# Then there is a cgroup where the old one was, and it is another one.
@test "a_container_that_has_moved_there_and_back_in_one_breath_is_followed" {
	local events=$BATS_TEST_TMPDIR/events listener old

	begin '.process.args = ["sh", "-c",
		"until [ -e /dev/shm/go ]; do sleep 0.1; done; tail /dev/zero; sleep 1000"] |
		.linux.resources.memory = {limit: 16777216, swap: 16777216}'
	old=$(memory_cgroup "$(memcrun state c | jq .pid)")
	memcrun events --interval 1h c >"$events" 3>&- &
	listener=$!
	until_true "it listens" test -s "$events"
	kill -STOP "$listener"
	memcrun move --to /live-breath --charges none c >/dev/null 2>&1 3>&-
	memcrun move --to "${old#"$MEMORY_ROOT"}" --charges none c >/dev/null 2>&1 3>&-
	kill -CONT "$listener"
	memcrun exec c touch /dev/shm/go
	until_true "it is told" grep -q '"type":"oom","id":"c"' "$events"
	kill "$listener"
	wait "$listener"
}

@test "features_are_crun_s_and_ours" {
	local features

	features=$(memcrun features)
	assert_equal "$(jq -r '.linux.cgroup.v2' <<<"$features")" true
	assert_equal "$(jq -r '.annotations["org.memcrun.file.limit"]' <<<"$features")" \
		"$([[ $CGROUP == v1 ]] && echo memory.limit_in_bytes || echo memory.max)"
}

@test "who_asks_for_nothing_that_runs_is_told" {
	run --separate-stderr memcrun events nobody
	assert_equal "$status" 1
	assert_contains "$stderr" "memcrun: nobody: "
	run --separate-stderr memcrun events --interval soon c
	assert_equal "$status" 2
	assert_contains "$stderr" '--interval: not a time, "soon"'
}
