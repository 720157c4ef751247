#!/usr/bin/env bats
# shellcheck disable=SC2154 # variables of the helper
#
# pairs.bats - two verbs at once. The first verb is stopped behind a system call that changes
# something. The second verb runs until it ends or waits. Then the first verb continues.
#
# Invariants that hold afterwards, whatever the two verbs have answered:
#   1. Both verbs end. A verb that fails prints a line that begins with "memcrun: " or is crun's.
#   2. A container that was not deleted has a record. The record names a cgroup that exists in
#      each hierarchy and holds all tasks of the container, and no other container's record
#      names that cgroup.
#   3. A container is frozen only if the pause verb was one of the two.
#   4. memory and memory+swap limits are both old, or both new.
#   5. No journal is left, and no cgroup that is in no record.
#   6. A container that neither verb names is untouched and runs.
#
# Each pair runs at each point where the first verb changes something; with --short at one.

load helper

setup_file()
{
	make_bundle
}

setup()
{
	T=$BATS_TEST_TMPDIR
	trials=0
}

teardown()
{
	local each

	for each in a b; do
		[[ ! -d $STATE/$each ]] || memcrun delete --force "$each"
	done
}

# System calls that change something, or begin to be another program.
CHANGES=mkdir,mkdirat,unlink,unlinkat,rmdir,rename,renameat,renameat2,write,flock,fchown,execve

# verb NAME: its arguments are put into $words.
verb()
{
	local -A table=(
		[move]="move --to /pairs/x a"
		[move-elsewhere]="move --to /pairs/y/z a"
		[other-move-there]="move --to /pairs/x b"
		[other-move-beside]="move --to /pairs/w b"
		[update]="update --memory 48M --memory-swap 80M a"
		[update-pids]="update --pids-limit 40 a"
		[reclaim]="reclaim --by 4K --timeout 5 a"
		[delete]="delete --force a"
		[other-delete]="delete --force b"
		[exec]="exec a true"
		[kill]="kill a KILL"
		[pause]="pause a"
		[resume]="resume a"
		[events]="events --stats a"
		[check]="check a"
		[state]="state a"
	)

	read -r -a words <<<"${table[$1]}"
}

SECOND=(move-elsewhere other-move-there other-move-beside update update-pids reclaim delete
	other-delete exec kill pause events check state)

# text FILE: its text is put into $text, without a process.
text()
{
	text=
	IFS= read -r -d '' text <"$1" || :
}

# record ID: its cgroup is put into $at, the pid of its process into $pid.
record()
{
	text "$STATE/$1/status"
	text=${text//\\\//\/}
	[[ $text =~ \"cgroup-path\":\ *\"/?([^\"]*)\" ]] || fail "$1: no cgroup-path: $text"
	at=/${BASH_REMATCH[1]}
	[[ $text =~ \"pid\":\ *([0-9]+) ]] || fail "$1: no pid: $text"
	pid=${BASH_REMATCH[1]}
}

# The directories of cgroup $1, one in each hierarchy, are put into $directories.
directories_of()
{
	local mount

	directories=()
	if [[ $CGROUP == v2 ]]; then
		directories=("/sys/fs/cgroup$1")
		return
	fi
	for mount in /sys/fs/cgroup/*; do
		[[ -L $mount || ! -d $mount ]] || directories+=("$mount$1")
	done
}

# Container $1 as it is at first: running, in /pairs-$1, with 64M and 96M.
fresh()
{
	if [[ -d $STATE/$1 ]]; then
		record "$1"
		[[ $at != "/pairs-$1" || -n ${used[$1]:-} ]] || return 0
		memcrun delete --force "$1"
	fi
	configure ".linux.cgroupsPath = \"/pairs-$1\" | .linux.resources.pids = {limit: 50} |
		.linux.resources.memory = {limit: 67108864, swap: 100663296}"
	memcrun create --bundle "$BUNDLE" --config "$config" "$1" </dev/null >"$T/said" 2>&1 3>&- ||
		fail "$1: $(<"$T/said")"
	memcrun start "$1"
}

# limits DIRECTORY: of memory, and of memory+swap on v1 or swap on v2, are put into $limits.
limits()
{
	local memory swap

	if [[ $CGROUP == v1 ]]; then
		text "$1/memory.limit_in_bytes" && memory=${text%$'\n'}
		text "$1/memory.memsw.limit_in_bytes" && swap=${text%$'\n'}
	else
		text "$1/memory.max" && memory=${text%$'\n'}
		text "$1/memory.swap.max" && swap=${text%$'\n'}
		if [[ -e $1/memory.memsw.max ]]; then
			text "$1/memory.memsw.max" && swap=${text%$'\n'}
		elif [[ $swap != max ]]; then
			swap=$((memory + swap))
		fi
	fi
	limits="$((memory / MIB)) $((swap / MIB))"
}

# The points where verb $1 changes something are put into $all: "CALL N".
find_points()
{
	fresh a
	verb "$1"
	strace -o "$T/points" -e trace="$CHANGES" memcrun "${words[@]}" \
		</dev/null >/dev/null 2>&1 3>&- || fail "$1 alone: $?"
	used[a]=1
	mapfile -t all < <(awk -F '(' '
		/^[a-z0-9]+\(/ { n = ++count[$1] }
		/^execve/ && n == 1 { next }
		/^write\([0-2],/ { next }
		/^[a-z0-9]+\(/ { print $1, n }' "$T/points")
	[[ ${#all[@]} -gt 0 ]] || fail "$1 changes nothing"
}

# Those points that are tried with the next second verb are put into $points. With --short it
# is one of them, another one for each verb.
choose_points()
{
	points=("${all[@]}")
	[[ -z ${LIVE_SHORT:-} ]] || points=("${all[turn * ${#all[@]} / ${#SECOND[@]}]}")
	turn=$((turn + 1))
}

# stop_first CALL N: the first verb, $words, is stopped there, or has ended.
stop_first()
{
	: >"$T/trace"
	strace -o "$T/trace" -e trace="$1" -e inject="$1:signal=STOP:when=$2" \
		memcrun "${words[@]}" </dev/null >"$T/first" 2>&1 3>&- &
	first=$!
	text=
	until [[ $text == *"stopped by SIGSTOP"* || $text == *"+++"* ]]; do
		[[ -d /proc/$first ]] || break
		read -r -t 0.01 _ <>"$T/never" || :
		text "$T/trace"
	done
}

# Container $1 is as the invariants want it; its cgroup is added to $known.
assert_container()
{
	local directory frozen task own

	if [[ ! -d $STATE/$1 ]]; then
		[[ $pair == *delete* ]] || fail "$pair: $1 has no record"
		return 0
	fi
	[[ ! -e $STATE/$1/memcrun-move.json ]] || fail "$pair: $1: a journal of a move is left"
	[[ ! -e $STATE/$1/memcrun-update.json ]] || fail "$pair: $1: a journal of an update is left"
	record "$1"
	[[ " ${known[*]} " != *" $at "* ]] || fail "$pair: $at is of two containers"
	known+=("$at")
	directories_of "$at"
	for directory in "${directories[@]}"; do
		[[ -d $directory ]] || fail "$pair: $1: $directory is missing"
		text "$directory/cgroup.procs"
		[[ $pair == *kill* || " ${text//$'\n'/ } " == *" $pid "* ]] ||
			fail "$pair: $1: process $pid is not in $directory"
		for task in $text; do
			[[ $task == "$pid" ]] || fail "$pair: $1: process $task in $directory"
		done
		frozen=0
		for own in "$directory/cgroup.freeze" "$directory/freezer.state"; do
			[[ -e $own ]] || continue
			text "$own"
			[[ $text == 0* || $text == THAWED* ]] || frozen=1
		done
		[[ $frozen == 0 || $pair == *pause* ]] || fail "$pair: $1: frozen in $directory"
		if [[ -e $directory/memory.max || -e $directory/memory.limit_in_bytes ]]; then
			limits "$directory"
			[[ $limits == "64 96" || ($pair == *update* && $limits == "48 80") ]] ||
				fail "$pair: $1: limits $limits"
		fi
	done
	[[ $pair == *kill* || -d /proc/$pid ]] || fail "$pair: $1: process $pid has ended"
}

# No cgroup is left that no record names, but those above destinations: crun's delete leaves
# them, too.
assert_no_others()
{
	local path below each owner

	for path in /sys/fs/cgroup/{,*/}pairs{-?,/*,/*/*}; do
		[[ -d $path ]] || continue
		below=${path#"${path%%/pairs*}"}
		[[ $below != /pairs/y ]] || continue
		owner=
		for each in "${known[@]}"; do
			[[ $below != "$each" ]] || owner=$each
		done
		[[ -n $owner ]] || fail "$pair: $path is left"
	done
}

# What deleted containers leave above them.
remove_above()
{
	local path

	for path in /sys/fs/cgroup/{,*/}pairs{/y,}; do
		[[ ! -d $path ]] || rmdir "$path"
	done
}

# answered FILE: what a verb has printed is nothing, or in order, or one clear line.
answered()
{
	[[ $1 != 124 && $1 -lt 126 ]] || fail "$pair: $2 ended with $1: $(<"$T/$2")"
	[[ $1 == 0 || -s $T/$2 ]] || fail "$pair: $2 failed without a word"
}

# trial FIRST CALL N SECOND
trial()
{
	local one=0 two=0 second tries
	local -a known=()

	pair="$1 stopped at $2 $3, $4"
	fresh a
	fresh b
	remove_above
	used=([a]=1)
	[[ $4 != other* ]] || used[b]=1
	verb "$1"
	stop_first "$2" "$3"
	verb "$4"
	timeout 120 memcrun "${words[@]}" </dev/null >"$T/second" 2>&1 3>&- &
	second=$!
	# It waits for the first one's lock, or ends. Which of them is no matter here.
	for ((tries = 0; tries < 50; tries++)); do
		[[ -d /proc/$second ]] || break
		read -r -t 0.01 _ <>"$T/never" || :
	done
	pkill -CONT -P "$first" || :
	wait "$second" || two=$?
	# a process that joins a paused container runs when somebody resumes that
	[[ $1 != exec || $4 != pause ]] || memcrun resume a >/dev/null 2>&1 || :
	wait "$first" || one=$?
	answered "$one" first
	answered "$two" second
	assert_container a
	assert_container b
	assert_no_others
	[[ $pair != *pause* || ! -d $STATE/a ]] || memcrun resume a >/dev/null 2>&1 || :
	trials=$((trials + 1))
}

# first NAME: with each second verb, at its points.
first()
{
	local second point turn=0
	local -a all=() points=()
	local -A used=()

	mkfifo "$T/never"
	find_points "$1"
	for second in "${SECOND[@]}"; do
		choose_points
		for point in "${points[@]}"; do
			# shellcheck disable=SC2086 # a call and a number
			trial "$1" $point "$second"
		done
	done
	echo "# $1: $trials trials with ${#SECOND[@]} verbs" >&3
}

@test "while_a_container_moves" { first move; }
@test "while_limits_change" { first update; }
@test "while_crun_changes_other_settings" { first update-pids; }
@test "while_memory_is_reclaimed" { first reclaim; }
@test "while_a_container_is_deleted" { first delete; }
@test "while_a_process_joins" { first exec; }
