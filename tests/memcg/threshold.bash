# shellcheck shell=bash disable=SC2154 # variables of common.bash and run
# threshold - who listens to usage hears of each crossing, up and down, and of
# nothing else.

cases+=(
	"threshold|threshold_usage|usage crosses 5M, up and down"
	"threshold|threshold_memsw|memory and swap together do, and do not when pages are swapped"
	"threshold|threshold_root|usage of the root does"
)

# threshold_begin: a task in a, and one outside to listen. sets the names of usage and
# of memsw
threshold_begin()
{
	a=$base/a
	group "$a"
	if [[ -e $a/cgroup.event_control ]]; then
		usage_name=memory.usage_in_bytes memsw_name=memory.memsw.usage_in_bytes
	elif [[ -e $a/memory.threshold ]]; then
		usage_name=current memsw_name=memsw
	else
		skip "neither cgroup.event_control nor memory.threshold"
	fi
	task t "$a"
	task listener
}

# expect_events N..., one number for each listen
expect_events()
{
	ask listener events
	[[ $answer == "$*" ]] || fail "events: $answer, not $*"
}

threshold_end()
{
	end t listener
	expect_empty "$a"
}

threshold_usage()
{
	threshold_begin
	ask listener listen "$a" "$usage_name" 5M
	ask listener listen "$a" "$usage_name" 12M
	for _ in 1 2 3; do
		ask t anon 8M
		expect_events 1 0
		ask t anon 8M
		expect_events 0 1
		ask t free
		expect_events 1 1
		ask t anon 3M
		expect_events 0 0
		ask t free
		expect_events 0 0
	done
	threshold_end
}

threshold_memsw()
{
	need_swap
	threshold_begin
	[[ -e $a/${where[memsw]} ]] || skip "no ${where[memsw]}"
	ask listener listen "$a" "$usage_name" 5M
	ask listener listen "$a" "$memsw_name" 5M
	ask t anon 8M
	expect_events 1 1
	ask t out
	expect_events 1 0
	expect "$a" memsw 8M 9M
	ask t check
	expect_events 1 0
	ask t free
	expect_events 1 1
	threshold_end
}

threshold_root()
{
	threshold_begin
	[[ -e $root/${where[usage]} ]] || skip "the root has no ${where[usage]}"
	get "$root" usage
	ask listener listen "$root" "$usage_name" $((got + 16 * MIB))
	ask t anon 32M
	expect_events 1
	ask t free
	expect_events 1
	threshold_end
}
