# shellcheck shell=bash disable=SC2154 # variables of common.bash and run
# hotplug - a block of memory goes offline while what it holds is charged: the
# pages move, the charge stays.

cases+=(
	"hotplug|hotplug_idle|a block goes offline, and what was charged in it is elsewhere"
	"hotplug|hotplug_busy|the same, while the task writes"
)

need_blocks()
{
	blocks=/sys/devices/system/memory
	[[ -d $blocks ]] || skip "no $blocks: a kernel without MEMORY_HOTPLUG"
	grep -qsx Movable "$blocks"/memory*/valid_zones ||
		skip "all memory is for the kernel as well; booted with movablecore= some is not"
	[[ -e $blocks/block_size_bytes ]] || skip "no $blocks/block_size_bytes"
}

# offline_one: the block that has most of the task's pages of those that can go;
# sets block. A block with a page that cannot move says EBUSY and stays as it is.
offline_one()
{
	local size pair candidates try

	read -r size <"$blocks/block_size_bytes"
	size=$((16#$size))
	ask t blocks "$size"
	mapfile -t candidates < <(printf '%s\n' "${answer// /$'\n'}" | sort -t : -k 2 -n -r)
	# A page that is in use at that moment is an EBUSY, too: the kernel's
	# memory-hotplug.rst says to try again.
	for try in 1 2 3; do
		for pair in "${candidates[@]}"; do
			block=$blocks/memory${pair%:*}
			# 100 pages: what goes has to be worth it
			if ((${pair#*:} >= 100)) && echo offline 2>/dev/null >"$block/state"; then
				((try == 1)) || echo "# offline at try $try"
				return
			fi
		done
	done
	fail "none of the blocks can go offline: ${candidates[*]}"
}

hotplug_undo()
{
	local state is

	for state in /sys/devices/system/memory/memory*/state; do
		[[ -e $state ]] || continue
		read -r is <"$state"
		[[ $is != offline ]] || echo online_movable >"$state"
	done
}

hotplug_idle_undo() { hotplug_undo; }
hotplug_busy_undo() { hotplug_undo; }

# hotplug MODE
hotplug()
{
	local a=$base/a usage is size

	need_blocks
	group "$a"
	mkdir "$work/files"
	mount -t tmpfs -o size=64M files "$work/files"
	task t "$a"
	ask t anon 48M
	ask t thp 8M
	ask t map "$work/files/f" 8M
	get "$a" usage
	usage=$got
	[[ $1 == idle ]] || ask t busy
	offline_one
	read -r is <"$block/state"
	[[ $is == offline ]] || fail "$block is $is"
	expect "$a" usage $((usage - batch)) $((usage + batch))
	if [[ $1 == busy ]]; then
		ask t quiet
		between "rounds of writing" "$answer" 1 1000000
	fi
	read -r size <"$blocks/block_size_bytes"
	ask t blocks $((16#$size))
	[[ " $answer" != *" ${block##*/memory}:"* ]] || fail "$block still has pages: $answer"
	ask t check
	expect "$a" anon 56M 57M
	expect "$a" shmem 8M 8M
	# as it was: otherwise the kernel puts into it what cannot be moved
	echo online_movable >"$block/state"
	read -r is <"$block/state"
	[[ $is == online ]] || fail "$block is $is"
	end t
	rm "$work/files/f"
	expect_empty "$a"
}

hotplug_idle() { hotplug idle; }
hotplug_busy() { hotplug busy; }
