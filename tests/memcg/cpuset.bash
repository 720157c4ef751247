# shellcheck shell=bash disable=SC2154 # variables of common.bash and run
# cpuset - pages go from node to node with their task: what is charged, and to
# whom, stays the same.

cases+=(
	"cpuset|cpuset_tasks|tasks go to and fro between two cpusets, and their pages between two nodes"
	"cpuset|cpuset_mems|a cpuset changes its node, while its task writes"
)

# make_cpuset DIRECTORY NODE
make_cpuset()
{
	local processors

	if [[ $layout == v2 ]]; then
		group "$1"
	else
		mkdir "$1"
	fi
	read -r processors </sys/devices/system/cpu/online
	echo "$processors" >"$1/cpuset.cpus"
	echo "$2" >"$1/cpuset.mems"
	# v2 always does
	[[ ! -e $1/cpuset.memory_migrate ]] || echo 1 >"$1/cpuset.memory_migrate"
}

# make_cpusets NODE...: sets payer, the group which is charged. v1 has cpusets in a
# hierarchy of their own, where task after task leaves their memory's group as it is.
make_cpusets()
{
	local node all

	need_nodes
	read -r all </sys/devices/system/node/has_memory
	[[ $layout == v2 ]] || make_cpuset "$cpusets" "$all"
	for node in "$@"; do
		make_cpuset "$cpusets/n$node" "$node"
	done
	payer=$cpusets/n$1
	if [[ $layout == v1 ]]; then
		payer=$base/payer
		group "$payer"
	fi
	mkdir "$work/files"
	mount -t tmpfs -o size=64M files "$work/files"
}

# expect_node NODE: that all of the task's 16M are there, as the task has them and
# as the group that pays counts them
expect_node()
{
	local pages line words total=0 tries

	ask t nodes
	read -r -a pages <<<"$answer"
	between "pages on node $1 ($answer)" "${pages[$1]}" 4096 4096
	for ((tries = 0; tries < 25; tries++)); do
		total=0
		while read -r line; do
			# v1 counts pages: "anon=4 N0=4 N1=0", v2 bytes: "anon N0=16384 N1=0"
			[[ $line =~ ^(anon|file)[=\ ] ]] || continue
			words=${line#*"N$1="}
			total=$((total + ${words%% *}))
		done <"$payer/memory.numa_stat"
		[[ $layout == v2 ]] || total=$((total * 4096))
		# memory.stat's file and numa_stat have the same lateness
		((total < 16 * MIB)) || break
		nap 0.2
	done
	between "${payer##*/}: on node $1" "$total" 16M 17M
	expect "$payer" anon 12M 13M
	expect "$payer" shmem 4M 4M
}

take_some()
{
	if [[ $layout == v1 ]]; then
		task t "$payer" "$cpusets/n0"
	else
		task t "$cpusets/n0"
	fi
	ask t anon 8M
	ask t thp 4M
	ask t map "$work/files/f" 4M
}

cpuset_end()
{
	end t
	rm "$work/files/f"
	expect_empty "$payer"
}

cpuset_tasks()
{
	local node usage

	make_cpusets 0 1
	take_some
	get "$payer" usage
	usage=$got
	expect_node 0
	for node in 1 0 1 0 1; do
		echo "${pid_of[t]}" >"$cpusets/n$node/cgroup.procs"
		expect_node "$node"
		expect "$payer" usage $((usage - batch)) $((usage + batch))
	done
	if [[ $layout == v2 ]]; then
		expect "$cpusets/n1" anon 0 0
		expect "$cpusets/n1" usage 0 1M
	fi
	ask t check
	cpuset_end
}

cpuset_mems()
{
	local node usage

	make_cpusets 0
	take_some
	get "$payer" usage
	usage=$got
	ask t busy
	for node in 1 0 1 0; do
		echo "$node" >"$cpusets/n0/cpuset.mems"
		expect "$payer" usage $((usage - batch)) $((usage + batch))
	done
	ask t quiet
	between "rounds of writing" "$answer" 1 1000000
	ask t check
	# what was in use may have stayed; now nothing is
	echo 0-1 >"$cpusets/n0/cpuset.mems"
	echo 1 >"$cpusets/n0/cpuset.mems"
	expect_node 1
	cpuset_end
}
