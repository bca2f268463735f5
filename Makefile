# SPDX-License-Identifier: Apache-2.0
# What the README promises; ./dev does the work.
.PHONY: serve test check bench compare

# The showcase on http://127.0.0.1:8080. More arguments: make serve ARGS="--port 9000 --workers 2"
serve:
	@./dev setup build
	@./dev build release examples/showcase
	@exec build/release/examples/showcase $(ARGS)

# Every test, with the packages they need besides.
test:
	@./dev setup test
	@./dev test

# All that must hold before a change lands, other than `make test`.
check:
	@./dev setup check
	@./dev check

bench:
	@./dev setup bench
	@./dev bench $(ARGS)

# Our program beside its aiohttp twin: make compare EXAMPLE=threaded_server
compare:
	@./dev setup bench
	@./dev bench compare $(EXAMPLE)
