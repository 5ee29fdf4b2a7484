# SPDX-License-Identifier: MPL-2.0
# Set-up, build, demo, tests and installation. `make` alone lists the targets.
#
# Everything stays inside this folder (.setup/, models/, demo/, target/). Only apt, cargo's own
# folder and `make install` write outside it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# The steps depend on each other; cargo itself runs in parallel.
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory --no-builtin-rules

PYTHON ?= python3
# cargo's output folder; an exported CARGO_TARGET_DIR is respected.
TARGET_DIR := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
PLUGIN := libgstdmheadpose.so
TOOLS := dmheadpose-eval dmheadpose-models

# Installation: the plugin folder follows PREFIX. Below /usr it is the one that GStreamer searches
# by default; GST_PLUGINS_DIR overrides it.
PREFIX ?= /usr/local
DESTDIR ?=
MULTIARCH = $(shell gcc -print-multiarch 2>/dev/null)
GST_PLUGINS_DIR ?= $(PREFIX)/lib$(addprefix /,$(MULTIARCH))/gstreamer-1.0
MODELS_DIR ?= $(PREFIX)/share/dmheadpose/models

# Keeps in .setup/ what these tools would otherwise write to the home folder or to /tmp.
export GST_REGISTRY := $(CURDIR)/.setup/gst-registry.bin
export MPLCONFIGDIR := $(CURDIR)/.setup/matplotlib
export TMPDIR := $(CURDIR)/.setup/tmp
export XDG_CACHE_HOME := $(CURDIR)/.setup/cache
export PIP_NO_CACHE_DIR := 1
export PYTHONDONTWRITEBYTECODE := 1
# Our Python packages take precedence over the machine's; the user's own are not used.
export PYTHONPATH := $(CURDIR)/.setup/python
export PYTHONNOUSERSITE := 1
$(shell mkdir -p "$(TMPDIR)")

RECIPES_NEED = setup/system-packages.sh jq mosquitto-clients netcat-openbsd gir1.2-gst-rtsp-server-1.0
# The GLib warnings of others' elements are theirs.
RUN_RECIPES = env -u G_DEBUG $(PYTHON) tests/recipes/run.py "$(TARGET_DIR)/debug"
# What `cargo test` builds, and no more: without the tests cargo builds the plugin with other features of its
# dependencies, and so once more. Unlike `cargo test` it leaves the plugin file in place.
BUILD_FOR_TESTS = cargo build --locked --workspace --lib --bins --examples --tests
FETCH = $(PYTHON) setup/fetch.py
say = printf '\n== %s\n' $(1)

.PHONY: help setup system rust python runtime models models-dmhead clips people pictures build demo attention test documentation recipes bench truth soak fuzz install deb clean distclean

help: ## List the targets
	@echo 'dmheadpose: GStreamer plugin for head pose. Targets:'
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' Makefile | expand -t 18
	@echo 'Variables: CARGO_TARGET_DIR, ORT_DYLIB_PATH, PYTHON; for install PREFIX, DESTDIR, GST_PLUGINS_DIR, MODELS_DIR.'

setup: system rust python runtime ## Install the dependencies of the build and the tools (apt, pip, ONNX Runtime)

system:
	@setup/system-packages.sh

rust:
	@setup/rust.sh

python:
	@setup/python-packages.sh "$(PYTHON)"

runtime: python
	@setup/onnxruntime.sh "$(PYTHON)" "$(TARGET_DIR)"

models: setup ## Fetch, verify and convert the default models into models/
	@$(call say,'Models')
	@$(FETCH) models/manifest.toml --group default

models-dmhead: setup ## Fetch DMHead's own release files too (needs github.com)
	@$(call say,'Models of the DMHead release')
	@$(FETCH) models/manifest.toml --group dmhead

clips: setup
	@$(call say,'Clips for the demo')
	@$(FETCH) setup/downloads.toml --group clip

# Without apt the demo runs only on the face clip, and prints a warning.
people: setup
	@$(call say,'Clip of people for the demo (a Debian package of 96 MB, not installed)')
	@$(if $(CLIP),:,$(FETCH) setup/downloads.toml --group people || echo 'warning: no clip of people')

pictures: setup
	@$(call say,'Pictures for the tests')
	@$(FETCH) setup/downloads.toml --group test

build: setup ## Build the plugin and the tools: target/release/libgstdmheadpose.so, dmheadpose-*
	@$(call say,'Build (some minutes the first time)')
	@cargo build --release --locked --workspace

demo: models clips people build ## Run the element on real clips; results in demo/
	@$(call say,'Demo')
	@GST_PLUGIN_PATH="$(TARGET_DIR)/release" demo/run.sh "$(PYTHON)"

attention: models clips build ## Who looks at the camera in a clip, and for how long? demo/attention.html
	@$(call say,'Attention')
	@GST_PLUGIN_PATH="$(TARGET_DIR)/release" gst-launch-1.0 -q \
	  filesrc location="$${CLIP:-.setup/clips/WolfgangLanger_Pexels.mp4}" ! decodebin ! videoconvert \
	  ! videoflip video-direction=auto ! dmheadpose tracking=true smoothing=true ! dmheadposejson ! filesink location=demo/attention.jsonl
	@$(PYTHON) examples/attention/attention.py demo/attention.jsonl --output demo/attention.html

# With fatal_warnings a GLib warning or critical fails the test that caused it.
test: export G_DEBUG := fatal_warnings
test: models clips pictures ## Format, lints, all tests, documentation, gst-inspect, recipes
	@setup/rust.sh rustfmt clippy
	@$(call say,'Format and lints')
	@cargo fmt --all --check
	@tests/purity.sh
	@cargo clippy --workspace --all-targets --locked -- -D warnings
	@$(call say,'Tests')
	@$(BUILD_FOR_TESTS)
	@$(RECIPES_NEED)
	@$(PYTHON) -m unittest discover -q setup
	@$(PYTHON) -m unittest discover -q demo
	@$(PYTHON) -m unittest discover -q examples/attention
	@$(PYTHON) -m unittest discover -q tests/documents
	@tests/side-by-side.sh "cargo test --locked --workspace --no-fail-fast" "$(MAKE) documentation"
	@$(call say,'All checks passed')

# Mostly waits for pipelines, so `make test` runs it beside the tests. cargo comes last, whose lock would hold them up:
# it describes the plugin alone, which shows that it builds without what the tools ask of its dependencies.
documentation:
	@$(call say,'gst-inspect')
	@tests/inspect.sh "$(TARGET_DIR)/debug/$(PLUGIN)"
	@$(call say,'Commands in the documentation')
	@$(RUN_RECIPES)
	@$(call say,'Documentation')
	@RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --locked

recipes: models clips pictures ## Run every command of README and docs, as `make test` does
	@$(BUILD_FOR_TESTS)
	@$(RECIPES_NEED)
	@$(RUN_RECIPES)

bench: models clips ## Compare the element's speed with its networks alone and with DMHead's loop; results in target/bench/
	@setup/python-packages.sh "$(PYTHON)" setup/requirements-bench.txt .setup/bench-python
	@$(call say,'Parts (criterion)')
	@cargo bench --locked --bench parts -- --noplot
	@$(call say,'End to end')
	@PYTHONPATH="$(CURDIR)/.setup/bench-python" cargo bench --locked --bench end_to_end -- \
	  --python "$(PYTHON)" --output "$(TARGET_DIR)/bench" $(BENCH_ARGS)
	@$(PYTHON) benches/plot.py "$(TARGET_DIR)/bench"

truth: export PYTHONPATH := $(CURDIR)/.setup/truth/python
truth: ## Render people at known head poses for dmheadpose-eval; pictures and heads.csv in target/truth/
	@setup/python-packages.sh "$(PYTHON)" truth/requirements.txt .setup/truth/python
	@$(call say,'Rendered heads')
	@rm -rf "$(TARGET_DIR)/truth/bed"
	@$(PYTHON) truth/render.py "$(TARGET_DIR)/truth/bed" --people fit test --count 600 --seed 1 $(TRUTH_ARGS)

# Two more checks take long as well, and need tools of their own: tests/valgrind.sh and, for data races, tests/tsan.sh.
soak: export G_DEBUG := fatal_warnings
soak: models clips ## Connect and lose cameras for half an hour (SOAK_MINUTES), exit 1000 times (EXITS), then check for leaks
	@$(call say,'Soak')
	@SOAK_MINUTES=$${SOAK_MINUTES:-30} cargo test --locked --test soak -- --nocapture
	@cargo test --locked --test cameras -- --ignored --nocapture
	@$(call say,'Exits')
	@EXITS=$${EXITS:-1000} cargo test --locked --test processes -- --nocapture exit_at_a_random_moment
	@$(call say,'Leaks')
	@tests/leaks.sh

fuzz: export G_DEBUG := fatal_warnings
fuzz: export FUZZ_INPUTS ?= 100000
fuzz: setup ## Try 100,000 (FUZZ_INPUTS) broken models, metas, frames and JSON lines; FUZZ_FIRST=NUMBER sets the first one
	@$(call say,'Models, metas, frame layouts')
	@cargo test --locked --test hostile -- --nocapture --test-threads 2
	@$(call say,'JSON lines')
	@$(PYTHON) -m unittest -q examples/attention/test_attention.py -k no_line_whatever

install: build models ## Install plugin, tools, ONNX Runtime, models and C header below PREFIX (/usr/local)
	@$(call say,'Install')
	install -d "$(DESTDIR)$(GST_PLUGINS_DIR)" "$(DESTDIR)$(MODELS_DIR)" "$(DESTDIR)$(PREFIX)/include" \
	  "$(DESTDIR)$(PREFIX)/bin"
	install -m 755 $(addprefix "$(TARGET_DIR)/release"/,$(TOOLS)) "$(DESTDIR)$(PREFIX)/bin/"
	install -m 755 "$(TARGET_DIR)/release/$(PLUGIN)" "$(DESTDIR)$(GST_PLUGINS_DIR)/"
	if [ -e "$(TARGET_DIR)/release/libonnxruntime.so.1" ]; then \
	  install -m 644 "$(TARGET_DIR)/release/libonnxruntime.so.1" "$(DESTDIR)$(GST_PLUGINS_DIR)/"; fi
	install -m 644 models/*.onnx "$(DESTDIR)$(MODELS_DIR)/"
	install -D -m 644 -t "$(DESTDIR)$(MODELS_DIR)/licenses" models/licenses/*.txt
	install -m 644 include/dmheadpose.h "$(DESTDIR)$(PREFIX)/include/"
	@setup/after-install.sh "$(GST_PLUGINS_DIR)" "$(MODELS_DIR)"

deb: build models ## Build a Debian package with everything it needs: target/debian/*.deb
	@$(call say,'Debian package')
	@setup/system-packages.sh dpkg-dev
	@setup/cargo-deb.sh "$(PYTHON)" "$(TARGET_DIR)/debian"
	@ls -l "$(TARGET_DIR)"/debian/*.deb

clean: ## Remove the build and the demo's results
	cargo clean
	rm -rf demo/*.mp4 demo/*.mp4.part demo/*.jsonl demo/*.png demo/attention.html

distclean: clean ## Remove the downloads too: fetched models, ONNX Runtime, Python packages, clips
	rm -rf .setup
	find models -name "*.onnx" ! -name headnet.onnx ! -name turnnet.onnx -delete
