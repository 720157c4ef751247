# shellcheck shell=bash
# shellcheck disable=SC2154 # what tests/run has set
# changed.bash - what a suite depends on, as a hash; and what became of it before on this
# machine with the same. tests/run --changed leaves out what passed.

results=$MEMCRUN_CACHE/results

# Packages and compilers of this machine, and what its environment changes: asked once.
machine_facts()
{
	local list=$all/facts

	if [[ ! -e $list ]]; then
		{
			# a missing package is left out, and appears in the list once installed
			"$top/contrib/deps" --list | xargs dpkg-query -W 2>/dev/null || [[ $? == 123 ]]
			dpkg-query -W libc6
			gcc --version
			clang --version
			printf '%s\n' "${CC:-}" "${MEMCRUN_KERNEL:-}" "${MEMCRUN_KERNEL_SOURCE:-}" \
				"${MEMCRUN_VM_ACCEL:-}"
		} >"$list.$BASHPID" || return
		mv "$list.$BASHPID" "$list"
	fi
	cat "$list"
}

# The packages of a userland with their versions: its name says which ones only.
userland_facts()
{
	local directory

	directory=$("$here/vm/userland" --path "$1") || return
	sha256sum <"$directory/var/lib/dpkg/status"
}

# The checkout's files below the paths given, as they are now: contents, names and modes.
checkout_files()
{
	local list=$all/files.$BASHPID file

	cd "$top" || return
	git ls-files -z --cached --others --exclude-standard -- "$@" | LC_ALL=C sort -zu |
		while IFS= read -r -d '' file; do
			# git's index still names a file that has been deleted
			[[ ! -e $file && ! -L $file ]] || printf '%s\0' "$file"
		done >"$list" || return
	xargs -0 -r stat -c '%A %n %N' <"$list" || return
	xargs -0 -r sha256sum <"$list" || return
	rm "$list"
}

# suite_hash NAME INPUTS RUN: what it depends on; fails where that cannot be told.
suite_hash()
{
	local input paths=(tests/run tests/suites)
	local -a inputs files

	read -r -a inputs <<<"$2"
	{
		printf '%s\n' "$@"
		machine_facts || return
		for input in "${inputs[@]}"; do
			case $input in
			kernel:*) "$here/vm/kernel" --path "${input#*:}" || return ;;
			root:*) userland_facts "${input#*:}" || return ;;
			*)
				read -r -d '' -a files <<<"${input_words[$input]:-$input}" || :
				paths+=("${files[@]}")
				;;
			esac
		done
		checkout_files "${paths[@]}" || return
	} >"$all/$1.inputs"
	sha256sum <"$all/$1.inputs" | cut -c 1-32
}

# passed_before NAME HASH: prints the counts and the time of then
passed_before()
{
	[[ -e $results/$1-$2 ]] && cat "$results/$1-$2"
}

# remember NAME HASH SECONDS COUNTS: the last result of a suite is kept. Without a hash, after
# a failure, no earlier one holds either.
remember()
{
	mkdir -p "$results"
	printf '%s\n' "$3" >"$results/.$1.$BASHPID"
	mv "$results/.$1.$BASHPID" "$results/$1.seconds"
	rm -f "$results/$1"-????????????????????????????????
	[[ -n $2 ]] || return 0
	printf '%s\n%s\n' "$4" "$(date -u '+%Y-%m-%d %H:%M UTC')" >"$results/.$1.$BASHPID"
	mv "$results/.$1.$BASHPID" "$results/$1-$2"
}

# seconds_of NAME ESTIMATE: as measured here, or as the table has it
seconds_of()
{
	if [[ -s $results/$1.seconds ]]; then
		cat "$results/$1.seconds"
	else
		printf '%s\n' "$2"
	fi
}
