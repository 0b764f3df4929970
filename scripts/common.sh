# Sourced by the scripts beside it: where the checkout is, and how we speak.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034  # used by the scripts that source this file
readonly root

# The Python that Debian's python3-* packages belong to; another one may come first on the PATH.
# shellcheck disable=SC2034
readonly python=/usr/bin/python3

# What is being done goes to stderr, so that results can be piped.
say() { printf '%s\n' "$*" >&2; }

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# usage_error MESSAGE: for an option we do not know; exit code 2 as the vitrine command has it.
usage_error() {
  printf '%s: %s (see %s --help)\n' "$(basename "$0")" "$*" "$0" >&2
  exit 2
}

# The comment at the head of a script is its help text.
show_help() {
  awk 'NR == 1 { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' "$0"
}

# generate_stubs LANGUAGE DIR: the Thrift stubs of our IDL, as `thrift --gen` names the language.
generate_stubs() {
  mkdir -p "$2"
  thrift -r --gen "$1" -I "$root" -out "$2" "$root/api/vitrine.thrift"
}
