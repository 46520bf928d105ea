#!/usr/bin/env bash
# Measure on an NVIDIA GPU, in under six minutes, what only a GPU can show.
#
#     bash examples/experiments/on_a_gpu.sh [FOLDER]
#     PYTHON=/path/to/python bash examples/experiments/on_a_gpu.sh
#
# It runs the tests marked cuda, minigan info, bench, the contest with PyTorch and JAX, gradcheck and
# a training run, from this checkout, which need not be installed.  FOLDER is new, and gets a log of
# each step, the figures, and summary.txt: what was done, what failed, what was skipped and why.  The
# tables of docs/cuda.md and its Korean twin are written anew; the folder has copies of both pages.
#
# It needs CuPy, NumPy and what `minigan` needs.  Tests need pytest and hypothesis, and the contest
# leaves out PyTorch or JAX where they are missing.  A step that fails or takes too long does not
# stop the others.  The exit status is 1 if a step failed, and 2 if there is no GPU to run on.
set -uo pipefail

out=${1:-on_a_gpu_$(date +%Y%m%d_%H%M%S)}
python=${PYTHON:-python}
if [[ -e $out ]]; then
    echo "$out exists already, expected a new folder" >&2
    exit 2
fi
mkdir -p "$out" || exit 2
out=$(cd "$out" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
export XLA_PYTHON_CLIENT_PREALLOCATE=false # JAX would take most of the memory that others need
failed=0

note() { # NAME WHAT HAPPENED
    printf '%-10s %s\n' "$1" "$2" | tee -a "$out/summary.txt"
}

step() { # NAME SECONDS COMMAND...: at most so many seconds, whatever becomes of it
    local name=$1 limit=$2 start=$SECONDS status
    shift 2
    printf '\n== %s: %s\n' "$name" "$*"
    timeout --kill-after=5 "$limit" "$@" 2>&1 | tee "$out/$name.log"
    status=${PIPESTATUS[0]}
    case $status in
    0) note "$name" "done in $((SECONDS - start)) s" ;;
    124 | 137) note "$name" "FAILED: stopped after $limit s" ;;
    *) note "$name" "FAILED with status $status: $(tail -n 1 "$out/$name.log")" ;;
    esac
    ((status == 0)) || failed=1
    # What took no part, within a step that went well.
    grep -E '^SKIPPED|takes no part|stays as it is' "$out/$name.log" | sort -u |
        while read -r line; do note "" "$line"; done
}

skip() { # NAME WHY
    note "$1" "skipped: $2"
}

lacks() { # MODULE...: names those that cannot be imported
    local module
    for module in "$@"; do
        "$python" -c "import $module" >/dev/null 2>&1 || echo "$module"
    done | paste -sd ' ' -
}

question='from minigan.backend.cupy_backend import why_unavailable; print(why_unavailable() or "")'
if ! why=$("$python" -c "$question" 2>&1); then
    why="$python cannot import minigan: $(tail -n 1 <<<"$why")"
fi
if [[ -n $why ]]; then
    for name in info tests bench contest gradcheck train tables; do
        skip "$name" "$why"
    done
    exit 2
fi

step info 15 "$python" -m minigan info

missing=$(lacks pytest hypothesis)
if [[ -n $missing ]]; then
    skip tests "not installed: $missing"
else
    step tests 100 "$python" -m pytest -q -m "cuda and not torch"
fi

step bench 60 "$python" -m minigan bench --backend cupy --batch-size 16 64 256 1024 4096 65536 \
    --json "$out/bench.json"

printf '<!-- benchmark -->\n<!-- end of benchmark -->\n' >"$out/contest.md"
step contest 130 "$python" examples/experiments/benchmark_vs_pytorch.py --device cuda --rounds 3 \
    --seconds 0.15 --batch-sizes 64 256 1024 4096 --write "$out/contest.md"

step gradcheck 20 "$python" -m minigan gradcheck --backend cupy

step train 25 "$python" -m minigan train --backend cupy --recipe tutorial --epochs 10 \
    --save-every 10 --out "$out/run"

step tables 5 "$python" examples/experiments/gpu_tables.py "$out"
cp docs/cuda.md "$out/cuda.md"
cp docs/ko/cuda.md "$out/cuda.ko.md"

printf '\nAll of it is in %s:\n' "$out"
cat "$out/summary.txt"
exit "$failed"
