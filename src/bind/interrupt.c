/* interrupt.c: Ctrl-C and SIGTERM for Lua code, its coroutines, Lua states on other threads and
 * the core's loops. */
#include "bind/interrupt.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

// the handler can reach nothing but statics: what this thread runs
static _Thread_local lua_State *volatile running;

// one thread of the process reacts to a signal; it calls the others that ever ran Lua, since a hook
// can be set by no thread but the one that runs the code
static pthread_t main_thread;
static struct helper {
  pthread_t thread;   // of the pool, so that it never ends
  atomic_int process; // 0 until the rest is written; a forked child has not got the thread
  atomic_bool called;
} helpers[DEER_MAX_THREADS];
static atomic_int n_helpers;
static _Thread_local struct helper *me; // NULL on the main thread
static volatile sig_atomic_t pending;   // the signal, 0 for none
static struct timespec pending_since;

static void arm(lua_State *L);

// names the line by hand: inside a hook luaL_error would not know it
static void interrupted(lua_State *L, lua_Debug *ar) {
  if (!deer_interrupted()) {
    // a coroutine that slept through an interrupt long dealt with
    lua_sethook(L, NULL, 0, 0);
    return;
  }
  arm(L);
  lua_getinfo(L, "Sl", ar);
  if (ar->currentline > 0) {
    lua_pushfstring(L, "%s:%d: interrupted", ar->short_src, ar->currentline);
  } else {
    lua_pushliteral(L, "interrupted");
  }
  lua_error(L);
}

// from now on every instruction raises: the error of one is not enough against a pcall in a loop
static void arm(lua_State *L) { lua_sethook(L, interrupted, LUA_MASKCOUNT, 1); }

// The same key press can arrive twice at once: timeout(1) and make signal the process and then its
// group. No finger is that quick; only what comes later than this is a second Ctrl-C.
#define ECHO_SECONDS 0.05

static bool is_echo(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  double passed = (double)(now.tv_sec - pending_since.tv_sec) +
                  1e-9 * (double)(now.tv_nsec - pending_since.tv_nsec);
  return passed < ECHO_SECONDS;
}

// those that come later see the flag
static void call_helpers(void) {
  for (int i = 0; i < DEER_MAX_THREADS; i++) {
    if (atomic_load(&helpers[i].process) != getpid()) continue;
    atomic_store(&helpers[i].called, true);
    pthread_kill(helpers[i].thread, SIGINT);
  }
}

// lua_sethook is the one function of Lua that a signal handler may call
static void on_signal(int signal) {
  int saved = errno;
  if (me && atomic_exchange(&me->called, false)) {
    if (running != NULL) arm(running);
  } else if (!pthread_equal(pthread_self(), main_thread)) {
    // a thread of the BLAS or of ours was picked: pass it on to the one that runs Lua
    pthread_kill(main_thread, signal);
  } else if (pending) {
    if (!is_echo()) _exit(128 + signal);
  } else {
    clock_gettime(CLOCK_MONOTONIC, &pending_since);
    pending = signal;
    deer_interrupt_raise();
    if (running != NULL) arm(running);
    call_helpers();
  }
  errno = saved;
}

// the place of this thread among the helpers, once and for all
static void register_helper(void) {
  if (atomic_load(&n_helpers) >= DEER_MAX_THREADS) return;
  int i = atomic_fetch_add(&n_helpers, 1);
  if (i >= DEER_MAX_THREADS) return;
  me = &helpers[i];
  me->thread = pthread_self();
  atomic_store(&me->process, getpid());
}

lua_State *deer_interrupt_enter(lua_State *L) {
  lua_State *outer = running;
  running = L;
  if (!me && !pthread_equal(pthread_self(), main_thread)) register_helper();
  if (deer_interrupted()) arm(L);
  return outer;
}

void deer_interrupt_leave(lua_State *outer) {
  running = outer;
  // the signal armed the state that is left; what called it must stop too
  if (outer && deer_interrupted()) arm(outer);
}

// lua_resume with the coroutine remembered; moves arguments in and results or error out
static bool resume(lua_State *L, lua_State *co, int n_args, int *n_results) {
  if (!lua_checkstack(co, n_args)) {
    lua_pushliteral(L, "too many arguments to resume");
    return false;
  }
  lua_xmove(L, co, n_args);
  // what the handler would arm while the coroutine runs
  lua_State *caller = running;
  running = co;
  int status = lua_resume(co, L, n_args, n_results);
  running = caller;
  // the signal armed the coroutine alone; its callers must stop too
  if (deer_interrupted()) arm(L);
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(co, L, 1);
    return false;
  }
  if (!lua_checkstack(L, *n_results + 1)) {
    lua_pop(co, *n_results);
    lua_pushliteral(L, "too many results to resume");
    return false;
  }
  lua_xmove(co, L, *n_results);
  return true;
}

// true and the results, or false and the error
static int coroutine_resume(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  luaL_argexpected(L, co != NULL, 1, "coroutine");
  int n = 0;
  bool ok = resume(L, co, lua_gettop(L) - 1, &n);
  if (!ok) n = 1;
  lua_pushboolean(L, ok);
  lua_insert(L, -(n + 1));
  return n + 1;
}

// what coroutine.wrap returns: an error goes through, with the caller's line in front as Lua does
// it
static int wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  int n = 0;
  if (resume(L, co, lua_gettop(L), &n)) return n;
  int status = lua_status(co);
  if (status != LUA_OK && status != LUA_YIELD) {
    // dead by an error: its pending __close methods run now and may bring another error
    if (lua_resetthread(co) != LUA_OK) {
      lua_pop(L, 1);
      lua_xmove(co, L, 1);
    }
  }
  // objects and the fixed message of lost memory go through as they are
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

// a function that resumes; the coroutine is its upvalue
static int coroutine_wrap(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  lua_pushcclosure(L, wrapped, 1);
  return 1;
}

// the state goes (also by os.exit(status, true)): the handler must not reach it any more
static int uninstall(lua_State *L) {
  (void)L;
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  running = NULL;
  return 0;
}

void deer_interrupt_prepare(lua_State *L) {
  // everything else of the library stays as it is
  lua_getglobal(L, "coroutine");
  lua_pushcfunction(L, coroutine_resume);
  lua_setfield(L, -2, "resume");
  lua_pushcfunction(L, coroutine_wrap);
  lua_setfield(L, -2, "wrap");
  lua_pop(L, 1);
}

void deer_interrupt_install(lua_State *L) {
  // a guard in the registry, made first and so finalised last
  lua_newuserdatauv(L, 0, 0);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, uninstall);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  luaL_ref(L, LUA_REGISTRYINDEX);

  deer_interrupt_prepare(L);
  // no SA_RESTART: a read that waits for input is to end
  running = L;
  main_thread = pthread_self();
  struct sigaction action = {.sa_handler = on_signal};
  sigemptyset(&action.sa_mask);
  // neither comes in the middle of the other
  sigaddset(&action.sa_mask, SIGINT);
  sigaddset(&action.sa_mask, SIGTERM);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

int deer_interrupt_signal(void) { return (int)pending; }

void deer_interrupt_done(lua_State *L) {
  lua_sethook(L, NULL, 0, 0);
  deer_interrupt_clear();
  running = L;
  pending = 0;
}
