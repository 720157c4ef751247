# shellcheck shell=bash
# series.bash - whether the series applies, and whether its files are in order.
#
# $commits becomes a git tree with a commit for each patch. It holds the files concerned
# only: git am looks at no others, and adding all files would take longer than building.
# refresh reads the Makefile, and git the attributes when it names the function of a hunk.

make_base_commit()
{
	local file

	mkdir "$commits"
	while read -r file; do
		[[ ! -e $place/source/$file ]] || printf '%s\n' "$file"
	done < <(printf '%s\n' Makefile .gitattributes; cat "$work/touched") >"$work/existing"
	tar -C "$place/source" -c -T "$work/existing" | tar -C "$commits" -x
	export GIT_COMMITTER_NAME=memcrun GIT_COMMITTER_EMAIL=memcrun@localhost
	"${git[@]}" -C "$commits" init -q .
	"${git[@]}" -C "$commits" add -A -f .
	"${git[@]}" -C "$commits" commit -q --author 'memcrun <memcrun@localhost>' -m base
	"${git[@]}" -C "$commits" tag base
}

# fresh DIR: the files concerned, as they are in the base
fresh()
{
	mkdir "$1"
	git -C "$commits" archive base | tar -C "$1" -x
}

other_release()
{
	cat <<-SAY
	linux-source-$version is $installed; the series was made for $(base_value "$version" version).
	SAY
	if [[ $(files_id "$place/source" <"$work/touched") == "$(base_value "$version" files)" ]]; then
		echo "The files that the series changes are the same in both releases."
	elif [[ $1 == 0 ]]; then
		echo "The series applies. Check that the kernel code around it has not changed."
	else
		echo "The series does not apply."
	fi
	cat <<-SAY
	To make a series for $installed:
	    kernel-patch/refresh --start TREE $version   # stops where a patch fails, says how to go on
	    kernel-patch/refresh TREE
	    kernel-patch/check $version
	SAY
}

apply_by_patch()
{
	local patch log=$work/log status=0

	fresh "$work/by-patch"
	for patch in "${patches[@]}"; do
		if ! patch -d "$work/by-patch" -p1 -F0 --no-backup-if-mismatch \
			<"$series/$patch" >"$log" 2>&1; then
			printf '%s does not apply:\n' "$patch"
			grep -E 'FAILED|fail|reversed|find file' "$log" || cat "$log"
			status=1
			break
		fi
		# on the series' own base each line number is right as well
		if grep -q 'offset' "$log" && [[ $same_base == 1 ]]; then
			printf '%s applies at an offset: kernel-patch/refresh it\n' "$patch"
			grep 'offset' "$log"
			status=1
		fi
	done
	[[ $same_base == 1 ]] || other_release "$status"
	return "$status"
}

apply_by_quilt()
{
	local log=$work/log

	fresh "$work/by-quilt"
	printf '%s\n' "${patches[@]}" >"$work/series"
	(cd "$work/by-quilt" && QUILT_PATCHES=$series QUILT_SERIES=$work/series QUILT_PC=.pc \
		quilt --quiltrc /dev/null push -a --fuzz=0) >"$log" 2>&1 ||
		{ tail -n 20 "$log"; return 1; }
	rm -rf "$work/by-quilt/.pc"
	diff -r "$work/by-patch" "$work/by-quilt" >"$log" ||
		{ echo "patch(1) gives another result:"; head -n 20 "$log"; return 1; }
}

# The commits are the trees that all later tests build.
apply_by_git()
{
	local patch log=$work/log

	for patch in "${patches[@]}"; do
		if ! "${git[@]}" -C "$commits" am -q "$series/$patch" >"$log" 2>&1; then
			printf '%s:\n' "$patch"
			cat "$log"
			"${git[@]}" -C "$commits" am --abort || :
			return 1
		fi
		# the last of its series so far
		[[ $stacked == 0 ]] || "${git[@]}" -C "$commits" tag -f "series/${patch%%/*}" >"$log"
	done
	mkdir "$work/by-git"
	git -C "$commits" archive HEAD | tar -C "$work/by-git" -x
	diff -r "$work/by-patch" "$work/by-git" >"$log" ||
		{ echo "patch(1) gives another result:"; head -n 20 "$log"; return 1; }
}

files_are_named()
{
	local file status=0

	while read -r file; do
		grep -qxF -- "$file" <(printf '%s\n' "${patches[@]}") ||
			{ echo "$file: not in series"; status=1; }
	done < <(cd "$series" && find . -name '*.patch' | sed 's|^\./||')
	return "$status"
}

# Nobody edited a patch, and the way from and to a git tree loses nothing.
refresh_agrees()
{
	local log=$work/log name

	files_are_named || return 1
	# refresh compares the base with the tarball unless `base` says the same already; the
	# base of $commits is from the tarball, and the comparison takes ten seconds
	for name in $(series_names "$version"); do
		mkdir -p "$work/refreshed/$name"
		cp "$series/$name/base" "$work/refreshed/$name/base"
	done
	"$patches_top/refresh" --into "$work/refreshed" "$commits" >"$log" 2>&1 ||
		{ cat "$log"; return 1; }
	for name in $(series_names "$version"); do
		[[ $same_base == 1 ]] || cp "$series/$name/base" "$work/refreshed/$name/base"
		diff -r -x README.md "$series/$name" "$work/refreshed/$name" >"$log" ||
			{ echo "kernel-patch/refresh would change:"; head -n 30 "$log"; return 1; }
	done
}

# --- checkpatch

# checkpatch_says PATCH: the lines of checkpatch.pl. Its tree is the plain kernel, so that
# its lines depend on no other patch. Without GIT_DIR it would look in our own repository
# for the commits named in messages. It leaves a file in its directory.
checkpatch_says()
{
	local status=0 scratch

	scratch=$(mktemp -d "$work/checkpatch.XXXXXX")
	(cd "$scratch" && GIT_DIR=/nonexistent perl "$place/source/scripts/checkpatch.pl" \
		--root="$place/source" --strict --terse --show-types --no-summary --color=never \
		--max-line-length=100 "$series/$1" >said 2>&1) || status=$?
	sed "s|^$series/||" "$scratch/said"
	rm -rf "$scratch"
	# 1 means that there are lines
	[[ $status -le 1 ]]
}

checkpatch_is_content()
{
	local line type ignored_patch ignored_type reason found i status=0
	local -a used=()

	for i in "${!patches[@]}"; do
		step_wait "checkpatch-$((i + 1))" || status=1
	done >"$work/checkpatch"
	while read -r line; do
		[[ -n $line ]] || continue
		type=$(sed -nE 's/^[^:]*:[0-9]*:? ?(ERROR|WARNING|CHECK):([A-Z0-9_]+): .*/\2/p' <<<"$line")
		found=0
		while read -r ignored_patch ignored_type reason; do
			# shellcheck disable=SC2053 # the right side is a pattern
			if [[ $type == "$ignored_type" && ${line%%:*} == $ignored_patch ]]; then
				used+=("$ignored_patch $ignored_type")
				found=1
			fi
		done < <(ignored)
		[[ $found == 1 ]] || { printf '%s\n' "$line"; status=1; }
	done <"$work/checkpatch"

	while read -r ignored_patch ignored_type reason; do
		if [[ -z $reason ]]; then
			echo "checkpatch.ignore: $ignored_patch $ignored_type: no reason is given"
			status=1
		elif ! grep -qxF -- "$ignored_patch $ignored_type" <(printf '%s\n' "${used[@]}"); then
			echo "checkpatch.ignore: $ignored_patch $ignored_type: lets nothing through"
			status=1
		fi
	done < <(ignored)
	return "$status"
}

ignored()
{
	sed -e '/^#/d' -e '/^[[:space:]]*$/d' "$ignore_file"
}
