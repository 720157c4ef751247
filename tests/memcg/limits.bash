# shellcheck shell=bash disable=SC2154 # variables of common.bash and run
# limits - races show at kilobytes and a few megabytes, not at gigabytes: there
# each charge meets the limit, reclaim, and others that do the same.

cases+=(
	"limits|limits_fixed|tasks fork and take memory at limits of 256K to 4M"
	"limits|limits_changing|the same, while the limits change"
)

# make_small: eight small groups. Every other is without swap, so that some tasks
# have to be killed.
make_small()
{
	local sizes=(256K 512K 768K 1M 1536K 2M 3M 4M) i

	group "$base/small" "$base/small"/c{0..7}
	for i in {0..7}; do
		put "$base/small/c$i" limit "${sizes[i]}"
	done
	for i in {0..7..2}; do
		put "$base/small/c$i" swapping 0
	done
	mkdir "$work/files"
	mount -t tmpfs -o size=64M files "$work/files"
}

# small_end: of what has been in the groups nothing is left. Each task that was
# killed is an OOM kill of its group; some of these have been nobody's to wait for,
# when their parent was killed too.
small_end()
{
	local i kills=0

	for i in {0..7}; do
		get "$base/small/c$i" kills
		kills=$((kills + got))
	done
	between "tasks that were killed" "${counts[killed]}" 1 "$kills"
	between "OOM kills" "$kills" 1 $((counts[killed] + counts[killed] / 4 + 8))
	between "tasks" "${counts[tasks]}" 20 1000000
	umount "$work/files"
	for i in {0..7}; do
		expect_empty "$base/small/c$i"
	done
	expect_empty "$base/small"
}

limits_fixed()
{
	local i limit

	make_small
	load 5 4M "$base/small" "$work/files" touch touch touch touch
	for i in {0..7}; do
		get "$base/small/c$i" limit
		limit=$got
		get "$base/small/c$i" peak
		between "c$i: peak" "$got" 4096 "$limit"
	done
	get "$base/small/c0" failures
	between "c0: charges that met the limit" "$got" 1 1000000000
	small_end
}

limits_changing()
{
	make_small
	load 4 4M "$base/small" "$work/files" touch touch touch limit
	between "limits that were set" "${counts[limits]}" 20 1000000
	small_end
}
