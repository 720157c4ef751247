# shellcheck shell=bash disable=SC2154 # variables of common.bash and run
# swapoff - everything comes in from swap, by a way of its own, charged to whom it
# was charged before, who may have no room for it.

cases+=(
	"swapoff|swapoff_task|60M of a task are in swap of a 40M group, which it has left"
	"swapoff|swapoff_tmpfs|20M of a tmpfs are in swap of a 10M group, which has no task"
)

# A case that is ended early may have left swap off.
swapoff_task_undo() { swap_on; }
swapoff_tmpfs_undo() { swap_on; }

# expect_swapoff DIRECTORY FILLED LIMIT: swap cannot go while the group has no room
# for what it has there, and neither is there anyone to kill for it; without the
# limit all of the FILLED bytes come in.
expect_swapoff()
{
	local left name

	! swap_off 2>/dev/null || fail "swap went where a limit is in its way"
	left=$(</proc/swaps)
	for name in "${swaps[@]}"; do
		[[ $left == *"$name "* ]] || fail "$name is off, after swapoff failed"
	done
	get "$1" peak
	between "${1##*/}: peak" "$got" 1M "$3"
	get "$1" kills
	between "OOM kills" "$got" 0 0

	put "$1" limit 1G
	swap_off
	[[ $(</proc/swaps) != */* ]] || fail "swap is still on: $(</proc/swaps)"
	expect "$1" swap 0 0
	bytes "$2"
	expect "$1" usage "$2" $((got + 2 * MIB))
}

swapoff_task()
{
	local a=$base/a

	need_swap
	# The parent is to have tasks, which on v2 only the root can.
	[[ $layout == v1 ]] || a=$base-beside
	group "$a"
	put "$a" limit 40M
	task t "$a"
	ask t anon 100M
	expect "$a" usage 30M 40M
	expect "$a" swap 60M 70M
	echo "${pid_of[t]}" >"${a%/*}/cgroup.procs"
	expect "$a" usage 30M 40M
	expect "$a" swap 60M 70M
	expect_swapoff "$a" 100M 40M
	expect "$a" anon 100M 101M
	# gone, with all that is charged to it
	rmdir "$a"
	ask t check
	swap_on
	kill -KILL "${pid_of[t]}"
	dies t check
	[[ $layout == v2 ]] || expect_empty "$base"
}

swapoff_tmpfs()
{
	local a=$base/a

	need_swap
	mkdir "$work/files"
	mount -t tmpfs -o size=64M files "$work/files"
	group "$a" "$base/b"
	put "$a" limit 10M
	task t "$a"
	ask t map "$work/files/f" 30M
	end t
	expect "$a" swap 20M 30M
	expect_swapoff "$a" 30M 10M
	expect "$a" shmem 30M 30M
	task u "$base/b"
	ask u look "$work/files/f" 30M
	expect "$base/b" shmem 0 0
	end u
	swap_on
	rm "$work/files/f"
	expect_empty "$a"
	expect_empty "$base/b"
}
