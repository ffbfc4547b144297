#!/bin/sh
# A workload that writes down which signals reach it, into the job's own folder.
#   workload.sh polite     cleans up and ends at the first signal
#   workload.sh stubborn   hears every signal and goes on
#   workload.sh slow       needs four seconds to clean up
heard() { echo "$1" >>"$JOBDIR_JOB_DIR/heard"; }
case ${1:-polite} in
polite)
    trap 'heard INT; heard cleaned; exit 130' INT
    trap 'heard TERM; heard cleaned; exit 143' TERM
    ;;
stubborn)
    trap 'heard INT' INT
    trap 'heard TERM' TERM
    ;;
slow)
    trap 'heard INT; sleep 4; heard cleaned; exit 130' INT
    trap 'heard TERM; heard cleaned; exit 143' TERM
    ;;
esac
: >"$JOBDIR_READY"
# A shell runs its traps between commands: short ones, waited for, so that it is never deaf for long.
while :; do
    sleep 0.2 &
    wait $!
done
