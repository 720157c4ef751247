# shellcheck shell=bash disable=SC2154 # variables of common.bash and run
# move - a task goes to another group: its charges stay, or go with it where that is
# asked for.

cases+=(
	"move|move_stays|charges stay where they are, when nobody asks for more"
	"move|move_anon|anonymous memory goes with its task, in memory and in swap"
	"move|move_all|and so do the tmpfs files it has mapped"
)

# move_begin: a task in a has 8M, 4M in swap, and 4M of a tmpfs file
move_begin()
{
	a=$base/a b=$base/b
	need_swap
	group "$a" "$b"
	mkdir "$work/files"
	mount -t tmpfs -o size=64M files "$work/files"
	task t "$a"
	ask t anon 4M
	ask t out
	ask t anon 8M
	ask t map "$work/files/f" 4M
	expect_charges "$a" 8M 4M 4M
	get "$base" usage
	before=$got
}

# expect_charges DIRECTORY ANON SWAP SHMEM. Of what is in swap one page in a hundred may
# be in memory.
expect_charges()
{
	local anon swap shmem some=$((64 * 1024))

	bytes "$2"
	anon=$got
	bytes "$3"
	swap=$got
	bytes "$4"
	shmem=$got
	((swap > 0)) || some=0
	expect "$1" anon "$anon" $((anon + some))
	expect "$1" swap $((swap - some)) "$swap"
	expect "$1" shmem "$shmem" "$shmem"
	# with a megabyte for the kernel's own and what is charged ahead
	expect "$1" usage $((anon + shmem)) $((anon + shmem + MIB))
}

move_end()
{
	expect "$base" usage $((before - batch)) $((before + batch))
	ask t check
	end t
	rm "$work/files/f"
	expect_empty "$a"
	expect_empty "$b"
}

move_stays()
{
	move_begin
	echo "${pid_of[t]}" >"$b/cgroup.procs"
	expect_charges "$a" 8M 4M 4M
	expect_charges "$b" 0 0 0
	move_end
}

# go_with V1-MASK V2-WORDS: the task to b, and its charges with it
go_with()
{
	if [[ -e $b/memory.move_charge_at_immigrate ]]; then
		echo "$1" 2>/dev/null >"$b/memory.move_charge_at_immigrate" ||
			skip "this kernel refuses memory.move_charge_at_immigrate=$1"
		echo "${pid_of[t]}" >"$b/cgroup.procs"
	elif [[ -e $b/memory.migrate ]]; then
		echo "${pid_of[t]}" >"$b/cgroup.procs"
		echo "${a#"$root"}${2:+ $2}" >"$b/memory.migrate"
	else
		skip "neither memory.move_charge_at_immigrate nor memory.migrate"
	fi
}

move_anon()
{
	move_begin
	go_with 1 "anon swap"
	expect_charges "$a" 0 0 4M
	expect_charges "$b" 8M 4M 0
	move_end
}

move_all()
{
	move_begin
	go_with 3 ""
	expect_charges "$a" 0 0 0
	expect_charges "$b" 8M 4M 4M
	move_end
}
