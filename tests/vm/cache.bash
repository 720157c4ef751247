# shellcheck shell=bash
# cache.bash - where the test bed keeps what takes long to make: kernels, userlands,
# packages, results. Everything in it can be made again; nothing of it is in the checkout.

: "${MEMCRUN_CACHE:=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/memcrun}"
export MEMCRUN_CACHE

# cache_used DIRECTORY: it is in use today, which keeps it.
cache_used()
{
	# in a guest it is read-only
	[[ ! -w $1 ]] || touch "$1"
}

# cache_expire NAME: remove the directories NAME-HASH that were not used for two weeks, each
# with its lock. Branches and checkouts share a cache, so older ones are not removed at once.
cache_expire()
{
	local directory lock

	for directory in "$1"-????????????????; do
		[[ -d $directory && -n $(find "$directory" -maxdepth 0 -mtime +14) ]] || continue
		exec {lock}>"$directory.lock"
		if flock -n "$lock"; then
			rm -rf "$directory" "$directory.lock"
		fi
		exec {lock}>&-
	done
}
