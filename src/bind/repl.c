/* repl.c: the interactive prompt: a line that is an expression is printed, an unfinished statement
 * goes on at the next line, Ctrl-C drops the line or stops what runs. */
#include "bind/repl.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef DEER_HAVE_EDIT
#include <editline/readline.h>
#endif

#include "bind/interpreter.h"
#include "bind/interrupt.h"

enum { HISTORY_LINES = 2000 };

// an error does not end the prompt, so nothing stands in front of its message
static void complain(lua_State *L) {
  const char *message = lua_tostring(L, -1);
  fflush(stdout);
  fprintf(stderr, "%s\n", message != NULL ? message : "(error object is not a string)");
  fflush(stderr);
  lua_pop(L, 1);
}

// the file that keeps the history; "" when there is none
static void history_path(char *path, size_t size) {
  const char *chosen = getenv("DEERLUA_HISTORY"), *home = getenv("HOME");
  path[0] = '\0';
  if (chosen != NULL) {
    snprintf(path, size, "%s", chosen);
  } else if (home != NULL) {
    snprintf(path, size, "%s/.deerlua_history", home);
  }
}

// a line without editing: a pipe, or a build without libedit
static char *plain_line(const char *prompt) {
  fputs(prompt, stdout);
  fflush(stdout);
  char *line = NULL;
  size_t size = 0;
  // NULL at the end of the input, and when Ctrl-C ended the wait
  ssize_t n = getline(&line, &size, stdin);
  if (n < 0) {
    clearerr(stdin);
    free(line);
    return NULL;
  }
  if (n > 0 && line[n - 1] == '\n') line[n - 1] = '\0';
  return line;
}

#ifdef DEER_HAVE_EDIT
static char *next_line(const char *prompt) {
  return isatty(STDIN_FILENO) ? readline(prompt) : plain_line(prompt);
}

static void history_start(const char *path) {
  if (!isatty(STDIN_FILENO)) return;
  // a tabulator is a tabulator: file names are not what a Lua prompt should complete
  rl_readline_name = "deerlua";
  using_history();
  stifle_history(HISTORY_LINES);
  rl_bind_key('\t', rl_insert);
  if (path[0] != '\0') read_history(path);
}

// written at every line, so that it survives whatever the line does
static void history_add(const char *path, const char *line) {
  if (line[0] == '\0' || !isatty(STDIN_FILENO)) return;
  add_history(line);
  if (path[0] != '\0') write_history(path);
}
#else
static char *next_line(const char *prompt) { return plain_line(prompt); }
static void history_start(const char *path) { (void)path; }
static void history_add(const char *path, const char *line) { (void)path, (void)line; }
#endif

typedef enum input { INPUT_LINE, INPUT_END, INPUT_DROPPED } input;

// Ctrl-C ends what runs or was typed, and the prompt goes on; SIGTERM ends the prompt
static bool was_dropped(lua_State *L) {
  if (deer_interrupt_signal() != SIGINT) return false;
  deer_interrupt_done(L);
  return true;
}

// Pushes the next line, unless the input ended or Ctrl-C dropped what was typed. The line lies in a
// static, so that nothing is lost when pushing it raises.
static input read_line(lua_State *L, const char *prompt_name, const char *fallback) {
  static char *line;
  free(line);
  lua_getglobal(L, prompt_name);
  // a prompt of the user's own may be any value
  const char *prompt = luaL_tolstring(L, -1, NULL);
  line = next_line(lua_isnil(L, -2) ? fallback : prompt);
  lua_pop(L, 2);
  if (line != NULL) {
    lua_pushstring(L, line);
    return INPUT_LINE;
  }
  if (!was_dropped(L)) return INPUT_END;
  fputs("\n", stdout);
  return INPUT_DROPPED;
}

// the parser ran out of text: the statement goes on
static bool is_incomplete(lua_State *L, int status) {
  if (status != LUA_ERRSYNTAX) return false;
  size_t size;
  const char *message = lua_tolstring(L, -1, &size);
  return size >= 5 && strcmp(message + size - 5, "<eof>") == 0;
}

// the line at the top as an expression: leaves its chunk above it, or nothing
static bool load_expression(lua_State *L) {
  const char *line = lua_tostring(L, -1);
  // "=x" is the old way to say it
  lua_pushfstring(L, "return %s", line[0] == '=' ? line + 1 : line);
  size_t size;
  const char *text = lua_tolstring(L, -1, &size);
  bool ok = luaL_loadbuffer(L, text, size, "=stdin") == LUA_OK;
  lua_remove(L, -2);
  if (!ok) lua_pop(L, 1);
  return ok;
}

// the line at the top as a statement, with more lines while it is unfinished: leaves the chunk or a
// message above it
static int load_statement(lua_State *L) {
  for (;;) {
    size_t size;
    const char *text = lua_tolstring(L, -1, &size);
    int status = luaL_loadbuffer(L, text, size, "=stdin");
    if (!is_incomplete(L, status)) return status;
    input next = read_line(L, "_PROMPT2", ">> ");
    if (next == INPUT_DROPPED) {
      // nothing is to be said about it
      lua_pushnil(L);
      lua_replace(L, -2);
    }
    if (next != INPUT_LINE) return status;
    // line, message, next line: join the lines
    lua_remove(L, -2);
    lua_pushliteral(L, "\n");
    lua_insert(L, -2);
    lua_concat(L, 3);
  }
}

// prints what the statement returned, with the global print as lua does it
static void print_results(lua_State *L, int base) {
  int n = lua_gettop(L) - base;
  if (n == 0) return;
  luaL_checkstack(L, LUA_MINSTACK, "too many results to print");
  lua_getglobal(L, "print");
  lua_insert(L, base + 1);
  if (deer_interpreter_call(L, n) != LUA_OK) complain(L);
}

// `deer` is there without asking; a prompt without it is still a Lua prompt
static void load_deer(lua_State *L) {
  if (lua_getglobal(L, "deer") != LUA_TNIL) return;
  lua_getglobal(L, "require");
  lua_pushliteral(L, "deer");
  int first = lua_gettop(L) - 1;
  if (deer_interpreter_call(L, 1) != LUA_OK) {
    complain(L);
    return;
  }
  // require also returns where the module came from
  lua_settop(L, first);
  lua_setglobal(L, "deer");
}

// runs the line at the top: an expression is printed, an error too
static void run_line(lua_State *L, const char *path) {
  int line = lua_gettop(L);
  int status = load_expression(L) ? LUA_OK : load_statement(L);
  history_add(path, lua_tostring(L, line));
  if (status == LUA_OK) status = deer_interpreter_call(L, 0);
  if (status == LUA_OK) {
    print_results(L, line);
  } else if (!lua_isnil(L, -1)) {
    complain(L);
  }
  was_dropped(L);
}

void deer_repl_run(lua_State *L) {
  char path[PATH_MAX];
  int base = lua_gettop(L);
  load_deer(L);
  lua_settop(L, base);
  history_path(path, sizeof path);
  history_start(path);
  for (input in; (in = read_line(L, "_PROMPT", "> ")) != INPUT_END; lua_settop(L, base)) {
    if (in == INPUT_LINE) run_line(L, path);
    if (deer_interrupted()) break;
  }
  fputs("\n", stdout);
  fflush(stdout);
}
