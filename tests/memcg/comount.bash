# shellcheck shell=bash disable=SC2154 # variables of common.bash and run
# comount - memory in one hierarchy with other controllers: a task that moves, or a
# group that goes, does so in all of them at once.

cases+=(
	"comount|comount_churn|tasks move, groups come and go, in one hierarchy with other controllers"
	"comount|comount_one|a task's groups are the same for all of them, and have their effect"
)

# What a v1 hierarchy of our own is made of, and the bed's that have to give it up.
# cpuacct is left without, as it is mounted together with cpu.
COMOUNTED=memory,cpuset,cpu,devices
# shellcheck disable=SC2054 # the comma is in a name
COMOUNTED_FROM=(memory cpuset cpu,cpuacct devices)

# On v2 all controllers are in one hierarchy. sets root and base. A v1 hierarchy that
# still has a group, also one that was just removed, outlives its mount.
comount()
{
	local name

	[[ $layout == v1 ]] || return 0
	rmdir "$base"
	await_cgroups 1 50
	[[ $got == 1 ]] || skip "memory has cgroups that are not ours: its hierarchy has to stay"
	for name in "${COMOUNTED_FROM[@]}"; do
		umount "/sys/fs/cgroup/$name"
	done
	mkdir "$work/all"
	mount -t cgroup -o "$COMOUNTED" all "$work/all"
	root=$work/all
	base=$root/memcg-test
	# a new cpuset on v1 is without processors and nodes, unless it is told
	echo 1 >"$root/cgroup.clone_children"
	group "$base"
}

# remount: as the bed had it
remount()
{
	local name

	[[ $layout == v1 ]] || return 0
	if is_mounted "$work/all"; then
		base=$work/all/memcg-test remove_groups
		base=$work/all/memcg-test await_gone 1
		echo 0 >"$work/all/cgroup.clone_children"
		umount "$work/all"
	fi
	for name in "${COMOUNTED_FROM[@]}"; do
		is_mounted "/sys/fs/cgroup/$name" ||
			mount -t cgroup -o "$name" cgroup "/sys/fs/cgroup/$name"
	done
}

comount_churn_undo() { remount; }
comount_one_undo() { remount; }

comount_churn()
{
	local name

	comount
	mkdir "$work/files"
	mount -t tmpfs -o size=64M files "$work/files"
	group "$base/up" "$base/up/c0"
	put "$base/up" limit 16M
	load 5 4M "$base/up" "$work/files" sit sit sit sit touch move move dirs dirs
	between "tasks moved" "${counts[moved]}" 50 1000000
	between "cgroups made" "${counts[made]}" 10 1000000
	between "cgroups removed" "${counts[removed]}" 5 "${counts[made]}"
	umount "$work/files"
	for name in "$base/up"/c[0-7]; do
		[[ ! -d $name ]] || rmdir "$name"
	done
	get "$base/up" peak
	between "up: peak" "$got" 1M 16M
	expect_empty "$base/up"
}

# expect_place NAME GROUP: the task's, in one line for all the controllers
expect_place()
{
	local number controllers place found=0 word

	while IFS=: read -r number controllers place; do
		if [[ $layout == v1 ]]; then
			[[ ,$controllers, == *,memory,* ]] || continue
			for word in ${COMOUNTED//,/ }; do
				[[ ,$controllers, == *,$word,* ]] || fail "$word is not in $controllers"
			done
		else
			[[ $number == 0 ]] || fail "hierarchy $number on v2: $controllers"
		fi
		[[ $place == "${2#"$root"}" ]] || fail "$1 is in $place, not in $2"
		found=1
	done <"/proc/${pid_of[$1]}/cgroup"
	[[ $found == 1 ]] || fail "no hierarchy has memory"
}

# expect_on PROCESSOR: what the task may use
expect_on()
{
	local name value

	while IFS=$':\t' read -r name value; do
		[[ $name != Cpus_allowed_list ]] || [[ $value == "$1" ]] ||
			fail "the task may use processors $value, not $1"
	done <"/proc/${pid_of[t]}/status"
}

comount_one()
{
	local weight=cpu.weight round

	comount
	group "$base/a" "$base/b"
	[[ -e $base/a/cpu.weight ]] || weight=cpu.shares
	echo 0 >"$base/a/cpuset.cpus"
	echo 1 >"$base/b/cpuset.cpus"
	echo 50 >"$base/a/$weight"
	put "$base/b" limit 2M
	[[ $layout == v2 ]] || echo 'c 1:5 r' >"$base/b/devices.deny"
	task t "$base/a"
	for round in 1 2 3; do
		expect_place t "$base/a"
		expect_on 0
		ask t anon 8M
		ask t open /dev/zero
		# v1 leaves the charge of its own accord, v2 always: 8M may be in b's task
		echo "${pid_of[t]}" >"$base/b/cgroup.procs"
		expect_place t "$base/b"
		expect_on 1
		expect "$base/a" anon 8M 9M
		expect "$base/b" anon 0 0
		if [[ $layout == v1 ]]; then
			echo "open /dev/zero" >&"${write_to[t]}"
			read -r -u "${read_from[t]}" answer
			[[ $answer == "error /dev/zero: Operation not permitted" ]] ||
				fail "/dev/zero: $answer, round $round"
		fi
		ask t free
		echo "${pid_of[t]}" >"$base/a/cgroup.procs"
	done
	end t
	expect_empty "$base/a"
	expect_empty "$base/b"
	rmdir "$base/a" "$base/b"
}
