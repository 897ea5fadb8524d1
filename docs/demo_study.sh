#!/bin/sh
# Serves a study twice until Ctrl-C: for people, and with simulated raters for its admin page.
#   PORT=8501 DREAMIX=dreamix sh docs/demo_study.sh STUDY
set -eu
study=$1
port=${PORT:-8501}
admin_port=$((port + 1))
dreamix=${DREAMIX:-dreamix}
DREAMIX_ADMIN_TOKEN=${DREAMIX_ADMIN_TOKEN:-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')}
export DREAMIX_ADMIN_TOKEN

"$dreamix" study serve "$study" --port "$admin_port" \
    --database "sqlite:///$study/simulated.sqlite" &
admin=$!
trap 'kill "$admin" 2>/dev/null || true' EXIT INT TERM
echo "rate:   http://127.0.0.1:$port"
echo "admin:  http://127.0.0.1:$admin_port/?admin   token: $DREAMIX_ADMIN_TOKEN   (simulated raters)"
"$dreamix" study serve "$study" --port "$port"
