# The everyday commands. A fresh machine needs Rust (rustup) and, for the comparisons, Go.

CARGO  ?= cargo
TARGET ?= x86_64-unknown-linux-musl
WINDOWS := x86_64-pc-windows-gnu
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 600
FUZZ_TARGETS ?= $(notdir $(wildcard tests/fuzz/corpus/*))
STATIC := target/$(TARGET)/release/modfetch
DEMO   := $(CURDIR)/target/demo

.PHONY: run test check check-windows test-windows windows-tools fuzz bench bench-scale bench-direct faults static musl install dist dist-tools dist-check clean

# Builds the GOPROXY tree out of testdata and downloads the example project from it: no network,
# and nothing outside target/ is touched.
run:
	$(CARGO) run --quiet --example goproxy -- testdata/mod $(DEMO)/goproxy
	$(CARGO) build --quiet
	env -i PATH="$$PATH" HOME=$(DEMO) GOENV=off GOPROXY=file://$(DEMO)/goproxy GOSUMDB=off \
		GOMODCACHE=$(DEMO)/modcache target/debug/modfetch download -v -json -C testdata/projects/hello
	@echo
	@echo "The module cache is $(DEMO)/modcache; a second 'make run' finds it complete."

test:
	$(CARGO) test

# Tests, format, lints, documentation.
check: test
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --document-private-items

# Checks program and unit tests for Windows, without running them; ring has C, so a C compiler is needed.
check-windows: windows-tools
	$(CARGO) check --profile test --lib --bins --target $(WINDOWS)

# Runs the program under Wine, beside a file:// proxy.
test-windows: windows-tools
	$(CARGO) build --target $(WINDOWS)
	tests/tools/wine.sh target/$(WINDOWS)/debug/modfetch.exe

# The C compiler and the Rust target of Windows.
windows-tools:
	@command -v x86_64-w64-mingw32-gcc >/dev/null || { \
		run=; [ "$$(id -u)" = 0 ] || run=sudo; \
		$$run apt-get update -q && $$run apt-get install -qy --no-install-recommends gcc-mingw-w64-x86-64; }
	@rustup target list --installed | grep -qx $(WINDOWS) || rustup target add $(WINDOWS)

# Runs each fuzz target, guided by coverage, for FUZZ_SECONDS; needs nightly Rust and cargo-fuzz. On
# stable, blind: FUZZ_SECONDS=60 cargo test --test fuzz. The targets: tests/fuzz/targets/mod.rs.
fuzz:
	cp Cargo.lock tests/fuzz/Cargo.lock
	$(CARGO) +nightly fuzz build --fuzz-dir tests/fuzz --target-dir target/fuzz libfuzzer
	@set -e; for target in $(FUZZ_TARGETS); do \
		mkdir -p target/fuzz/corpus/$$target; echo "fuzz $$target"; \
		FUZZ_TARGET=$$target target/fuzz/*/release/libfuzzer -max_total_time=$(FUZZ_SECONDS) \
			-max_len=4096 -timeout=10 -malloc_limit_mb=64 -rss_limit_mb=1024 -print_final_stats=1 \
			-artifact_prefix=target/fuzz/$$target- \
			target/fuzz/corpus/$$target tests/fuzz/corpus/$$target; \
	done

# Times modfetch beside go, on a corpus made from a seed and a proxy on 127.0.0.1. BENCH=--short takes
# less than eight minutes; the other options: tests/bench/main.rs.
bench:
	$(CARGO) build --release
	$(CARGO) bench --bench side_by_side -- $(BENCH)

# Times modfetch on up to 2,000 modules with a million files, in about 8 GB of memory, and draws a
# chart: BENCH="--svg tests/bench/scale.svg". BENCH=--quick is small.
bench-scale:
	$(CARGO) build --release
	$(CARGO) bench --bench side_by_side -- --scale $(BENCH)

# Times downloads from git repositories on 127.0.0.1, beside go.
bench-direct:
	$(CARGO) build --release
	$(CARGO) bench --bench side_by_side -- --direct $(BENCH)

# Counts runs that succeed against a server that misbehaves at random, modfetch's and go's.
faults:
	$(CARGO) bench --bench faults -- $(FAULTS)

# One binary without a dynamic library, for any x86_64 Linux and for FROM scratch. What a debugger
# or a profiler wants to know is kept beside it, in modfetch.debug.
static: musl
	CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_DEBUG=line-tables-only \
		$(CARGO) build --release --target $(TARGET)
	@# cargo makes its link to the whole file anew in every run; it is replaced, not changed.
	objcopy --only-keep-debug $(STATIC) $(STATIC).debug
	objcopy --strip-all --add-gnu-debuglink=$(STATIC).debug $(STATIC) $(STATIC).small
	mv -f $(STATIC).small $(STATIC)
	@ls -l $(STATIC) $(STATIC).debug

# The C compiler and the Rust target that the static build needs (ring has C and assembly).
musl:
	@command -v musl-gcc >/dev/null || { \
		run=; [ "$$(id -u)" = 0 ] || run=sudo; \
		$$run apt-get update -q && $$run apt-get install -qy musl-tools; }
	@rustup target list --installed | grep -qx $(TARGET) || rustup target add $(TARGET)

# The binary, its man pages and its completions.
install: static
	install -D -m 0755 $(STATIC) $(DESTDIR)$(PREFIX)/bin/modfetch
	rm -rf target/man && $(STATIC) man --dir target/man
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man7
	install -m 0644 target/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 0644 target/man/*.7 $(DESTDIR)$(PREFIX)/share/man/man7
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	for shell in bash zsh fish; do $(STATIC) completions $$shell > target/modfetch.$$shell || exit 1; done
	install -m 0644 target/modfetch.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/modfetch
	install -m 0644 target/modfetch.zsh $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_modfetch
	install -m 0644 target/modfetch.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/modfetch.fish

# What is released of the last commit, in target/dist: archives, .deb, .rpm, .apk, images, SBOMs, SHA256SUMS. One target:
# make dist DIST=x86_64-unknown-linux-musl. Needs Python, Go (for nfpm) and the compilers of dist-tools; a target that this
# machine cannot build is skipped, and said so.
dist: dist-tools
	.ci/dist/build $(DIST)

# The C compilers for ring, and what dist-check runs and installs with. What apt cannot have is left out: dist says what that costs.
dist-tools: musl
	@run=; [ "$$(id -u)" = 0 ] || run=sudo; updated=; \
	for pair in aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu:libc6-dev-arm64-cross \
		arm-linux-gnueabihf-gcc:gcc-arm-linux-gnueabihf:libc6-dev-armhf-cross \
		riscv64-linux-gnu-gcc:gcc-riscv64-linux-gnu:libc6-dev-riscv64-cross \
		x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64 qemu-aarch64:qemu-user rpm:rpm zip:zip; do \
		command -v $${pair%%:*} >/dev/null && continue; \
		[ -n "$$updated" ] || { $$run apt-get update -q; updated=yes; }; \
		$$run apt-get install -qy --no-install-recommends $$(echo $${pair#*:} | tr : ' ') || \
			echo "dist-tools: $${pair%%:*} cannot be installed"; \
	done

# Installs each of them into an empty root and uses it there; other architectures run under qemu-user.
dist-check: dist-tools
	.ci/dist/check

clean:
	$(CARGO) clean
