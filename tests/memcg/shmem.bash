# shellcheck shell=bash disable=SC2154 # variables of common.bash and run
# shmem - tmpfs and shared memory: page cache which can be swap cache, and which
# is nobody's: it stays when the task that has made it ends.

cases+=(
	"shmem|shmem_cache|a tmpfs file is charged until it is removed, not until its task ends"
	"shmem|shmem_limit|at its limit tmpfs goes to swap, and comes back as it was"
	"shmem|shmem_first|a shared page stays with its first user, through swap as well"
	"shmem|shmem_left|what a removed group leaves is the parent's until the file is removed"
)

mount_files()
{
	mkdir "$work/files"
	mount -t tmpfs -o size=64M files "$work/files"
}

shmem_cache()
{
	local a=$base/a

	mount_files
	group "$a"
	task t "$a"
	ask t write "$work/files/f" 8M
	expect "$a" shmem 8M 8M
	expect "$a" anon 0 "$batch"
	expect "$a" usage 8M 10M
	ask t read "$work/files/f" 8M
	end t
	expect "$a" shmem 8M 8M
	rm "$work/files/f"
	expect_empty "$a"
}

shmem_limit()
{
	local a=$base/a

	need_swap
	mount_files
	group "$a"
	put "$a" limit 10M
	task t "$a"
	ask t map "$work/files/f" 20M
	expect "$a" usage 4M 10M
	expect "$a" swap 10M 20M
	ask t check
	expect "$a" usage 4M 10M
	expect "$a" swap 8M 20M
	ask t free
	end t
	# and by another way in, to what nobody maps
	task u "$a"
	ask u look "$work/files/f" 20M
	end u
	get "$a" peak
	between "peak" "$got" 9M 10M
	get "$a" kills
	between "OOM kills" "$got" 0 0
	rm "$work/files/f"
	expect_empty "$a"
}

shmem_first()
{
	local a=$base/a b=$base/b

	need_swap
	mount_files
	group "$a" "$b"
	task first "$a"
	task second "$b"
	ask first map "$work/files/f" 8M
	ask second look "$work/files/f" 8M
	expect "$a" shmem 8M 8M
	expect "$b" shmem 0 0
	# out, for which nobody else may map it, and in by the second
	ask second free
	ask first out
	expect "$a" shmem 0 1M
	expect "$a" swap 7M 8M
	ask first free
	ask second look "$work/files/f" 8M
	expect "$a" shmem 8M 8M
	expect "$b" shmem 0 0
	expect "$b" usage 0 2M
	end first second
	rm "$work/files/f"
	expect_empty "$a"
	expect_empty "$b"
}

shmem_left()
{
	local a=$base/a

	mount_files
	group "$base/up" "$base/up/a"
	a=$base/up/a
	task t "$a"
	ask t map "$work/files/f" 8M
	end t
	rmdir "$a"
	expect "$base/up" shmem 8M 8M
	expect "$base/up" usage 8M 10M
	# what is taken anew is the same page, with the same charge
	group "$base/b"
	task u "$base/b"
	ask u look "$work/files/f" 8M
	expect "$base/up" shmem 8M 8M
	expect "$base/b" shmem 0 0
	end u
	rm "$work/files/f"
	expect_empty "$base/up"
}
