# Sourced by the scripts that run a server of their own, after common.sh.
# shellcheck shell=bash

server_pid=
storefront= # addresses, host:port
backoffice=
http=

# start_server VITRINE DATA LOG [OPTION...]: starts it on free ports and returns when it has said that
# it is ready, which sets the variables above.
start_server() {
  local fifo line pattern='^storefront ([^ ]+) backoffice ([^ ]+) http ([^ ]+)$'
  fifo=$(mktemp -u "$3.XXXXXX")
  mkfifo "$fifo"
  # In a session of its own, so that a Ctrl-C meant for the script reaches the server as our
  # SIGTERM, and the end of the terminal does not reach a server that was asked to stay.
  setsid "$1" serve --data "$2" --port 0 --admin-port 0 --http-port 0 "${@:4}" >"$fifo" 2>"$3" &
  server_pid=$!
  local ready
  exec {ready}<"$fifo"
  rm "$fifo"
  # A server that dies closes the pipe, and the read ends at once.
  if ! IFS= read -r -t 60 line <&"$ready" || [[ ! $line =~ $pattern ]]; then
    cat "$3" >&2
    die "the server did not become ready${line:+; it said: $line}"
  fi
  # shellcheck disable=SC2034
  storefront=${BASH_REMATCH[1]} backoffice=${BASH_REMATCH[2]} http=${BASH_REMATCH[3]}
}

# Lets requests under way finish; fails if the server does not end well.
stop_server() {
  local pid=$server_pid
  server_pid=
  [[ -n $pid ]] || return 0
  kill -TERM "$pid" 2>/dev/null || true
  wait "$pid"
}
