#!/bin/bash
# The wrapper that people write when their shell swallows signals: it forwards what it gets to its child.
"$@" &
child=$!
for signal in INT TERM; do
    # shellcheck disable=SC2064 # the signal's name is meant to be filled in now
    trap "kill -$signal $child" "$signal"
done
# wait returns early when a trap has run; the child may still be cleaning up.
while kill -0 "$child" 2>/dev/null; do wait "$child"; done
