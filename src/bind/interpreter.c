/* interpreter.c: the command line, as people know it from lua, and the subcommands. */
#include "bind/interpreter.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bind/interrupt.h"
#include "bind/repl.h"
#include "bind/search.h"
#include "bind/state.h"

#define TEXT(x)    #x
#define TEXT_OF(x) TEXT(x)

typedef struct command {
  int argc;
  char **argv;
  int script; /* its position in argv; argc when there is none */
  int train;  /* where the options of deerlua train begin, when they stand without the word */
  bool interactive, version, help, no_environment, has_code, explain;
  const char *bad, *reason; /* the option that is wrong, and why */
  int threads;              /* 0: not said */
  int status;               /* to exit with */
} command;

const char deer_usage[] =
    "usage: deerlua [options] [script.lua | subcommand [arguments]]\n"
    "  -e statement   run a statement\n"
    "  -l module      require a module into the global of that name; -l g=module into g\n"
    "  -i             interactive prompt after the script\n"
    "  -v, --version  print the version\n"
    "  -E             ignore environment variables\n"
    "  -W             turn warnings on\n"
    "  --explain      at the end, where the time of networks and updates went, step by step\n"
    "  --threads N    threads that large networks and batches may use (1)\n"
    "  -h, --help     print this\n"
    "  --             stop reading options\n"
    "  -              run standard input\n"
    "Without script and options it is an interactive prompt with `deer` loaded.\n"
    "`deerlua help` lists the subcommands.\n";

// errors go to stderr in the one form that tools understand
static void complain(const char *message) {
  fflush(stdout);
  fprintf(stderr, "deerlua: %s\n", message);
  fflush(stderr);
}

// notes what is wrong with the command line; the caller gives up
static bool refuse(command *c, const char *option, const char *reason) {
  c->bad = option;
  c->reason = reason;
  return false;
}

// --threads N
static bool read_threads(command *c, int *i) {
  const char *number = c->argv[*i + 1];
  char *end = NULL;
  long n = number != NULL ? strtol(number, &end, 10) : 0;
  if (number == NULL || *end != '\0' || n < 1 || n > DEER_MAX_THREADS)
    return refuse(c, "--threads", "needs a number from 1 to " TEXT_OF(DEER_MAX_THREADS));
  c->threads = (int)n;
  (*i)++;
  return true;
}

// reads the option at argv[*i]; *i moves on when its argument is the next word
static bool read_option(command *c, int *i) {
  const char *option = c->argv[*i];
  if (option[1] == 'e' || option[1] == 'l') {
    c->has_code = c->has_code || option[1] == 'e';
    // -eSTATEMENT, or the next word, which is no other option
    if (option[2] != '\0') return true;
    const char *argument = c->argv[*i + 1];
    if (argument == NULL || argument[0] == '-') return refuse(c, option, "needs an argument");
    (*i)++;
    return true;
  }
  // the others stand alone
  if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0) {
    c->help = true;
  } else if (strcmp(option, "--version") == 0 || strcmp(option, "-v") == 0) {
    c->version = true;
  } else if (strcmp(option, "-i") == 0) {
    c->interactive = c->version = true;
  } else if (strcmp(option, "--explain") == 0) {
    c->explain = true;
  } else if (strcmp(option, "--threads") == 0) {
    return read_threads(c, i);
  } else if (strcmp(option, "-E") == 0) {
    c->no_environment = true;
  } else if (strcmp(option, "-W") != 0) {
    return refuse(c, option, "is not an option");
  }
  return true;
}

// an option of deerlua itself
static bool is_own(const char *option) {
  static const char *const own[] = {"--help", "--version", "--explain", "--threads"};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    if (strcmp(option, own[i]) == 0) return true;
  return false;
}

// finds options and the script; false when an option is wrong
static bool read_options(command *c) {
  int i = 1;
  for (; i < c->argc; i++) {
    const char *word = c->argv[i];
    if (strncmp(word, "--", 2) == 0 && word[2] != '\0' && !is_own(word)) {
      c->train = i;
      break;
    }
    // the first word that is no option is the script; "-" is standard input
    if (word[0] != '-' || word[1] == '\0') break;
    if (strcmp(word, "--") == 0) {
      i++;
      break;
    }
    if (!read_option(c, &i)) return false;
  }
  c->script = i < c->argc ? i : c->argc;
  return true;
}

// the global `arg`: the script is 0, its arguments follow, what stands before it is negative
static void push_arg_table(lua_State *L, const command *c) {
  int zero = c->script == c->argc ? 0 : c->script;
  lua_createtable(L, c->argc - zero, zero + 1);
  for (int i = 0; i < c->argc; i++) {
    lua_pushstring(L, c->argv[i]);
    lua_rawseti(L, -2, i - zero);
  }
  lua_setglobal(L, "arg");
}

int deer_interpreter_call(lua_State *L, int n_args) {
  // the handler goes below the function, where the call leaves it alone
  int base = lua_gettop(L) - n_args;
  lua_pushcfunction(L, deer_traceback);
  lua_insert(L, base);
  int status = lua_pcall(L, n_args, LUA_MULTRET, base);
  lua_remove(L, base);
  return status;
}

// "deerlua 0.1.0 (Lua 5.4.4)"
static void print_banner(void) {
  printf("deerlua %s (%s)\n", DEER_VERSION, LUA_RELEASE);
  fflush(stdout);
}

// prints the error on the stack and sets the exit status; true when there was none
static bool report(lua_State *L, command *c, int status) {
  if (status == LUA_OK) return true;
  const char *message = lua_tostring(L, -1);
  complain(message != NULL ? message : "(error object is not a string)");
  lua_pop(L, 1);
  c->status = deer_interrupted() ? DEER_EXIT_SIGNAL + deer_interrupt_signal() : DEER_EXIT_FAILURE;
  return false;
}

// runs what was loaded; `status` is that of loading it
static bool run_chunk(lua_State *L, command *c, int status, int n_args) {
  if (status == LUA_OK) {
    lua_insert(L, -(n_args + 1));
    status = deer_interpreter_call(L, n_args);
  }
  bool ok = report(L, c, status);
  lua_settop(L, 1);
  return ok;
}

// runs a statement given as text; `name` is what messages call it
static bool run_text(lua_State *L, command *c, const char *text, const char *name) {
  return run_chunk(L, c, luaL_loadbuffer(L, text, strlen(text), name), 0);
}

// $LUA_INIT_5_4 or $LUA_INIT: a statement, or @file
static bool run_environment(lua_State *L, command *c) {
  const char *name = "=LUA_INIT_5_4", *text = getenv(name + 1);
  if (text == NULL) text = getenv((name = "=LUA_INIT") + 1);
  if (text == NULL) return true;
  if (text[0] == '@') return run_chunk(L, c, luaL_loadfile(L, text + 1), 0);
  return run_text(L, c, text, name);
}

// -l module, -l global=module
static bool run_require(lua_State *L, command *c, const char *text) {
  const char *equals = strchr(text, '=');
  lua_getglobal(L, "require");
  lua_pushstring(L, equals != NULL ? equals + 1 : text);
  int status = deer_interpreter_call(L, 1);
  if (status == LUA_OK) {
    // the loader's extra result goes, the module becomes a global
    lua_settop(L, 2);
    lua_pushlstring(L, text, equals != NULL ? (size_t)(equals - text) : strlen(text));
    lua_insert(L, -2);
    lua_pushglobaltable(L);
    lua_insert(L, -3);
    lua_settable(L, -3);
  }
  bool ok = report(L, c, status);
  lua_settop(L, 1);
  return ok;
}

// -e, -l and -W, in the order they were given
static bool run_options(lua_State *L, command *c) {
  for (int i = 1; i < c->script; i++) {
    const char *option = c->argv[i];
    if (option[0] != '-' || option[1] == '-') continue;
    if (option[1] == 'W') lua_warning(L, "@on", 0);
    if (option[1] != 'e' && option[1] != 'l') continue;
    // read_options has seen that the argument is there
    const char *text = option[2] != '\0' ? option + 2 : c->argv[++i];
    bool ok = option[1] == 'e' ? run_text(L, c, text, "=(command line)") : run_require(L, c, text);
    if (!ok) return false;
  }
  return true;
}

// what the script finds in `...`; returns how many
static int push_arguments(lua_State *L, const command *c) {
  int first = c->train > 0 ? c->train : c->script + 1, n = c->argc - first;
  luaL_checkstack(L, n + 3, "too many arguments to the script");
  for (int i = first; i < c->argc; i++) lua_pushstring(L, c->argv[i]);
  return n;
}

// a word that may be a subcommand: no slash, no .lua, not standard input
static bool is_word(const char *name) {
  size_t n = strlen(name);
  if (strcmp(name, "-") == 0 || n == 0 || strchr(name, '/') != NULL) return false;
  return n < 4 || strcmp(name + n - 4, ".lua") != 0;
}

// deer.cli decides: the exit status of the subcommand, or nil when the word is a file's name
static bool run_subcommand(lua_State *L, command *c, bool *found) {
  *found = true;
  int n_args = push_arguments(L, c);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "deer.cli");
  int status = deer_interpreter_call(L, 1);
  if (status != LUA_OK) return report(L, c, status);
  // call main(word, arguments...)
  lua_settop(L, 2 + n_args);
  lua_getfield(L, -1, "main");
  lua_replace(L, -2);
  lua_pushstring(L, c->train > 0 ? "train" : c->argv[c->script]);
  lua_rotate(L, 2, 2);
  status = deer_interpreter_call(L, n_args + 1);
  if (status != LUA_OK && deer_interrupted()) {
    // where a subcommand was when the signal came is of no use to anybody
    lua_pop(L, 1);
    lua_pushliteral(L, "interrupted");
  }
  if (status != LUA_OK) return report(L, c, status);
  lua_settop(L, 2);
  *found = !lua_isnil(L, 2);
  if (*found) c->status = (int)lua_tointeger(L, 2);
  lua_settop(L, 1);
  return c->status == 0;
}

// a subcommand when it is one, else a file or standard input
static bool run_script(lua_State *L, command *c) {
  const char *name = c->argv[c->script];
  bool found = false;
  if (c->train > 0 || is_word(name)) {
    bool ok = run_subcommand(L, c, &found);
    if (found) return ok;
  }
  // "-" is standard input, unless "--" stands before it
  bool is_stdin = strcmp(name, "-") == 0 && strcmp(c->argv[c->script - 1], "--") != 0;
  int n_args = push_arguments(L, c);
  return run_chunk(L, c, luaL_loadfile(L, is_stdin ? NULL : name), n_args);
}

static void run_prompt(lua_State *L, command *c) {
  deer_repl_run(L);
  if (deer_interrupted()) c->status = DEER_EXIT_SIGNAL + deer_interrupt_signal();
}

// everything that can raise runs in here, under lua_pcall
static int protected_main(lua_State *L) {
  command *c = lua_touserdata(L, 1);
  if (c->no_environment) {
    // the sign by which Lua's own libraries leave LUA_PATH alone
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  }
  // the libraries, then what we add to them; many short-lived tables suit the generational
  // collector
  luaL_openlibs(L);
  deer_search_install(L, c->argc > 0 ? c->argv[0] : "deerlua");
  deer_interrupt_install(L);
  push_arg_table(L, c);
  lua_gc(L, LUA_GCGEN, 0, 0);

  // the order of lua: version, LUA_INIT, -e and -l, script, prompt; the first error ends it
  if (c->version) print_banner();
  if (c->version && !c->interactive) printf("%s\n%s\n", LUA_COPYRIGHT, deer_blas_config());
  if (!c->no_environment && !run_environment(L, c)) return 0;
  if (!run_options(L, c)) return 0;
  if (c->script < c->argc && !run_script(L, c)) return 0;
  if (c->interactive) {
    run_prompt(L, c);
  } else if (c->script == c->argc && !c->has_code && !c->version) {
    // nothing to do was named: a person gets the prompt, a pipe is a script
    if (isatty(STDIN_FILENO)) {
      print_banner();
      run_prompt(L, c);
    } else {
      run_chunk(L, c, luaL_loadfile(L, NULL), 0);
    }
  }
  return 0;
}

static void print_warning(void *context, deer_log_level level, const char *message) {
  (void)context, (void)level;
  fprintf(stderr, "deerlua: warning: %s\n", message);
}

// tables go where errors go: what the script prints stays what it was
static void print_explanation(void *context, const char *text) {
  (void)context;
  fprintf(stderr, "\n%s", text);
}

// what was printed may still lie in a buffer, and the disk may be full: returns the exit status
static int close_output(int status) {
  bool failed = ferror(stdout) != 0;
  int error = fflush(stdout) == 0 ? 0 : errno;
  if (!failed && error == 0) return status;
  fprintf(stderr, "deerlua: cannot write the standard output: %s\n",
          error != 0 ? strerror(error) : "an earlier write failed");
  return status != 0 ? status : DEER_EXIT_FAILURE;
}

int deer_interpreter_main(int argc, char **argv) {
  command c = {.argc = argc, .argv = argv, .script = argc};
  if (!read_options(&c)) {
    fprintf(stderr, "deerlua: '%s' %s\n%s", c.bad, c.reason, "try `deerlua --help`\n");
    return DEER_EXIT_USAGE;
  }
  if (c.help) {
    fputs(deer_usage, stdout);
    return close_output(0);
  }
  // a full disk is an error of write(), not the end of the program
  signal(SIGXFSZ, SIG_IGN);
  deer_log_set(print_warning, NULL, DEER_LOG_WARNING);
  deer_blas_start();
  if (c.explain) deer_explain_set(print_explanation, NULL);
  if (c.threads > 0 && deer_threads_set(c.threads) != DEER_OK) {
    complain(deer_error());
    return DEER_EXIT_FAILURE;
  }
  lua_State *L = deer_state_new();
  if (L == NULL) {
    complain("not enough memory to start");
    return DEER_EXIT_FAILURE;
  }
  // even running out of memory is reported, not fatal
  lua_pushcfunction(L, protected_main);
  lua_pushlightuserdata(L, &c);
  report(L, &c, deer_interpreter_call(L, 1));
  lua_close(L);
  return close_output(c.status);
}
