# shellcheck shell=bash
# workers.bash - two processes that do the steps without a result.
#
# Much of the kernel's make is not parallel, thus two at once. Steps come in groups: a
# worker does a group in its order, because each step of it builds on objects of the step
# before. workers_start gets the long groups first.

WORKERS=2

groups=()
workers=()

# workers_add STEP...: a group, without the steps that have a result
workers_add()
{
	local step
	local -a missing=()

	for step in "$@"; do
		if step_find "$step"; then
			step_take "$step"
		else
			missing+=("$step")
		fi
	done
	[[ ${#missing[@]} == 0 ]] || groups+=("${missing[*]}")
}

# Each worker is a process group, so that workers_end reaches its compilers.
workers_start()
{
	local number

	mkdir "$work/claimed"
	for ((number = 1; number <= WORKERS && number <= ${#groups[@]}; number++)); do
		set -m
		(
			set +m
			worker "$number"
		) >"$work/worker-$number.log" 2>&1 </dev/null &
		workers+=($!)
		set +m
	done
}

worker()
{
	local group step
	# what the functions of a step use
	local tree out log=$work/log-$1 scratch=$work/scratch-$1 commit=

	mkdir "$scratch"
	tree_open "$1"
	for group in "${!groups[@]}"; do
		mkdir "$work/claimed/$group" 2>/dev/null || continue
		for step in ${groups[group]}; do
			step_run "$step"
		done
	done
	tree_close
}

workers_alive()
{
	local pid

	for pid in "${workers[@]}"; do
		! kill -0 "$pid" 2>/dev/null || return 0
	done
	return 1
}

workers_say()
{
	tail -n 20 "$work"/worker-*.log 2>/dev/null || :
}

workers_end()
{
	local pid

	for pid in "${workers[@]}"; do
		kill -- "-$pid" 2>/dev/null || :
	done
	wait || :
}
