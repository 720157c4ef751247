# shellcheck shell=bash disable=SC2154 # variables of common.bash and run
# tree - children come and go at random below a parent with a limit, while tasks
# are in them.

cases+=(
	"tree|tree_churn|mkdir and rmdir at random under load, limits on the parent and one child"
)

tree_churn()
{
	local up=$base/up name

	mkdir "$work/files"
	mount -t tmpfs -o size=64M files "$work/files"
	group "$up" "$up/c0" "$base/beside"
	put "$up" limit 12M
	put "$up/c0" limit 2M
	task beside "$base/beside"
	ask beside anon 20M

	load 5 4M "$up" "$work/files" touch touch touch touch dirs dirs
	between "tasks" "${counts[tasks]}" 50 1000000
	between "cgroups made" "${counts[made]}" 20 1000000
	between "cgroups removed" "${counts[removed]}" 20 "${counts[made]}"
	get "$up" peak
	between "up: peak" "$got" 1M 12M
	get "$up/c0" peak
	between "c0: peak" "$got" 4096 2M

	umount "$work/files"
	# hierarchical: what children had that are no more is in it
	expect_empty "$up/c0"
	expect_empty "$up"
	for name in "$up"/c[1-7]; do
		[[ ! -d $name ]] || rmdir "$name"
	done
	rmdir "$up/c0"
	expect_empty "$up"

	# who is beside them was neither reclaimed from nor killed
	expect "$base/beside" anon 20M 21M
	ask beside check
	end beside
	expect_empty "$base/beside"
}
