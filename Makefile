# make, or make help, lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# Where CI runs, a test that lacks a tool fails instead of being skipped.
ifeq ($(CI),true)
export SLIMFILE_TEST_REQUIRE ?= 1
endif
export IMAGE BUILDER PUSH OUTPUT GRANULARITY PARALLEL JSON MARKDOWN

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-9s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: ## build the Flask example fat and slim, run the slim one, compare them
	hack/demo.sh

.PHONY: test
test: ## run the unit, sensor and end-to-end tests
	hack/test.sh

.PHONY: lint
lint: ## check the sources
	hack/lint.sh

.PHONY: image
image: ## build the frontend image: IMAGE=ref [BUILDER=name] [PUSH=1] [OUTPUT=type=…]
	hack/image.sh

.PHONY: parity
parity: ## run BuildKit's own Dockerfile tests against the stock frontend and this one
	hack/parity.sh

.PHONY: apps
apps: ## build real applications and test them slim: [APPS="sinatra examples/go"] [GRANULARITY="file package app"] [JSON=FILE]
	hack/apps.sh $(APPS)

.PHONY: bench
bench: ## measure; prints ratios
	hack/bench.sh

.PHONY: tools
tools: ## build the pinned development tools
	hack/tools.sh buildkitd buildctl runc buildx crane golangci-lint

.PHONY: bases
bases: ## make the base images that a machine without a registry needs
	hack/bases.sh

.PHONY: clean
clean: ## stop the development daemon and remove what was built, tools and bases too
	hack/clean.sh
