# The checks by name; .ci/run says what each of them does, and makes its own fresh environment.
STEPS = tests slow faults parity kernels ranks page lowest style docs epoch

.PHONY: check $(STEPS)

check:
	bash .ci/run

$(STEPS):
	bash .ci/run $@
