# `make` lists what there is to make.

CARGO = scripts/cargo.sh
TARGET = $(or $(CARGO_TARGET_DIR),target)

PREFIX ?= /usr/local
DESTDIR ?=
SYSCONFDIR ?= /etc
# Where libpam looks for modules that are named without a path.
MULTIARCH := $(shell dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || gcc -print-multiarch 2>/dev/null)
PAMDIR ?= $(firstword $(wildcard $(if $(MULTIARCH),/usr/lib/$(MULTIARCH)/security) \
    /usr/lib64/security) /usr/lib/security)
DATADIR = $(DESTDIR)$(PREFIX)/share
DOCDIR = $(DATADIR)/doc/pam-otp
# Where Cockpit looks for pages: /usr/share and /usr/local/share.
PAGEDIR = $(DATADIR)/cockpit/pam-otp
# The scripts by which shells complete pam-otp: where each shell looks for them.
COMPLETIONS = bash:bash-completion/completions/pam-otp zsh:zsh/site-functions/_pam-otp \
    fish:fish/vendor_completions.d/pam-otp.fish

.PHONY: help build demo check test faults fmt lint deny audit manuals install uninstall clean
.PHONY: page page-strings page-test
.PHONY: telling valgrind miri fuzz fuzz-smoke bench deb rpm check-packages check-apps apps-document
.PHONY: check-page page-pictures

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the module and the command into target/release
	@scripts/install-deps.sh build
	$(CARGO) build --release --locked --package pam-otp --package pam-otp-cli
	ln -sf libpam_otp.so $(TARGET)/release/pam_otp.so
	for script in $(COMPLETIONS); do \
	    $(TARGET)/release/pam-otp completions $${script%%:*} \
	        >$(TARGET)/release/pam-otp.$${script%%:*} || exit 1; done

demo: ## log in with codes through a real sshd, in a sandbox (as root)
	@scripts/demo.sh

check: ## all that must pass: format, lints, tests (some of them need root)
	@scripts/install-deps.sh check
	@$(MAKE) --no-print-directory fmt lint deny test

fmt: ## is the source in rustfmt's format?
	@if $(CARGO) fmt --version >/dev/null 2>&1; then \
	    echo "$(CARGO) fmt --all --check"; $(CARGO) fmt --all --check; \
	else echo "make: rustfmt is not installed: format not checked"; fi

lint: ## clippy, with every warning an error
	@if $(CARGO) clippy --version >/dev/null 2>&1; then \
	    echo "$(CARGO) clippy"; \
	    $(CARGO) clippy --workspace --all-targets --locked -- -D warnings; \
	else echo "make: clippy is not installed: lints not checked"; fi

deny: ## licences, versions and sources of dependencies
	@if $(CARGO) deny --version >/dev/null 2>&1; then \
	    echo "$(CARGO) deny check"; \
	    $(CARGO) deny --locked check bans licenses sources; \
	else echo "make: cargo-deny is not installed: dependencies not checked"; fi

# Apart from `check`: it asks the network, and its answer changes by the day.
audit: ## known faults of dependencies, by cargo-deny and the RustSec database
	$(CARGO) deny --locked check advisories

test: ## every test; those that need root are skipped without
	$(CARGO) test --workspace --locked --no-fail-fast
	@[ "$$(id -u)" -eq 0 ] || echo "make: not root: tests with sshd, sudo, su, login and Cockpit were SKIPPED"

faults: ## a login with every error at every system call (as root; a quarter of an hour)
	@scripts/install-deps.sh check
	PAM_OTP_FAULTS=all $(CARGO) test --locked --test 'faults_*' -- --nocapture

# What the lock file names is fetched once, and again when it changes.
PAGE_TOOLS = cockpit/node_modules/.package-lock.json

$(PAGE_TOOLS): cockpit/package-lock.json
	@scripts/install-deps.sh page
	npm --prefix cockpit ci --no-audit --no-fund --ignore-scripts
	@touch $@

page: $(PAGE_TOOLS) ## make the page for Cockpit, in target/page
	cd cockpit && node_modules/.bin/tsc
	node cockpit/scripts/strings.mjs
	node cockpit/build.mjs $(TARGET)/page
	gzip -9nf $(TARGET)/page/page.css $(TARGET)/page/page.js

page-strings: $(PAGE_TOOLS) ## collect the page's strings anew, for translators
	node cockpit/scripts/strings.mjs --write

page-test: $(PAGE_TOOLS) ## the rules of the page, without a browser
	node cockpit/scripts/test.mjs $(TARGET)/page-test

manuals: ## make manual pages and policy file anew, from the definitions
	PAM_OTP_MANUALS=write $(CARGO) test --quiet --locked --package pam-otp-cli --bin pam-otp \
	    manual::tests::what_is_made

# APPS chooses some of them by their titles, each in quotes.
RUN_APPS = $(TARGET)/apps/clients/bin/python -m apps.run $(TARGET)/release $(TARGET)/apps

check-apps: build ## log in to real applications and print what came of it (as root)
	@scripts/install-deps.sh apps
	@apps/install.sh $(TARGET)/apps
	$(RUN_APPS) $(APPS)

# PAGE_TESTS chooses some of the files of cockpit/check/tests. Screenshots go there too.
RUN_PAGE = $(TARGET)/apps/clients/bin/python -m cockpit.check.run $(TARGET)/release $(TARGET)/apps \
    $(TARGET)/page $(TARGET)/page-check

check-page: build page ## the page in a real browser, against a real Cockpit (as root)
	@scripts/install-deps.sh check-page
	@apps/install.sh $(TARGET)/apps clients
	$(RUN_PAGE) $(PAGE_TESTS)

page-pictures: build page ## the same browser takes the pictures for the README
	@scripts/install-deps.sh check-page
	@apps/install.sh $(TARGET)/apps clients
	$(RUN_PAGE) pictures
	cp $(TARGET)/page-check/pictures/*.png docs/pictures/

apps-document: build ## the same, and write docs/applications.md
	@scripts/install-deps.sh apps
	@apps/install.sh $(TARGET)/apps
	$(RUN_APPS) --write

# Lanes: not in `check`. Each says what to install if a tool is missing.
FUZZ_SECONDS ?= 600
TELLING_LOGINS ?= 2000

bench: ## pam-otp and its peers side by side, in figures (as root; BENCH_QUICK=1: a minute)
	@scripts/install-deps.sh bench
	@BENCH_QUICK=$(BENCH_QUICK) scripts/bench.sh

telling: ## how long logins take for users with and without a record, in figures
	TELLING_LOGINS=$(TELLING_LOGINS) $(CARGO) test --quiet --release --locked --test telling -- \
	    --ignored --nocapture

valgrind: ## the tests with the real libpam, under valgrind
	@scripts/lanes/valgrind.sh

miri: ## the rules, in miri (needs a nightly Rust)
	@scripts/lanes/miri.sh

fuzz: ## each fuzz target for FUZZ_SECONDS (600; needs a nightly Rust)
	@scripts/lanes/fuzz.sh $(FUZZ_SECONDS)

fuzz-smoke: ## each fuzz target for 10 seconds
	@scripts/lanes/fuzz.sh 10

install: ## install what was built; PREFIX, PAMDIR and DESTDIR as usual
	@test -f $(TARGET)/release/pam_otp.so || { echo "make: run 'make build' first" >&2; exit 1; }
	install -D -m 644 $(TARGET)/release/pam_otp.so $(DESTDIR)$(PAMDIR)/pam_otp.so
	install -D -m 755 $(TARGET)/release/pam-otp $(DESTDIR)$(PREFIX)/bin/pam-otp
	for page in $(wildcard man/*.[158]); do \
	    install -D -m 644 $$page $(DATADIR)/man/man$${page##*.}/$${page#man/} || exit 1; done
	for script in $(COMPLETIONS); do \
	    install -D -m 644 $(TARGET)/release/pam-otp.$${script%%:*} $(DATADIR)/$${script#*:} || exit 1; done
	install -d $(DOCDIR)/pam.d-examples
	install -m 644 pam.d-examples/* $(DOCDIR)/pam.d-examples/
	rm -rf $(PAGEDIR)
	[ ! -f $(TARGET)/page/manifest.json ] || { install -d $(PAGEDIR) && \
	    install -m 644 $(TARGET)/page/* $(PAGEDIR)/; }
	policy=$(DESTDIR)$(SYSCONFDIR)/security/pam_otp.toml; \
	    [ ! -f packaging/pam_otp.toml ] || [ -e $$policy ] || \
	    install -D -m 644 packaging/pam_otp.toml $$policy
	@echo "installed; nothing uses it until a file in /etc/pam.d names pam_otp.so"

uninstall: ## remove what install put there; records and the policy stay
	@! grep -ls '^[^#]*pam_otp\.so' $(DESTDIR)$(SYSCONFDIR)/pam.d/* || \
	    { echo "make: these stacks still use pam_otp.so: without it they deny" >&2; \
	      echo "make: what setup has put there: pam-otp setup SERVICE --undo" >&2; exit 1; }
	rm -f $(DESTDIR)$(PAMDIR)/pam_otp.so $(DESTDIR)$(PREFIX)/bin/pam-otp
	for page in $(wildcard man/*.[158]); do \
	    rm -f $(DATADIR)/man/man$${page##*.}/$${page#man/}; done
	for script in $(COMPLETIONS); do rm -f $(DATADIR)/$${script#*:}; done
	rm -rf $(DOCDIR) $(PAGEDIR)

# PAGE=no leaves out the page for Cockpit, and so what it is made with: Node and npm.
PAGE = page
export PAGE

deb: ## make the Debian packages, in target/packages (PAGE=no: not that of the page)
	@scripts/install-deps.sh deb
	@$(MAKE) --no-print-directory build $(filter page,$(PAGE))
	scripts/packages/deb.sh

rpm: ## make the rpm packages, in target/packages (PAGE=no: not that of the page)
	@scripts/install-deps.sh rpm
	@$(MAKE) --no-print-directory build $(filter page,$(PAGE))
	scripts/packages/rpm.sh

check-packages: ## make all packages, and install, upgrade and remove them in chroots (as root)
	@scripts/lanes/packages.sh

clean: ## remove what was built
	$(CARGO) clean
