#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016 # what the helper sets; quoted for inner shells
# shellcheck disable=SC2030,SC2031 # each test is a subshell, with its own functions' globals
#
# move.bats - `memcrun move`: a container goes to another cgroup with its charges and
# all of its settings, or nothing happens. On v1, on v2, on v2 with the series, and with
# systemd as PID 1, where each container has a scope.

load helper

setup_file()
{
	make_bundle
	# kinds of memory, in amounts
	cp "$("$BATS_TEST_DIRNAME/../programs")/memory-holder" "$BUNDLE/rootfs/bin/"

	# Can this kernel move charges, and how?
	local probe=$MEMORY_ROOT/live-probe

	mkdir "$probe"
	export MOVES=nothing
	if [[ -e $probe/memory.migrate ]]; then
		MOVES=all
	elif [[ $CGROUP == v1 ]] && echo 3 >"$probe/memory.move_charge_at_immigrate"; then
		MOVES=mapped
	fi
	rmdir "$probe"
}

setup()
{
	targets=0
	# what was made besides: processes, cgroups
	extra=()
}

teardown()
{
	local pid

	for pid in "${extra[@]}"; do
		kill -KILL "$pid" 2>/dev/null || :
	done
	delete_made
}

# --- a container, wherever it is

# A process that counts in its own /dev/shm, beside two that do nothing. It waits without
# a process that would come and go.
COUNTS='sleep 1000 & sleep 1000 & mkfifo /dev/shm/w; exec 3<>/dev/shm/w; i=0
	while :; do i=$((i+1)); echo $i >/dev/shm/n; read -t 0.05 -u 3 x; done'

# container FILTER [SCRIPT]: one that runs SCRIPT, with its config changed by FILTER. Its
# name is in $id, its process in $pid. Under systemd it has a scope.
container()
{
	local script=${2:-$COUNTS} path options=()

	tried=$((tried + 1))
	id=move-$BATS_TEST_NUMBER-$tried
	path=/$id
	if is_systemd; then
		path=system.slice:live:$id
		options=(--systemd-cgroup)
	fi
	configure ".linux.cgroupsPath = \"$path\" | ($1)"
	jq --arg script "$script" '.process.args = ["sh", "-c", $script]' "$config" >"$config.new"
	mv "$config.new" "$config"
	memcrun "${options[@]}" create --bundle "$BUNDLE" --config "$config" "$id" \
		</dev/null >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- ||
		fail "$(<"$BATS_TEST_TMPDIR/said")"
	made+=("$id")
	memcrun start "$id"
	pid=$(memcrun state "$id" | jq .pid)
	until_true "it counts" test -s "/proc/$pid/root/dev/shm/n"
}

# The cgroup that container $id has for itself, from the root, is put into $at: it is what
# moves. What crun has below that, under systemd, into $below. No process is started for
# that, as each takes its time under emulation.
look()
{
	local text

	text=
	read -r -d '' text <"$STATE/$id/status" || [[ -n $text ]] || return 1
	# json-c, of crun 1.28 and later, writes each / as \/
	text=${text//\\\//\/}
	[[ $text =~ \"cgroup-path\":\ *\"/?([^\"]*)\" ]] || fail "no cgroup-path: $text"
	at=/${BASH_REMATCH[1]}
	below=
	if [[ $text =~ \"scope\":\ *\"([^\"]+)\" ]]; then
		below=${at#*"/${BASH_REMATCH[1]}"}
		at=${at%"$below"}
	fi
}

# A place to move to, in $target.
new_target()
{
	targets=$((targets + 1))
	target=/live-target-$BATS_TEST_NUMBER-$targets
	! is_systemd || target=/system.slice${target/live/live-t}.scope
}

# The directories of cgroup $1 in all hierarchies where there is one.
directories()
{
	local mount

	if [[ $CGROUP == v2 ]]; then
		[[ ! -d /sys/fs/cgroup$1 ]] || printf '%s\n' "/sys/fs/cgroup$1"
		return
	fi
	for mount in /sys/fs/cgroup/*; do
		[[ -L $mount || ! -d $mount$1 ]] || printf '%s\n' "$mount$1"
	done
}

# All that can be set in cgroup $1 and below it, of all controllers: each file that can
# be read and written, but for what counts, and lists of tasks. A line for each.
settings()
{
	directories "$1" | TOP=$1 perl -MFile::Find -e '
		chomp(my @directories = <STDIN>);
		my @lines;
		for my $directory (@directories) {
			my ($mount) = $directory =~ /^(.*)\Q$ENV{TOP}\E$/;
			find({ no_chdir => 1, wanted => sub {
				my @stat = lstat;
				return unless -f _ && ($stat[2] & 0600) == 0600;
				my ($name) = m{([^/]*)$};
				return if $name =~ /^(tasks|cgroup\.(procs|threads)|.*\.peak|.*failcnt|
					(cpu|io|memory|irq)\.pressure|.*max_usage_in_bytes|
					cpuacct\.usage)$/x;
				open(my $file, "<", $_) or return;
				local $/;
				my $value = <$file>;
				return unless defined $value;
				# what is behind it counts
				$value =~ s/\n.*//s if $name eq "memory.oom_control";
				$value =~ s/\n/\\n/g;
				my $path = substr($_, length $directory);
				push @lines, "$mount:$path=$value\n";
			} }, $directory);
		}
		print sort @lines;'
}

# What all tasks of cgroup $1 and of crun's own below it are: a line for each hierarchy.
tasks()
{
	local directory name=cgroup.procs
	local -a found more

	[[ $CGROUP == v2 ]] || name=tasks
	while read -r directory; do
		mapfile -t found <"$directory/$name"
		if [[ -n $below && -e $directory$below/$name ]]; then
			mapfile -t more <"$directory$below/$name"
			found+=("${more[@]}")
		fi
		[[ ${#found[@]} == 0 ]] || printf '%s %s\n' "${directory%"$1"}" "${found[*]}"
	done < <(directories "$1")
}

# Bytes charged to cgroup $1 and below it, with swap.
usage()
{
	local directory=$MEMORY_ROOT$1

	if [[ $CGROUP == v2 ]]; then
		cat "$directory"/memory.current "$directory"/memory.swap.current
	else
		cat "$directory/memory.usage_in_bytes"
		awk '$1 == "total_swap" { print $2 }' "$directory/memory.stat"
	fi | awk '{ n += $1 } END { printf "%d\n", n }'
}

# Pages that the kernel keeps charged for each processor.
BATCH=$((64 * 4096 * $(nproc)))

assert_near()
{
	local difference=$(($1 - $2))

	((difference <= BATCH && -difference <= BATCH)) || fail "${3:-bytes}: $1, not about $2"
}

# The counter of COUNTS; it is written in two steps, so that it may be nothing for a
# moment.
counter()
{
	local value=

	for _ in {1..100}; do
		value=$(<"/proc/$1/root/dev/shm/n") || return 1
		[[ -z $value ]] || break
		# while it is frozen it stays half written
		sleep 0.01
	done
	printf '%s\n' "$value"
}

counts_on()
{
	[[ $(counter "$1") -gt $2 ]]
}

# Container $id runs: its counter goes on.
assert_runs()
{
	until_true "the counter goes on" counts_on "$pid" "$(counter "$pid")"
}

# Container $id is in cgroup $1 alone, cgroup $2 is gone everywhere, and no journal left.
assert_moved()
{
	local line

	look
	assert_equal "$at" "$1"
	assert_equal "$(directories "$2")" ""
	while IFS=: read -r _ _ line; do
		# what a kernel without controllers has of v2 beside v1
		[[ $line == / ]] || assert_equal "${line:0:${#1}}" "$1"
	done <"/proc/$pid/cgroup"
	[[ ! -e $STATE/$id/memcrun-move.json ]] || fail "a journal is left"
}

# move OPTION...: it works; its words about itself are in $moved.
move()
{
	moved=$(memcrun move --format json "$@" "$id" 2>"$BATS_TEST_TMPDIR/warned" 3>&-) ||
		fail "$(<"$BATS_TEST_TMPDIR/warned")"
	warned=$(<"$BATS_TEST_TMPDIR/warned")
}

# What move has said, by name.
told_of()
{
	jq -r ".$1" <<<"$moved"
}

# move_fails TEXT OPTION...: it says TEXT in one line, and nothing is other than before.
move_fails()
{
	local text=$1

	shift
	look
	if [[ ! -e $BATS_TEST_TMPDIR/untouched ]]; then
		{ echo "$at"; settings "$at"; tasks "$at"; } >"$BATS_TEST_TMPDIR/untouched"
	fi
	run --separate-stderr memcrun move "$@" "$id" 3>&-
	assert_equal "$status" 1
	[[ $stderr != *$'\n'* ]] || fail "more than a line: $stderr"
	assert_contains "$stderr" "$text"
	look
	diff -u "$BATS_TEST_TMPDIR/untouched" <(echo "$at"; settings "$at"; tasks "$at") >&2
	[[ ! -e $STATE/$id/memcrun-move.json ]] || fail "a journal is left"
	assert_runs
}

# Settings of all controllers, such as crun can make them here: of each that the kernel has.
all_settings()
{
	printf '%s' '.linux.resources.memory = {limit: 268435456, reservation: 134217728} |
		.linux.resources.pids = {limit: 77} |
		.linux.resources.cpu = {shares: 512, quota: 150000, period: 200000}'
	! has_controller cpuset ||
		printf ' | .linux.resources.cpu += {cpus: "0-%d", mems: "0"}' $(($(nproc) - 1))
	! has_controller hugetlb || printf '%s' \
		' | .linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 8388608}]'
}

# A throttle on the first disk; crun writes it where the io controller is.
io_settings()
{
	local device

	device=$(cat /sys/block/zram0/dev /sys/block/ram0/dev 2>/dev/null | head -n 1)
	printf '.linux.resources.blockIO = {throttleReadBpsDevice: [{major: %d, minor: %d, rate: 10485760}]}' \
		"${device%:*}" "${device#*:}"
}

# --- moving

@test "a_container_moves_there_and_back_with_all_settings_of_all_controllers" {
	local home before after count

	container "$(all_settings) | $(io_settings)"
	look
	home=$at
	before=$(settings "$home")
	# it is no test if they are not there
	assert_contains "$before" "=77\\n"
	assert_contains "$before" "=268435456\\n"
	assert_contains "$before" 10485760
	! has_controller cpuset || assert_contains "$before" "/cpuset.cpus=0"
	! has_controller hugetlb || assert_contains "$before" "=8388608\\n"
	count=$(tasks "$home")
	new_target
	move --to "$target"
	assert_moved "$target" "$home"
	after=$(settings "$target")
	diff -u <(printf '%s\n' "$before") <(printf '%s\n' "$after") >&2
	assert_equal "$(tasks "$target")" "$count"
	assert_equal "$(told_of from) $(told_of to)" "$home $target"
	[[ $(told_of frozen_usec) -gt 0 ]] || fail "$moved"
	assert_runs

	move --to "$home"
	assert_moved "$home" "$target"
	diff -u <(printf '%s\n' "$before") <(settings "$home") >&2
	assert_runs
}

@test "memory_is_charged_to_the_new_cgroup_as_far_as_the_kernel_can" {
	local home before after

	container . "sleep 1000 | memory-holder anon 64 >/dev/shm/ready & $COUNTS"
	look
	home=$at
	until_true "the memory is there" test -s "/proc/$pid/root/dev/shm/ready"
	before=$(usage "$home")
	[[ $before -gt $((64 * MIB)) ]] || fail "only $before"
	new_target
	move --to "$target"
	after=$(usage "$target")
	case $MOVES in
	all)
		assert_near "$after" "$before"
		assert_equal "$(told_of left_bytes)" 0
		assert_near "$(told_of after_bytes)" "$(told_of before_bytes)"
		[[ $(told_of types.anon.moved_bytes) -ge $((64 * MIB)) ]] || fail "$moved"
		;;
	mapped)
		# the page cache and the kernel's own stay
		[[ $after -ge $((64 * MIB)) ]] || fail "only $after"
		;;
	nothing)
		[[ $(told_of left_bytes) -ge $((64 * MIB)) ]] || fail "$moved"
		assert_contains "$warned" "this kernel moves no charges: $(told_of left_bytes) bytes stay charged to $home, which is removed"
		assert_equal "$(wc -l <<<"$warned")" 1
		;;
	esac
	move --to "$home"
	[[ $MOVES != all ]] || assert_near "$(usage "$home")" "$before"
	assert_runs
}

@test "all_verbs_work_on_a_container_that_has_moved" {
	local directory

	container '.linux.resources.pids = {limit: 77}'
	new_target
	move --to "$target"
	assert_equal "$(memcrun state "$id" | jq -r .status)" running
	assert_contains "$(memcrun list)" "$id"
	assert_equal "$(memcrun exec "$id" echo here 3>&-)" here
	# exec's process is in the new cgroup as well
	assert_contains "$(memcrun exec "$id" cat /proc/1/cgroup 3>&-; cat "/proc/$pid/cgroup")" "$target"
	assert_contains "$(memcrun ps "$id")" "$pid"
	look
	memcrun update --pids-limit 66 "$id"
	directory=/sys/fs/cgroup
	[[ $CGROUP == v2 ]] || directory+=/pids
	assert_equal "$(<"$directory$target$below/pids.max")" 66
	memcrun pause "$id"
	assert_equal "$(memcrun state "$id" | jq -r .status)" paused
	memcrun resume "$id"
	assert_runs
	memcrun check "$id"
	memcrun kill "$id" KILL
	until_true "it is stopped" eval '[[ $(memcrun state "$id" | jq -r .status) == stopped ]]'
	memcrun delete "$id"
	made=()
	until_true "its cgroup is gone" eval '[[ -z $(directories "$target") ]]'
	[[ ! -e $STATE/$id ]] || fail "its state is left"
}

@test "the_device_filter_holds_before_during_and_after" {
	local home node

	# It tries all the time. On one processor Linux 6.1 lets a process that joins the new
	# cgroup wait for half a minute beside such a loop, unless the loop is nice.
	container '.process.capabilities.bounding += ["CAP_MKNOD"] |
		.process.capabilities.effective += ["CAP_MKNOD"] |
		.process.capabilities.permitted += ["CAP_MKNOD"]' \
		'renice -n 19 -p $$; mknod /dev/refused c 1 11; mknod /dev/allowed c 1 5
		i=0; while :; do
			i=$((i+1)); echo $i >/dev/shm/n
			(: </dev/refused) 2>/dev/null && echo opened >/dev/shm/opened
			(: </dev/allowed) 2>/dev/null || echo refused >/dev/shm/opened
		done'
	look
	home=$at
	node=/proc/$pid/root/dev/refused
	until_true "the node is there" test -e "$node"
	# nothing but the filter refuses it
	(: <"$node")
	run memcrun exec "$id" sh -c ': </dev/refused' 3>&-
	assert_contains "$output" "Operation not permitted"
	for _ in {1..3}; do
		new_target
		move --to "$target"
		run memcrun exec "$id" sh -c ': </dev/refused' 3>&-
		assert_contains "$output" "Operation not permitted"
		memcrun exec "$id" sh -c ': </dev/allowed' 3>&-
		move --to "$home"
		assert_runs
	done
	run memcrun exec "$id" sh -c ': </dev/refused' 3>&-
	assert_contains "$output" "Operation not permitted"
	[[ ! -e /proc/$pid/root/dev/shm/opened ]] ||
		fail "a device was $(<"/proc/$pid/root/dev/shm/opened") meanwhile"
}

dying()
{
	awk '$1 == "nr_dying_descendants" { print $2 }' \
		"/sys/fs/cgroup$(dirname "$1")/cgroup.stat"
}

@test "nothing_is_left_dying_of_a_container_in_the_hosts_cgroup_namespace" {
	local home before

	[[ $CGROUP == v2 ]] || skip "cgroup v1 does not say what is dying"
	[[ $MOVES == all ]] || skip "charges that stay keep the old cgroup: this kernel moves none"
	container '.linux.namespaces |= map(select(.type != "cgroup"))' \
		"head -c 16m /dev/zero >/dev/shm/file; $COUNTS"
	assert_runs
	look
	home=$at
	# what containers before this one have left behind goes by and by
	before=$(dying "$home")
	for _ in {1..5}; do
		new_target
		move --to "$target"
		assert_equal "$(told_of old_is_dying) $warned" "false "
		move --to "$home"
		assert_equal "$(told_of old_is_dying) $warned" "false "
	done
	[[ $(dying "$home") -le $before ]] || fail "$(dying "$home") are dying, $before were before"
}

@test "what_keeps_the_old_cgroup_dying_is_said" {
	[[ $CGROUP == v2 ]] || skip "cgroup v1 does not say what is dying"
	[[ $MOVES == all ]] || skip "charges that stay keep the old cgroup: this kernel moves none"
	container .
	new_target
	move --to "$target"
	assert_equal "$(told_of old_is_dying) $(told_of old_is_held_by_namespace)" "true true"
	assert_contains "$warned" "the container's cgroup namespace keeps"
}

@test "slice_keeps_the_name_and_changes_what_is_above" {
	local home name most

	container '.linux.resources.pids = {limit: 77}'
	look
	home=$at
	name=${home##*/}
	! is_systemd || most=$(systemctl show -P TasksMax "$name")
	# a scope's name is taken as long as it is there
	! is_systemd || name=${name%.scope}-m1.scope
	move --slice live-deep.slice
	assert_moved "/live.slice/live-deep.slice/$name" "$home"
	assert_contains "$(settings "$at")" "=77\\n"
	if is_systemd; then
		assert_equal "$(systemctl show -P Slice "$name")" live-deep.slice
		assert_equal "$(systemctl show -P TasksMax "$name")" "$most"
	fi
	assert_runs
	move --to "$home"
	assert_moved "$home" "/live.slice/live-deep.slice/$name"
}

@test "charges_none_and_one_type_leave_the_rest" {
	local home before

	if [[ $MOVES == nothing ]]; then
		container .
		look
	home=$at
		new_target
		move_fails "this kernel moves no charges (memory.migrate), as --charges asks" \
			--charges all --to "$target"
		move_fails "this kernel moves no charges" --charges anon --to "$target"
		assert_equal "$(directories "$target")" ""
		# none is what this kernel can
		move --charges none --to "$target"
		return
	fi
	container . "sleep 1000 | memory-holder anon 32 >/dev/shm/ready &
		head -c 16m /dev/zero >/dev/shm/file; $COUNTS"
	look
	home=$at
	until_true "the memory is there" test -s "/proc/$pid/root/dev/shm/ready"
	assert_runs
	new_target
	move --charges none --to "$target"
	[[ $(told_of left_bytes) -ge $((48 * MIB)) ]] || fail "$moved"
	[[ $(usage "$target") -lt $((8 * MIB)) ]] || fail "$(usage "$target") went along"

	memcrun delete --force "$id"
	container . "sleep 1000 | memory-holder anon 32 >/dev/shm/ready &
		head -c 16m /dev/zero >/dev/shm/file; $COUNTS"
	until_true "the memory is there" test -s "/proc/$pid/root/dev/shm/ready"
	assert_runs
	new_target
	move --charges anon --to "$target"
	[[ $(usage "$target") -ge $((32 * MIB)) ]] || fail "$(usage "$target") went along: $moved"
	[[ $(usage "$target") -lt $((40 * MIB)) ]] || fail "$(usage "$target") went along: $moved"
	assert_runs
}

@test "a_paused_container_is_moved_and_stays_paused" {
	local home count

	container .
	look
	home=$at
	assert_runs
	memcrun pause "$id"
	count=$(counter "$pid")
	new_target
	move --to "$target"
	assert_moved "$target" "$home"
	assert_equal "$(memcrun state "$id" | jq -r .status)" paused
	move --to "$home"
	assert_equal "$(memcrun state "$id" | jq -r .status)" paused
	sleep 0.3
	assert_equal "$(counter "$pid")" "$count"
	memcrun resume "$id"
	assert_runs
}

# --- what is below

# join PID DIRECTORY
join()
{
	echo "$1" >"$2/cgroup.procs"
}

@test "nested_cgroups_come_along_with_their_limits_tasks_and_controllers" {
	local home before tasks_before directory task threads=() sub

	container '.linux.resources.pids = {limit: 77}'
	look
	home=$at
	assert_runs
	# a process with threads, which is to be in the container's cgroup alone
	redis-server --port 0 --unixsocket "$BATS_TEST_TMPDIR/socket" --save "" \
		--dir "$BATS_TEST_TMPDIR" >/dev/null 3>&- &
	task=$!
	extra+=("$task")
	until_true "it has threads" eval '[[ $(ls "/proc/$task/task" | wc -l) -ge 4 ]]'
	threads=("/proc/$task/task"/*)
	threads=("${threads[@]##*/}")

	while read -r directory; do
		mkdir "$directory"/{a,b,b/c,d,d/t}
	done < <(directories "$home")
	if [[ $CGROUP == v2 ]]; then
		sub=/sys/fs/cgroup$home
		echo threaded >"$sub/d/t/cgroup.type"
		# no processes beside children with controllers
		memcrun pause "$id"
		while read -r each; do
			join "$each" "$sub/a"
		done < <(cat "$sub/cgroup.procs" "/sys/fs/cgroup$home$below/cgroup.procs" | sort -u)
		memcrun resume "$id"
		echo "+memory +pids" >"$sub/cgroup.subtree_control"
		echo "+pids" >"$sub/b/cgroup.subtree_control"
		echo $((200 * MIB)) >"$sub/a/memory.max"
		echo 33 >"$sub/b/c/pids.max"
		echo 5 >"$sub/d/cgroup.max.depth"
		join "$task" "$sub/d"
		for each in "${threads[@]:2}"; do
			echo "$each" >"$sub/d/t/cgroup.threads"
		done
	else
		echo $((200 * MIB)) >"/sys/fs/cgroup/memory$home/a/memory.limit_in_bytes"
		echo 33 >"/sys/fs/cgroup/pids$home/b/c/pids.max"
		for sub in freezer memory pids; do
			join "$pid" "/sys/fs/cgroup/$sub$home/a"
			join "$task" "/sys/fs/cgroup/$sub$home/d"
		done
		# v1: each thread may be elsewhere
		for each in "${threads[@]:2}"; do
			echo "$each" >"/sys/fs/cgroup/pids$home/d/t/tasks"
		done
	fi
	before=$(settings "$home")
	tasks_before=$(places "$home")
	assert_contains "$before" "33\\n"
	new_target
	for there in "$target" "$home"; do
		look
		was=$at
		move --to "$there"
		assert_moved "$there" "$was"
		diff -u <(printf '%s\n' "$before") <(settings "$there") >&2
		diff -u <(printf '%s\n' "$tasks_before") <(places "$there") >&2
		assert_runs
		assert_equal "$(redis-cli -s "$BATS_TEST_TMPDIR/socket" ping)" PONG
	done
}

# Which task is where below cgroup $1.
places()
{
	local directory name=cgroup.threads

	[[ $CGROUP == v2 ]] || name=tasks
	while read -r directory; do
		(cd "$directory" && find . -name "$name" | while read -r file; do
			sed "s|^|${directory%"$1"} ${file%/*} |" "$file"
		done)
	done < <(directories "$1") | sort
}

# --- refusals

@test "what_cannot_be_is_refused_and_nothing_changes" {
	local home

	container .
	look
	home=$at
	new_target
	if is_systemd; then
		move_fails "scope" --to "${home%/*}"
		move_fails "not the name of a slice" --to "$home/inside.scope"
		move_fails "scope" --to /system.slice/nothing
		move_fails "scope" --to "$home/inside"
	else
		move_fails "one is inside the other" --to "$home/inside"
		mkdir "$MEMORY_ROOT$target"
		move_fails "there is a cgroup already" --to "$target"
		rmdir "$MEMORY_ROOT$target"
		move_fails "the root is nobody's cgroup" --to /
	fi
	move_fails "it is there already" --to "$home"
	move_fails "not a cgroup's path" --to "/a/../b"
	move_fails "not a cgroup's path" --to "/cgroup.procs"
	move_fails "not the name of a slice" --slice nonsense
	assert_equal "$(directories "$target")" ""

	run --separate-stderr memcrun move --to "$target" no-such-one
	assert_equal "$status" 1
	assert_contains "$stderr" no-such-one
	assert_equal "$(wc -l <<<"$stderr")" 1
	run --separate-stderr memcrun move --resume "$id"
	assert_equal "$status" 1
	assert_contains "$stderr" "no move is under way"
	run --separate-stderr memcrun move "$id"
	assert_equal "$status" 2

	memcrun kill "$id" KILL
	until_true "it is stopped" eval '[[ $(memcrun state "$id" | jq -r .status) == stopped ]]'
	run --separate-stderr memcrun move --to "$target" "$id"
	assert_equal "$status" 1
	assert_contains "$stderr" "not running"
	assert_equal "$(directories "$target")" ""
}

@test "no_room_in_a_cgroup_above_is_refused" {
	local above limit=memory.max pids=/sys/fs/cgroup

	! is_systemd || skip "systemd makes the cgroups above"
	container . "sleep 1000 | memory-holder anon 64 >/dev/shm/ready & $COUNTS"
	until_true "the memory is there" test -s "/proc/$pid/root/dev/shm/ready"
	above=/live-above-$BATS_TEST_NUMBER
	mkdir "$MEMORY_ROOT$above"
	if [[ $CGROUP == v1 ]]; then
		limit=memory.limit_in_bytes
		pids=/sys/fs/cgroup/pids
		mkdir "$pids$above"
	else
		echo "+memory +pids" >"$MEMORY_ROOT$above/cgroup.subtree_control"
	fi
	if [[ $MOVES != nothing ]]; then
		echo $((32 * MIB)) >"$MEMORY_ROOT$above/$limit"
		move_fails "no room: $limit is $((32 * MIB))" --to "$above/there"
		echo $((256 * MIB)) >"$MEMORY_ROOT$above/$limit"
	fi
	echo 2 >"$pids$above/pids.max"
	move_fails "no room: pids.max is 2" --to "$above/there"
	assert_equal "$(directories "$above/there")" ""
	echo max >"$pids$above/pids.max"
	move --to "$above/there"
	look
	assert_equal "$at" "$above/there"
	assert_runs
	memcrun delete --force "$id"
	made=()
	rmdir "$MEMORY_ROOT$above"
	[[ $CGROUP == v2 ]] || rmdir "$pids$above"
}

# --- two, and half of one

# What a write to this file, or to the end of it, waits for: in a move's middle.
waiting_move()
{
	local file=$1

	shift
	# a shell's background job ignores SIGINT, and memcrun leaves it at that
	env --default-signal=INT strace -f -qq -o /dev/null -P "$file" -e trace=write \
		-e inject=write:delay_enter=10s:when=1 memcrun move "$@" \
		>"$BATS_TEST_TMPDIR/first" 2>&1 3>&- &
	first=$!
	extra+=("$first")
}

# By which file the destination is given its tasks, and when a move is in its middle: the
# container is frozen.
middle_of()
{
	if [[ $CGROUP == v2 ]]; then
		printf '%s\n' "$MEMORY_ROOT$1/cgroup.procs"
	else
		printf '%s\n' "/sys/fs/cgroup/freezer$1/tasks"
	fi
}

is_frozen()
{
	if [[ $CGROUP == v2 ]]; then
		grep -qx "frozen 1" "/sys/fs/cgroup$1/cgroup.events"
	else
		[[ $(<"/sys/fs/cgroup/freezer$1/freezer.state") == FROZEN ]]
	fi
}

# The first one has come to its end, with $status.
ended()
{
	status=0
	wait "$first" || status=$?
}

# The process that strace $1 has started.
traced()
{
	pgrep -P "$1" -o memcrun
}

@test "of_two_moves_at_once_one_is_refused_by_name" {
	local home first

	container .
	look
	home=$at
	new_target
	waiting_move "$(middle_of "$target$below")" --to "$target" "$id"
	until_true "it is in its middle" is_frozen "$home$below"
	run --separate-stderr memcrun move --to "$target-2" "$id"
	assert_equal "$status" 1
	assert_contains "$stderr" "$id: another memcrun is moving"
	ended
	assert_equal "$status" 0
	assert_moved "$target" "$home"
	assert_runs
}

# undone STATUS: all is as it was before a move that did not come to its end.
assert_undone()
{
	assert_moved "$home" "$target"
	diff -u "$BATS_TEST_TMPDIR/before" <(settings "$home") >&2
	assert_runs
}

@test "ctrl_c_and_timeout_in_the_middle_of_migration_undo_it" {
	local home first before

	[[ $MOVES == all ]] || skip "this kernel has no migration to be in the middle of"
	container . "sleep 1000 | memory-holder anon 256 >/dev/shm/ready & $COUNTS"
	look
	home=$at
	until_true "the memory is there" test -s "/proc/$pid/root/dev/shm/ready"
	settings "$home" >"$BATS_TEST_TMPDIR/before"
	before=$(usage "$home")

	# the write itself waits, so that it is sure to be under way
	new_target
	waiting_move "$MEMORY_ROOT$target/memory.migrate" --to "$target" "$id"
	until_true "it is in its middle" is_frozen "$home$below"
	sleep 0.3
	kill -INT "$(traced "$first")"
	ended
	assert_equal "$status" 1
	assert_contains "$(<"$BATS_TEST_TMPDIR/first")" "nothing moved: interrupted"
	assert_undone
	assert_near "$(usage "$home")" "$before"

	waiting_move "$MEMORY_ROOT$target/memory.migrate" --timeout 2 --to "$target" "$id"
	ended
	assert_equal "$status" 1
	assert_contains "$(<"$BATS_TEST_TMPDIR/first")" "nothing moved: not done "
	assert_undone
	assert_near "$(usage "$home")" "$before"
}

@test "at_any_time_a_timeout_undoes_a_move_or_comes_too_late" {
	local home before done=0 undone=0 timeout timeouts=(0.01 0.05 0.1 0.15 0.2 0.3 10)

	container . "sleep 1000 | memory-holder anon 256 >/dev/shm/ready & $COUNTS"
	look
	home=$at
	until_true "the memory is there" test -s "/proc/$pid/root/dev/shm/ready"
	settings "$home" >"$BATS_TEST_TMPDIR/before"
	before=$(usage "$home")
	new_target
	[[ -z ${LIVE_SHORT:-} ]] || timeouts=(0.01 0.15 10)
	for timeout in "${timeouts[@]}"; do
		run --separate-stderr memcrun move --timeout "$timeout" --to "$target" "$id"
		if [[ $status == 1 ]]; then
			undone=$((undone + 1))
			# freezing has words of its own
			assert_contains "$stderr" "nothing moved: "
			assert_undone
		else
			done=$((done + 1))
			assert_equal "$status" 0
			assert_moved "$target" "$home"
			move --to "$home"
			assert_undone
		fi
		[[ $MOVES != all ]] || assert_near "$(usage "$home")" "$before"
	done
	[[ $undone -ge 1 && $done -ge 1 ]] || fail "$undone undone, $done done"
}

# --- killed

# All tasks of the container are in one of the two cgroups, in all hierarchies, and it
# counts on: $1 is what the counter was.
on_one_side()
{
	local side=0

	[[ -z $(tasks "$home") ]] || side=$((side + 1))
	[[ -z $(tasks "$target") ]] || side=$((side + 1))
	[[ $side == 1 ]] && counts_on "$pid" "$1"
}

# killed CALL N: memcrun dies when it makes its Nth CALL; it is for us to see that the
# container has not noticed, and to end the move by $3.
killed()
{
	local call=$1 number=$2 ending=$3 status=0 count after words

	count=$(counter "$pid")
	strace -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$number" \
		memcrun move --to "$target" "$id" </dev/null >/dev/null 2>&1 3>&- || status=$?
	after=${EPOCHREALTIME/[.,]/}
	[[ $status == 137 ]] || fail "not killed at $call number $number: $status"
	count=$(counter "$pid")
	until on_one_side "$count"; do
		# a bound, for a loaded machine that emulates; the test says what it was
		((${EPOCHREALTIME/[.,]/} - after < 20000000)) ||
			fail "killed at $call number $number: home: $(tasks "$home") target: $(tasks "$target") $(counter "$pid")"
		sleep 0.02
	done
	slowest=$((slowest > ${EPOCHREALTIME/[.,]/} - after ? slowest : ${EPOCHREALTIME/[.,]/} - after))
	if [[ -e $STATE/$id/memcrun-move.json ]]; then
		# before it is ended, no other is begun
		run --separate-stderr memcrun move --to "$target-other" "$id"
		assert_equal "$status" 1
		assert_contains "$stderr" "has not ended"
		run --separate-stderr memcrun move "--$ending" "$id"
		[[ $status == 0 ]] || fail "killed at $call number $number, --$ending: $stderr"
	else
		ending=nothing
	fi
	look
	if [[ $at == "$target" ]]; then
		words=$target
		assert_moved "$target" "$home"
		diff -u "$BATS_TEST_TMPDIR/before" <(settings "$target") >&2 ||
			fail "killed at $call number $number, then $ending"
		[[ $ending != rollback ]] || fail "killed at $call number $number: it is still there"
		move --to "$home"
	else
		words=$home
		[[ $ending != resume ]] || fail "killed at $call number $number: it has gone back"
	fi
	[[ $words == "$target" ]] || assert_equal "$(directories "$target")" ""
	assert_moved "$home" "$target"
	diff -u "$BATS_TEST_TMPDIR/before" <(settings "$home") >&2 ||
		fail "killed at $call number $number, then $ending"
	counts_on "$pid" "$count"
}

@test "killed_at_any_system_call_that_changes_something_it_can_be_ended_either_way" {
	local home call number n=0 step=1 point points slowest=0 endings=(resume rollback)

	# a move, an end to it and a move back each: the short form takes some
	[[ -z ${LIVE_SHORT:-} ]] || step=2
	container "$(all_settings)" "sleep 1000 | memory-holder anon 16 >/dev/shm/ready & $COUNTS"
	look
	home=$at
	until_true "the memory is there" test -s "/proc/$pid/root/dev/shm/ready"
	settings "$home" >"$BATS_TEST_TMPDIR/before"
	new_target
	strace -o "$BATS_TEST_TMPDIR/trace" memcrun move --to "$target" "$id" \
		</dev/null >/dev/null 2>&1 3>&-
	move --to "$home"
	# of the writes some, as there are so many settings; all of the rest
	awk -F '(' '{ count[$1]++ }
		$1 == "write" { writes[++n] = count[$1]; next }
		$1 == "openat" && !/O_CREAT/ { next }
		/^(openat|mkdirat|unlinkat|renameat|renameat2|rename|fork|vfork|clone|clone3|flock)\(/ {
			print $1, count[$1]
		}
		END {
			step = n / 12
			if (step < 1) step = 1
			# the last one prints the result, when all is done
			for (i = 1; i < n; i += step) print "write", writes[int(i)]
		}' "$BATS_TEST_TMPDIR/trace" >"$BATS_TEST_TMPDIR/points"
	mapfile -t points <"$BATS_TEST_TMPDIR/points"
	[[ ${#points[@]} -ge 20 ]] || fail "only ${points[*]}"
	# (bats 1.8 has an i of its own, and changes ours)
	for ((point = 0; point < ${#points[@]}; point += step)); do
		read -r call number <<<"${points[point]}"
		killed "$call" "$number" "${endings[n++ % 2]}"
	done
	echo "# killed at $n points, on one side and running again within $((slowest / 1000)) ms" >&3
}

# --- live

@test "deleted_while_it_moves_it_leaves_nothing_on_either_side" {
	local runtime round rounds=6

	[[ -z ${LIVE_SHORT:-} ]] || rounds=2
	# memcrun waits for the move; crun knows of none, and takes the record away
	for ((round = 1; round <= rounds; round++)); do
		for runtime in memcrun crun; do
			container . "sleep 1000 | memory-holder anon 64 >/dev/shm/n"
			look
			new_target
			memcrun move --to "$target" "$id" >"$BATS_TEST_TMPDIR/moved" 2>&1 3>&- &
			sleep "0.$((RANDOM % 4))"
			"$runtime" delete --force "$id" >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- ||
				fail "$runtime: $(<"$BATS_TEST_TMPDIR/said")"
			# it may have been done before, or have lost the container
			wait $! || [[ $? == 1 ]]
			unset "made[-1]"
			assert_gone "$id"
			until_true "both sides are gone: $at $target $(<"$BATS_TEST_TMPDIR/moved")" \
				no_directories "$at" "$target"
		done
	done
}

no_directories()
{
	[[ -z $(directories "$1"; directories "$2") ]]
}

@test "live_moves_a_container_that_forks_hard" {
	local home forks='while :; do (:) & (:) & wait $!; done'

	container '.linux.resources.pids = {limit: 200}' \
		"($forks) & ($forks) & ($forks) & $COUNTS"
	look
	home=$at
	assert_runs
	new_target
	for _ in {1..5}; do
		move --live --to "$target"
		assert_moved "$target" "$home"
		assert_equal "$(told_of frozen_usec)" 0
		move --live --to "$home"
		assert_moved "$home" "$target"
	done
	assert_runs
	assert_contains "$(settings "$home")" "=200\\n"
}

# --- swap

swapped()
{
	if [[ $CGROUP == v2 ]]; then
		cat "$MEMORY_ROOT$1/memory.swap.current"
	else
		awk '$1 == "total_swap" { print $2 }' "$MEMORY_ROOT$1/memory.stat"
	fi
}

@test "what_is_swapped_out_moves_by_id" {
	local home before

	[[ $(wc -l </proc/swaps) -gt 1 ]] || skip "there is no swap"
	container . "sleep 1000 | memory-holder anon 64 >/dev/shm/ready & $COUNTS"
	look
	home=$at
	until_true "the memory is there" test -s "/proc/$pid/root/dev/shm/ready"
	if [[ $CGROUP == v2 ]]; then
		# what it could not reclaim it says by an error
		echo 64M >"$MEMORY_ROOT$home/memory.reclaim" || :
	else
		echo $((16 * MIB)) >"$MEMORY_ROOT$home/memory.limit_in_bytes"
		echo -1 >"$MEMORY_ROOT$home/memory.limit_in_bytes"
	fi
	before=$(swapped "$home")
	[[ $before -gt $((32 * MIB)) ]] || fail "only $before bytes are swapped out"
	new_target
	move --to "$target"
	case $MOVES in
	all)
		# nothing was read back for it
		assert_equal "$(told_of types.swap.left_bytes)" 0
		assert_near "$(swapped "$target")" "$before" "swap"
		assert_near "$(told_of types.swap.moved_bytes)" "$before" "swap"
		;;
	mapped)
		[[ $(swapped "$target") -gt $((before / 2)) ]] || fail "$(swapped "$target") of $before"
		;;
	nothing)
		assert_contains "$warned" "bytes stay charged"
		;;
	esac
	assert_runs
}

# --- podman

@test "podman_does_not_notice" {
	local home before

	before=$(left_by_crun)
	rm -f "$BATS_TEST_TMPDIR/pid"
	id=$(pod --runtime memcrun run -d --name moved --network none --memory 128m \
		--pidfile "$BATS_TEST_TMPDIR/pid" "$IMAGE" sleep 1000)
	pid=$(<"$BATS_TEST_TMPDIR/pid")
	look
	home=$at
	new_target
	move --to "$target"
	look
	assert_equal "$at" "$target"
	assert_contains "$(pod stats --no-stream --format '{{.Name}} {{.MemUsage}}' moved)" "moved "
	assert_contains "$(pod top moved)" "sleep 1000"
	assert_equal "$(pod exec moved echo here)" here
	pod pause moved
	assert_equal "$(pod inspect -f '{{.State.Status}}' moved)" paused
	pod unpause moved
	assert_equal "$(pod inspect -f '{{.State.Status}}' moved)" running
	assert_equal "$(directories "$home")" ""
	pod stop -t 0 moved
	pod rm moved
	until_true "its cgroup is gone" eval '[[ -z $(directories "$target") ]]'
	assert_equal "$(ls -A "$STATE")" "$before"
}

# --- all of it, under load

@test "no_request_fails_while_redis_is_moved_and_no_byte_is_lost" {
	run "$BATS_TEST_DIRNAME/workload" --check --rounds 6 --data 20 3>&-
	[[ $status == 0 ]] || fail "$output"
	assert_lacks "$output" MISSED
}
