# deerlua: `make demo` shows it working, `make test` proves it. Everything built lies in $(BUILD).
# Switches: SAN=1 (address and undefined-behaviour sanitizers), TSAN=1 (data races), DEBUG=1, NATIVE=1 (code for
# this CPU alone), WERROR=1 (warnings stop the build), V=1 (show commands). SAN, TSAN and DEBUG have own folders.
BUILD  ?= build
PREFIX ?= /usr/local
BUSTED ?= /usr/bin/busted
JOBS   ?= $(shell nproc 2>/dev/null || echo 2)
OUT    := $(BUILD)$(if $(SAN),/san)$(if $(TSAN),/tsan)$(if $(DEBUG),/debug)

# no fused a*b+c and no errno from libm: numbers must not depend on what a compiler finds profitable
PACKAGES := openblas libpng zlib jansson
EDIT     := $(shell pkg-config --exists libedit 2>/dev/null && echo libedit)
CFLAGS   ?= $(if $(DEBUG),-O0,$(if $(SAN)$(TSAN),-O1,-O3)) -g $(if $(NATIVE),-march=native)
FLAGS    := -std=c11 -D_GNU_SOURCE -Isrc -ffp-contract=off -fno-math-errno -pthread \
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion $(if $(WERROR),-Werror) $(if $(EDIT),-DDEER_HAVE_EDIT) \
  $(if $(SAN),-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer) \
  $(if $(TSAN),-fsanitize=thread) $(shell pkg-config --cflags lua5.4 $(PACKAGES) $(EDIT) 2>/dev/null) $(CFLAGS)
LIBS     := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm -pthread
LUALIBS  := $(shell pkg-config --libs lua5.4 $(EDIT) 2>/dev/null) -ldl
Q         = $(if $(V),,@echo "  $@";)

# what there is: a new file in its folder is found, nothing is listed by hand
CORE    := $(filter-out src/bind/%,$(wildcard src/*/*.c src/*/*/*.c)) $(wildcard envs/*.c)
BIND    := $(wildcard src/main.c src/bind/*.c)
LUA     := $(sort $(shell find lua -name '*.lua' 2>/dev/null) $(wildcard envs/*.lua))
PUBLIC  := deer.h $(shell sed -n 's/^\#include "\(.*\)"/\1/p' src/deer.h)
HEADERS := $(filter-out src/bind/% %internal.h,$(wildcard src/*.h src/*/*.h src/*/*/*.h))
TESTS   := $(patsubst tests/c/%.c,%,$(wildcard tests/c/test_*.c))
TESTS64 := $(patsubst tests/%.c,%,$(wildcard tests/c/double/test_*.c tests/conform/test_*.c))
DEERLUA := $(OUT)/deerlua
CEXAMPLES := $(patsubst %.c,$(OUT)/%,$(wildcard examples/*.c))
CTESTS  := $(TESTS:%=$(OUT)/tests/%) $(TESTS64:%=$(OUT)/tests/%) $(CEXAMPLES)

MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:
.PHONY: all demo test tests check ctests specs learn learn-full bench install clean format FORCE
all: $(DEERLUA)
tests: $(CTESTS)

# objects: once with the library's real number, once with double for close numerical tests
$(OUT)/obj/%.o: %.c $(OUT)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(FLAGS) -MMD -MP -c $< -o $@
$(OUT)/obj64/%.o: %.c $(OUT)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(FLAGS) -DDEER_REAL=double -MMD -MP -c $< -o $@
$(OUT)/libdeer.a: $(CORE:%.c=$(OUT)/obj/%.o)
$(OUT)/libdeer64.a: $(CORE:%.c=$(OUT)/obj64/%.o)
$(OUT)/libdeer.a $(OUT)/libdeer64.a: $(OUT)/sources
	@rm -f $@
	$(Q)ar rcs $@ $(filter %.o,$^)

# the program: all of the library and -E, so that plug-ins and Lua modules written in C find their symbols
$(DEERLUA): $(BIND:%.c=$(OUT)/obj/%.o) $(OUT)/obj/embedded.o $(OUT)/libdeer.a
	$(Q)$(CC) $(FLAGS) $(filter %.o,$^) -Wl,-E -Wl,--whole-archive $(OUT)/libdeer.a -Wl,--no-whole-archive \
	  $(LDFLAGS) $(LUALIBS) $(LIBS) -o $@
$(OUT)/embed: scripts/embed.c $(OUT)/flags
	$(Q)$(CC) $(FLAGS) $< -o $@
$(OUT)/embedded.c: $(OUT)/embed $(LUA) $(OUT)/sources
	$(Q)$(OUT)/embed $@ $(LUA)
$(OUT)/obj/embedded.o: $(OUT)/embedded.c src/bind/embedded.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(FLAGS) -c $< -o $@
$(TESTS:%=$(OUT)/tests/%): $(OUT)/tests/%: $(OUT)/obj/tests/c/%.o $(OUT)/libdeer.a
$(CEXAMPLES): $(OUT)/%: $(OUT)/obj/%.o $(OUT)/libdeer.a
$(TESTS64:%=$(OUT)/tests/%): $(OUT)/tests/%: $(OUT)/obj64/tests/%.o $(OUT)/libdeer64.a
$(CTESTS):
	@mkdir -p $(@D)
	$(Q)$(CC) $(FLAGS) $^ $(LDFLAGS) $(LIBS) -lcmocka -o $@

# stamps: other flags rebuild everything, a file that came or went rebuilds what is made of lists
$(OUT)/flags: FORCE
	@pkg-config --exists lua5.4 $(PACKAGES) || { echo "libraries are missing: run scripts/setup first" >&2; exit 1; }
	@mkdir -p $(@D); echo '$(CC) $(FLAGS)' | cmp -s - $@ || echo '$(CC) $(FLAGS)' >$@
$(OUT)/sources: FORCE
	@mkdir -p $(@D); echo '$(CORE) $(LUA)' | cmp -s - $@ || echo '$(CORE) $(LUA)' >$@
-include $(shell find $(OUT)/obj $(OUT)/obj64 -name '*.d' 2>/dev/null)

# set-up, build, the toy example to its end; the script itself says where its picture is
demo:
	scripts/setup
	@$(MAKE) $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS)) all
	$(DEERLUA) examples/toy_env/run_toy_env.lua

test:
	scripts/setup
	@$(MAKE) $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS)) all tests
	@$(MAKE) check && $(MAKE) ctests && $(MAKE) specs
ctests: tests
	@for t in $(CTESTS); do echo "== $$t"; $$t || exit 1; done
# a training gives the same numbers with sanitizers, and takes an hour: its code runs in the other tests
specs: all
	$(DEERLUA) $(BUSTED) --exclude-tags=long,full tests/lua tests/conform $(if $(SAN)$(TSAN),,tests/learn)
	$(if $(SAN)$(TSAN),@echo "left out with sanitizers: tests/learn")
learn: all
	$(DEERLUA) $(BUSTED) --tags=long tests/learn
learn-full: all
	$(DEERLUA) $(BUSTED) --tags=full tests/learn; s=$$?; cat runs/learn_report.md; exit $$s

check: all
	@for s in scripts/check*.lua; do echo "== $$s"; $(DEERLUA) $$s . || exit 1; done
	luacheck --quiet .
	@for h in $(HEADERS); do $(CC) $(FLAGS) -Werror -fsyntax-only -x c $$h || exit 1; done; echo "== headers compile alone"
	@for h in $$(sed -n 's/^\#include "\(.*\)"/\1/p' $(PUBLIC:%=src/%)); do case ' $(PUBLIC) ' in *" $$h "*) ;; \
	  *) echo "src/deer.h must include $$h, or it is not installed" >&2; exit 1;; esac; done
	@! command -v $(CXX) >/dev/null || $(CXX) -Isrc -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ src/deer.h
	@! nm -u $(OUT)/libdeer.a | grep -E ' U luaL?_' || { echo "libdeer.a must not need Lua" >&2; exit 1; }
bench: all
	$(DEERLUA) bench

# headers are installed as deer.h and deer/<module>/<name>.h, their includes rewritten to match
VERSION = $(shell sed -n 's/^\#define DEER_VERSION "\(.*\)"/\1/p' src/base/base.h)
install: all
	install -D $(DEERLUA) $(DESTDIR)$(PREFIX)/bin/deerlua
	install -D -m 644 $(OUT)/libdeer.a $(DESTDIR)$(PREFIX)/lib/libdeer.a
	@for h in $(PUBLIC); do case $$h in */*) to=deer/$$h;; *) to=$$h;; esac; \
	  install -D -m 644 src/$$h $(DESTDIR)$(PREFIX)/include/$$to && \
	  sed -i 's|^#include "\([a-z0-9_]*/\)|#include "deer/\1|' $(DESTDIR)$(PREFIX)/include/$$to || exit 1; done
	@mkdir -p $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/share/doc/deerlua
	@printf '%s\n' 'prefix=$(PREFIX)' 'Name: deer' 'Description: reinforcement learning runtime' 'Version: $(VERSION)' \
	  'Requires: openblas libpng zlib jansson' 'Cflags: -I$${prefix}/include' 'Libs: -L$${prefix}/lib -ldeer -lm -pthread' \
	  >$(DESTDIR)$(PREFIX)/lib/pkgconfig/deer.pc
	@mkdir -p $(addprefix $(DESTDIR)$(PREFIX)/share/,man/man1 bash-completion/completions zsh/site-functions fish/vendor_completions.d)
	$(DEERLUA) man >$(DESTDIR)$(PREFIX)/share/man/man1/deerlua.1
	$(DEERLUA) completion bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/deerlua
	$(DEERLUA) completion zsh >$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_deerlua
	$(DEERLUA) completion fish >$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/deerlua.fish
	cp -R README.md LICENSE examples $(DESTDIR)$(PREFIX)/share/doc/deerlua/

clean:
	rm -rf $(BUILD)
format:
	clang-format -i $(wildcard src/*.[ch] src/*/*.[ch] src/*/*/*.[ch] envs/*.c scripts/*.c tests/c/*.[ch] tests/c/*/*.c tests/conform/*.c)
