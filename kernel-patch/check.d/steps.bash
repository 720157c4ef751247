# shellcheck shell=bash
# steps.bash - the steps: what each one does, and the inputs of its result.
#
#	checkpatch-N       checkpatch.pl of patch N
#	on-N, off-N        patch N: the files concerned build, with the options on, off
#	options-on, -off   the configurations have the options, or have none of them
#	plain              with the options off, objects are those of the plain kernel
#	said-base          warnings of the plain kernel
#	said-off, -on      warnings of the series
#	debug, variant-V   other configurations build
#	whole-off          a whole kernel builds, with the options off

step_work()
{
	case $1 in
	checkpatch-*) checkpatch_says "${patches[${1#*-} - 1]}" ;;
	on-* | off-*) step_builds "${1%-*}" "$(step_commit "$1")" ;;
	options-*) step_options "${1#*-}" ;;
	plain) step_plain ;;
	said-base) step_said off base ;;
	said-*) step_said "${1#*-}" HEAD ;;
	debug) step_debug ;;
	variant-*) step_builds "${1#*-}" HEAD ;;
	whole-off) step_whole ;;
	esac
}

# step_inputs STEP: all that its result depends on, one input a line
step_inputs()
{
	local patch

	# without the patch's number: another number does not change the result
	printf 'step %s\nprograms %s\nsource %s\n' "${1%-[0-9]*}" "$programs_id" "$source_id"
	if [[ $1 == checkpatch-* ]]; then
		patch=${patches[${1#*-} - 1]}
		echo "patch $patch $(sha256sum <"$series/$patch")"
		perl --version
		return
	fi
	# with --full the tree has more files
	printf 'full %s\nconfiguration %s\n' "$full" \
		"$(config_text "$(step_kind "$1")" | sha256sum)"
	cat "$work/tools"
	candidates all
	case $1 in
	options-*) sha256sum <"$patched_config" ;;
	said-*) grep '\.h$' "$work/touched" ;;
	esac
	code "$(step_commit "$1")"
}

step_kind()
{
	case $1 in
	on-* | off-*) echo "${1%-*}" ;;
	options-* | variant-*) echo "${1#*-}" ;;
	said-on | debug) echo "${1#*-}" ;;
	*) echo off ;;
	esac
}

step_commit()
{
	case $1 in
	on-* | off-*) echo "${commit_ids[${1#*-} - 1]}" ;;
	said-base) echo base ;;
	*) echo HEAD ;;
	esac
}

# code COMMIT: names and contents of the files in which the commit differs from the base,
# without those that no compiler reads. A commit of documentation has its parent's.
code()
{
	git -C "$commits" diff --raw --no-abbrev base "$1" -- . ':!Documentation' \
		':!tools/testing' ':!samples'
}

# The groups of steps, in the order in which workers begin them: see workers.bash. The
# longest group is first.
steps_add()
{
	local i variant
	local -a on=() off=() checkpatch=() plain=()

	for i in "${!patches[@]}"; do
		on+=("on-$((i + 1))")
		off+=("off-$((i + 1))")
		checkpatch+=("checkpatch-$((i + 1))")
	done
	# the rule of identical objects is 6.12's alone
	[[ $stacked == 1 ]] || plain=(plain)
	if [[ $short == 1 ]]; then
		workers_add options-on options-off "${plain[@]}"
		workers_add "${checkpatch[@]}"
		return
	fi
	workers_add "${on[@]}" options-on
	workers_add "${checkpatch[@]}"
	workers_add "${off[@]}" options-off "${plain[@]}" said-base said-off
	workers_add said-on debug
	for variant in $VARIANTS; do
		workers_add "variant-$variant"
	done
	[[ $full == 0 ]] || workers_add whole-off
}
