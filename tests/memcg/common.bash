# shellcheck shell=bash disable=SC2034,SC2154 # run and the tests share variables
# common.bash - what the tests of tests/memcg share: cgroups of either version by
# the same names, tasks that do as they are told, and what to expect of counters.
#
# A case is a function that runs in a subshell with errexit. What it prints is
# shown when it fails; fail and skip end it.

EXIT_SKIP=4
MIB=1048576

# Where each version has what. FILE:KEY is a line of a flat keyed file.
declare -A v1=(
	[usage]=memory.usage_in_bytes
	[peak]=memory.max_usage_in_bytes
	[limit]=memory.limit_in_bytes
	[anon]=memory.stat:total_rss
	[shmem]=memory.stat:total_shmem
	[swap]=memory.stat:total_swap
	[kills]=memory.oom_control:oom_kill
	[failures]=memory.failcnt
	[swapping]=memory.swappiness
	[memsw]=memory.memsw.usage_in_bytes
	[memsw_limit]=memory.memsw.limit_in_bytes
)
declare -A v2=(
	[usage]=memory.current
	[peak]=memory.peak
	[limit]=memory.max
	[anon]=memory.stat:anon
	[shmem]=memory.stat:shmem
	[swap]=memory.swap.current
	[kills]=memory.events.local:oom_kill
	[failures]=memory.events:max
	[swapping]=memory.swap.max
	[memsw]=memory.memsw.current
	[memsw_limit]=memory.memsw.max
)

fail()
{
	printf '%s\n' "$*"
	exit 1
}

# The reason is the last line that a case prints.
skip()
{
	printf '%s\n' "$*"
	exit "$EXIT_SKIP"
}

# read's own time limit is a sleep that starts no program; nobody writes there
nap()
{
	read -r -t "$1" -u "$never" || [[ $? -gt 128 ]]
}

# --- cgroups

# sets layout, root (of the hierarchy which controls memory), processors and batch
find_layout()
{
	layout=v1 root=/sys/fs/cgroup/memory
	if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
		layout=v2 root=/sys/fs/cgroup
	fi
	# shellcheck disable=SC2034 # by its name
	declare -gn where=$layout
	processors=$(nproc)
	# Each processor has 64 pages charged ahead, and keeps 64 freed swap entries
	batch=$((processors * 64 * 4096))
}

# group DIRECTORY...: makes them, each below what is there. Those that are made
# below another get all of its controllers.
group()
{
	local directory up words

	mkdir "$@"
	[[ $layout == v2 ]] || return 0
	for directory in "$@"; do
		up=${directory%/*}
		[[ $up != "$root" ]] || continue
		read -r words <"$up/cgroup.controllers"
		echo "+${words// / +}" >"$up/cgroup.subtree_control"
	done
}

# put DIRECTORY WHAT VALUE
put()
{
	echo "$3" >"$1/${where[$2]}"
}

# get DIRECTORY WHAT: sets got
get()
{
	local file=${where[$2]} line lines

	mapfile -t lines <"$1/${file%:*}"
	got=${lines[0]}
	[[ $file == *:* ]] || return 0
	for line in "${lines[@]}"; do
		got=${line#* }
		[[ ${line%% *} != "${file#*:}" ]] || return 0
	done
	fail "$1/${file%:*} has no line ${file#*:}"
}

# 4K -> 4096
bytes()
{
	case $1 in
	*K) got=$((${1%K} * 1024)) ;;
	*M) got=$((${1%M} * MIB)) ;;
	*) got=$1 ;;
	esac
}

# between NAME VALUE LOW HIGH
between()
{
	local low high

	bytes "$3"
	low=$got
	bytes "$4"
	high=$got
	((low <= $2 && $2 <= high)) || fail "$1: $2 is not between $low and $high"
}

# expect DIRECTORY WHAT LOW HIGH. Counters are read once, and are to be right at
# once. memory.stat may be late by some pages of each processor: the kernel brings
# it up to date every two seconds.
expect()
{
	local low high tries=0

	bytes "$3"
	low=$got
	bytes "$4"
	high=$got
	get "$1" "$2"
	if [[ ${where[$2]} == memory.stat:* ]]; then
		while ((got < low || high < got)) && ((tries++ < 25)); do
			nap 0.2
			get "$1" "$2"
		done
	fi
	between "${1##*/}: $2" "$got" "$low" "$high"
}

# expect_empty DIRECTORY: nobody uses it any more. Stacks and task structures of
# tasks that have ended are freed after a grace period of RCU.
expect_empty()
{
	local tries=0

	get "$1" usage
	while ((got > batch)) && ((tries++ < 25)); do
		nap 0.2
		get "$1" usage
	done
	between "${1##*/}: usage after all" "$got" 0 "$batch"
	expect "$1" anon 0 0
	expect "$1" shmem 0 0
	expect "$1" swap 0 "$batch"
}

# Cgroups that have memory, with those that were removed and live on since
# something is charged to them: what v1 tells as well.
count_cgroups()
{
	local name number

	while read -r name _ number _; do
		[[ $name != memory ]] || got=$number
	done </proc/cgroups
}

# tasks_of DIRECTORY...: sets pids
tasks_of()
{
	local directory list

	pids=()
	for directory in "$@"; do
		mapfile -t list <"$directory/cgroup.procs"
		pids+=("${list[@]}")
	done
}

# --- tasks

declare -A pid_of write_to read_from

# task NAME CGROUP...: a hold in these cgroups, called by that name from now on
task()
{
	local name=$1 to from pipe=$work/pipe.$1
	shift

	mkfifo "$pipe.in" "$pipe.out"
	"$work/hold" "$@" <"$pipe.in" >"$pipe.out" &
	pid_of[$name]=$!
	exec {to}>"$pipe.in" {from}<"$pipe.out"
	rm "$pipe.in" "$pipe.out"
	write_to[$name]=$to
	read_from[$name]=$from
	listen_to "$name" "start"
}

# The answer to what was said to a task; sets answer, without the "ok"
listen_to()
{
	read -r -u "${read_from[$1]}" answer || fail "$1 has died: ${*:2}"
	[[ $answer == ok* ]] || fail "$1: ${*:2}: $answer"
	answer=${answer#ok}
	answer=${answer# }
}

# ask NAME WORD...: and wait for it to be done
ask()
{
	echo "${*:2}" >&"${write_to[$1]}"
	listen_to "$@"
}

close_pipes()
{
	local to=${write_to[$1]} from=${read_from[$1]}

	exec {to}>&- {from}<&-
}

# end NAME...: they end by themselves, which they can only if they are alive
end()
{
	local name

	for name in "$@"; do
		close_pipes "$name"
		wait "${pid_of[$name]}" || fail "$name ended with status $?"
	done
}

# dies NAME WORD...: it is killed over that
dies()
{
	local status=0

	echo "${*:2}" >&"${write_to[$1]}"
	! read -r -u "${read_from[$1]}" answer || fail "$1 lives: ${*:2}: $answer"
	close_pipes "$1"
	wait "${pid_of[$1]}" 2>/dev/null || status=$?
	[[ $status == 137 ]] || fail "$1 ended with status $status: ${*:2}"
}

# load WORD...: runs it; sets counts
load()
{
	local word words

	words=$("$work/load" "$@") || fail "load $*: status $?: ${words:-nothing}"
	printf 'load: %s\n' "$words"
	declare -gA counts=()
	for word in $words; do
		counts[${word%%=*}]=${word#*=}
	done
}

# --- what a machine has

is_mounted()
{
	local directory

	while read -r _ directory _; do
		[[ $directory != "$1" ]] || return 0
	done </proc/mounts
	return 1
}

need_nodes()
{
	[[ -e /sys/devices/system/node/node1 ]] || skip "one memory node only; --numa 2 makes two"
}

# sets swaps, to be switched on again
find_swaps()
{
	local device

	swaps=()
	while read -r device _; do
		[[ $device != /* ]] || swaps+=("$device")
	done </proc/swaps
	[[ ${#swaps[@]} -gt 0 ]]
}

# Off and on again. What was on is kept in a file, for a case that is ended early.
swap_off()
{
	find_swaps || return 0
	printf '%s\n' "${swaps[@]}" >"$work/swaps"
	swapoff -a
}

swap_on()
{
	local device on

	[[ -e $work/swaps ]] || return 0
	on=$(</proc/swaps)
	while read -r device; do
		[[ $on == *"$device "* ]] || swapon "$device"
	done <"$work/swaps"
	rm "$work/swaps"
}

need_swap()
{
	find_swaps || skip "no swap; --swap SIZE makes some"
}
