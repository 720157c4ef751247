# shellcheck shell=bash disable=SC2154 # variables of common.bash and run
# oom - who does not fit is killed, once, and nobody else: neither a larger task
# outside, nor a smaller one inside, nor the machine (panic_on_oom is on).

cases+=(
	"oom|oom_no_swap|51M do not fit into 50M without swap, and 49M do"
	"oom|oom_memsw|51M do not fit into 50M of memory and swap together"
	"oom|oom_with_swap|45M fit into 20M of memory and 30M of swap, and 55M do not"
	"oom|oom_tree|at a parent's limit the largest below it is killed"
)

# A task outside that is larger than any inside, and as likely to be killed as can be.
oom_begin()
{
	echo 1 >/proc/sys/vm/panic_on_oom
	group "$base/outside" "$base/up" "$base/up/in" "$base/up/small"
	task outside "$base/outside"
	echo 1000 >"/proc/${pid_of[outside]}/oom_score_adj"
	ask outside anon 70M
	task small "$base/up/small"
	ask small anon 2M
	task t "$base/up/in"
}

oom_undo() { echo 0 >/proc/sys/vm/panic_on_oom; }
oom_no_swap_undo()
{
	oom_undo
	swap_on
}
oom_memsw_undo() { oom_undo; }
oom_with_swap_undo() { oom_undo; }
oom_tree_undo() { oom_undo; }

# expect_kills DIRECTORY N, in this group itself
expect_kills()
{
	get "$1" kills
	between "${1##*/}: OOM kills" "$got" "$2" "$2"
}

oom_end()
{
	expect_kills "$base/outside" 0
	expect_kills "$base/up/small" 0
	expect_kills "$base/up" 0
	ask outside check
	ask small check
	end outside small
	expect_empty "$base/up/in"
	expect_empty "$base/up"
	expect_empty "$base/outside"
}

oom_no_swap()
{
	swap_off
	oom_begin
	put "$base/up/in" limit 50M
	ask t anon 49M
	expect_kills "$base/up/in" 0
	expect "$base/up/in" usage 49M 50M
	ask t free
	dies t anon 51M
	expect_kills "$base/up/in" 1
	expect "$base/up/in" swap 0 0
	get "$base/up/in" peak
	between "in: peak" "$got" 49M 50M
	oom_end
	swap_on
}

oom_memsw()
{
	need_swap
	oom_begin
	put "$base/up/in" limit 50M
	if [[ -e $base/up/in/${where[memsw_limit]} ]]; then
		put "$base/up/in" memsw_limit 50M
	elif [[ $layout == v2 ]]; then
		# the nearest that this kernel has: nothing is swapped at all
		echo 0 >"$base/up/in/memory.swap.max"
	else
		skip "no memory.memsw files: swap is not accounted (swapaccount=0)"
	fi
	ask t anon 49M
	expect_kills "$base/up/in" 0
	ask t free
	dies t anon 51M
	expect_kills "$base/up/in" 1
	oom_end
}

oom_with_swap()
{
	need_swap
	oom_begin
	put "$base/up/in" limit 20M
	if [[ -e $base/up/in/${where[memsw_limit]} ]]; then
		put "$base/up/in" memsw_limit 50M
	elif [[ $layout == v2 ]]; then
		echo 30M >"$base/up/in/memory.swap.max"
	else
		skip "no memory.memsw files: swap is not accounted (swapaccount=0)"
	fi
	ask t anon 45M
	ask t check
	expect_kills "$base/up/in" 0
	expect "$base/up/in" usage 10M 20M
	expect "$base/up/in" swap 25M 35M
	ask t free
	dies t anon 55M
	expect_kills "$base/up/in" 1
	oom_end
}

oom_tree()
{
	local wait

	oom_begin
	put "$base/up" limit 30M
	put "$base/up" swapping 0
	put "$base/up/in" swapping 0
	put "$base/up/small" swapping 0
	ask t anon 20M
	dies t anon 12M
	expect_kills "$base/up/in" 1
	# events of v2 are told up the tree, memory.events.local and v1's are not
	if [[ $layout == v2 ]]; then
		for wait in oom_kill:1 oom_group_kill:0; do
			grep -qx "${wait/:/ }" "$base/up/memory.events" ||
				fail "up: not $wait: $(tr '\n' ' ' <"$base/up/memory.events")"
		done
	fi
	oom_end
}
