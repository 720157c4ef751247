# shellcheck shell=bash
# results.bash - results of steps, kept in the cache by all inputs of a step.
#
# A step is one piece of work with a name: "on-0005" builds the files concerned after the
# fifth patch with the options on. step_inputs lists all inputs of a step, and the hash of
# this list is part of the file name of the step's result. Thus a changed input makes
# another name, and an old result is never found by mistake.
#
# Only a step that succeeds leaves a result. The result is what the step printed: most
# steps print nothing. A result gets its name last, so that an interrupted run leaves
# none.

# Steps whose results were not used for so many days are removed.
KEEP_DAYS=14

declare -A step_result=()

# step_find STEP: name the step's result file; succeeds if the result is there
step_find()
{
	local step=$1 hash

	mkdir -p "$work/inputs"
	step_inputs "$step" >"$work/inputs/$step"
	hash=$(sha256sum <"$work/inputs/$step" | cut -c 1-32)
	step_result[$step]=$results/$step-$hash
	[[ $again == 0 && -e ${step_result[$step]} ]]
}

# step_take STEP: use the result of an earlier run
step_take()
{
	touch "${step_result[$1]}"
	cp "${step_result[$1]}" "$work/done/$1.out"
	step_done "$1" 0
}

# step_run STEP: the step's output and status go to $work/done, and its result to the
# cache if the step succeeds. Workers call this.
step_run()
{
	local step=$1 status=0 new

	# a patch of documentation has the result of the patch before
	if [[ $again == 0 && -e ${step_result[$step]} ]]; then
		step_take "$step"
		return
	fi
	step_work "$step" >"$work/done/$step.out" 2>&1 || status=$?
	if [[ $status == 0 ]]; then
		new=$results/.$step.$$
		cp "$work/done/$step.out" "$new"
		mv "$new" "${step_result[$step]}"
	fi
	step_done "$step" "$status"
}

# step_done STEP STATUS: step_wait looks for the status, thus the status comes last
step_done()
{
	echo "$2" >"$work/done/.$1.status"
	mv "$work/done/.$1.status" "$work/done/$1.status"
}

# step_wait STEP: print the step's output and return its status, when a worker has done it
step_wait()
{
	local step=$1

	until [[ -e $work/done/$step.status ]]; do
		if ! workers_alive && [[ ! -e $work/done/$step.status ]]; then
			echo "no worker was left for the step $step"
			workers_say
			return 1
		fi
		sleep 0.2
	done
	cat "$work/done/$step.out"
	return "$(<"$work/done/$step.status")"
}

results_expire()
{
	local directory

	for directory in "$results" "$cache"/objects-*; do
		[[ ! -d $directory ]] || find "$directory" -type f -mtime "+$KEEP_DAYS" -delete
	done
}
