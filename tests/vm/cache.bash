# shellcheck shell=bash
# cache.bash - where the test bed keeps what takes long to make: kernels, userlands,
# packages, results. Everything in it can be made again; nothing of it is in the checkout.

: "${MEMCRUN_CACHE:=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/memcrun}"
export MEMCRUN_CACHE
