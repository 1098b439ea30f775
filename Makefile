# A facade: what there is to do, by its short name. How to build is CMake's to know.
.DEFAULT_GOAL := help
.PHONY: help packages build demo demo-break test bench format clean

help: ## what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*##/ { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

packages: ## install what is missing to build, test and run the demo (Debian 12, 13, Ubuntu 24.04)
	@cmake/install-packages

build: packages ## the programs, into build/release/bin
	@cmake --preset ci >/dev/null && cmake --build --preset ci --target faultline faultline-agent faultline-load

demo: build ## the demo experiment on real containers: ends PASSED
	@deploy/demo/run

demo-break: build ## the same with the metrics store stopped meanwhile: ends FAILED, which is right
	@deploy/demo/run --break

test: packages ## build everything, also with sanitizers, and run all tests
	@for preset in asan tsan ci; do \
	  cmake --preset $$preset >/dev/null && cmake --build --preset $$preset || exit 1; done
	@failed=0; for preset in asan tsan ci; do ctest --preset $$preset || failed=1; done; exit $$failed

bench: packages ## what faults cost, against budgets and other tools; numbers in build/bench
	@cmake --preset ci >/dev/null && cmake --build --preset ci --target bench_programs
	@tests/bench/run build/release/bin build/bench

format: ## clang-format over every source file
	@git ls-files '*.h' '*.cc' '*.c' '*.proto' | xargs clang-format -i

clean: ## remove everything that was built
	@rm -rf build
