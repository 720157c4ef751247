# shellcheck shell=bash
# shellcheck disable=SC2154 # what tests/run has set
# changed.bash - what a suite depends on, as a hash; and what became of it before on this
# machine with the same. tests/run --changed leaves out what passed.

results=$MEMCRUN_CACHE/results

# Packages of this machine that building and testing need, with their versions: asked once.
machine_packages()
{
	local list=$all/packages

	if [[ ! -e $list ]]; then
		# one that is missing is left out, and gets into the list when it is installed
		"$top/contrib/deps" --list | xargs dpkg-query -W >"$list" 2>/dev/null || [[ $? == 123 ]]
	fi
	cat "$list"
}

# The checkout's files below the paths given, as they are now: contents, names and modes.
checkout_files()
{
	local list=$all/files.$BASHPID file

	cd "$top" || return
	git ls-files -z --cached --others --exclude-standard -- "$@" | LC_ALL=C sort -zu |
		while IFS= read -r -d '' file; do
			# one that is deleted is in git's index still
			[[ ! -e $file && ! -L $file ]] || printf '%s\0' "$file"
		done >"$list"
	xargs -0 -r stat -c '%A %n %N' <"$list"
	xargs -0 -r sha256sum <"$list"
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
		machine_packages
		for input in "${inputs[@]}"; do
			case $input in
			kernel:*) "$here/vm/kernel" --path "${input#*:}" || return ;;
			root:*) "$here/vm/userland" --path "${input#*:}" || return ;;
			*)
				read -r -d '' -a files <<<"${input_words[$input]:-$input}" || :
				paths+=("${files[@]}")
				;;
			esac
		done
		checkout_files "${paths[@]}"
	} >"$all/$1.inputs"
	sha256sum <"$all/$1.inputs" | cut -c 1-32
}

# passed_before NAME HASH: prints the counts and the time of then
passed_before()
{
	[[ -e $results/$1-$2 ]] && cat "$results/$1-$2"
}

# remember NAME HASH SECONDS COUNTS: of a suite one result is kept, the last.
remember()
{
	mkdir -p "$results"
	printf '%s\n' "$3" >"$results/.$1.$BASHPID"
	mv "$results/.$1.$BASHPID" "$results/$1.seconds"
	[[ -n $2 ]] || return 0
	rm -f "$results/$1"-????????????????????????????????
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
