/* info.c: what there is: the version, the classes written in C and their options; words and
 * numbers as people write them. */
#include "bind/core.h"

#include <math.h>
#include <string.h>

/* ---- classes written in C ---- */

typedef struct entry {
  const char *name, *paper, *help;
  const deer_field *fields;
} entry;

static const char *const kinds[] = {"algo",   "env",       "layer",   "policy",
                                    "replay", "optimizer", "wrapper", NULL};

// class i of each kind; false past the end
static bool algo_at(int i, entry *e) {
  const deer_algo_class *class = deer_algo_at(i);
  if (class) *e = (entry){class->name, class->paper, class->help, class->fields};
  return class != NULL;
}

static bool env_at(int i, entry *e) {
  const deer_env_class *class = deer_env_at(i);
  if (class) *e = (entry){class->name, NULL, class->help, class->fields};
  return class != NULL;
}

static bool policy_at(int i, entry *e) {
  const deer_policy_class *class = deer_policy_at(i);
  if (class) *e = (entry){class->name, class->paper, class->help, class->fields};
  return class != NULL;
}

static bool layer_at(int i, entry *e) {
  const deer_layer_class *class = deer_layer_at(i);
  if (class)
    *e = (entry){deer_layer_name(class), deer_layer_paper(class), deer_layer_help(class),
                 deer_layer_fields(class)};
  return class != NULL;
}

static bool replay_at(int i, entry *e) {
  const deer_replay_class *class = deer_replay_at(i);
  if (class) *e = (entry){class->name, class->paper, class->help, class->fields};
  return class != NULL;
}

static bool optimizer_at(int i, entry *e) {
  const deer_opt_class *class = deer_opt_at(i);
  if (class) *e = (entry){class->name, class->paper, class->help, class->fields};
  return class != NULL;
}

static bool wrapper_at(int i, entry *e) {
  const deer_env_class *class = deer_wrapper_at(i);
  if (class) *e = (entry){class->name, NULL, class->help, class->fields};
  return class != NULL;
}

// in the order of `kinds`
static bool (*const entry_at[])(int i, entry *e) = {algo_at,   env_at,       layer_at,  policy_at,
                                                    replay_at, optimizer_at, wrapper_at};

// the class that arguments 1 and 2, kind and name, speak of
static entry check_entry(lua_State *L) {
  int kind = luaL_checkoption(L, 1, NULL, kinds);
  const char *name = luaL_checkstring(L, 2), *names[256];
  entry e;
  int n = 0;
  for (; n < 256 && entry_at[kind](n, &e); n++) {
    names[n] = e.name;
    if (strcmp(e.name, name) == 0) return e;
  }
  // not found: perhaps it is misspelt
  const char *nearest = deer_nearest(name, names, (size_t)n);
  luaL_argerror(L, 2,
                lua_pushfstring(L,
                                nearest ? "unknown %s '%s'; did you mean '%s'?" : "unknown %s '%s'",
                                kinds[kind], name, nearest));
  return e;
}

// names(kind)
static int info_names(lua_State *L) {
  int kind = luaL_checkoption(L, 1, NULL, kinds);
  entry e;
  lua_newtable(L);
  for (int i = 0; entry_at[kind](i, &e); i++) {
    lua_pushstring(L, e.name);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

// the kinds of actions that an algorithm can use: "discrete, continuous"
static void push_actions(lua_State *L, unsigned caps) {
  static const struct {
    unsigned cap;
    const char *word;
  } words[] = {{DEER_ALGO_DISCRETE, "discrete"},
               {DEER_ALGO_CONTINUOUS, "continuous"},
               {DEER_ALGO_MULTI_DISCRETE, "multi-discrete"}};
  char list[64] = "";
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (caps & words[i].cap) strcat(strcat(list, *list ? ", " : ""), words[i].word);
  lua_pushstring(L, list);
}

// about(kind, name) -> { name =, paper =, help = }, of an algorithm also { actions =, distribution
// =
// }: is there a distribution over actions?
static int info_about(lua_State *L) {
  entry e = check_entry(L);
  lua_createtable(L, 0, 3);
  lua_pushstring(L, e.name);
  lua_setfield(L, -2, "name");
  lua_pushstring(L, e.paper);
  lua_setfield(L, -2, "paper");
  lua_pushstring(L, e.help);
  lua_setfield(L, -2, "help");
  const deer_algo_class *algo =
      strcmp(lua_tostring(L, 1), "algo") == 0 ? deer_algo_find(e.name) : NULL;
  if (algo) {
    push_actions(L, algo->caps);
    lua_setfield(L, -2, "actions");
    lua_pushboolean(L, algo->distribution != NULL);
    lua_setfield(L, -2, "distribution");
  }
  return 1;
}

/* ---- options ---- */

// a bound or default as the field's type has it
static void push_field_number(lua_State *L, const deer_field *field, double x) {
  if (field->type == DEER_FIELD_INT && fabs(x) < 9e15)
    lua_pushinteger(L, (lua_Integer)x);
  else
    lua_pushnumber(L, x);
}

// the words of a choice as a list
static void push_choices(lua_State *L, const char *choices) {
  char word[64];
  lua_newtable(L);
  for (int i = 0; deer_choice_word(choices, i, word, sizeof word); i++) {
    lua_pushstring(L, word);
    lua_rawseti(L, -2, i + 1);
  }
}

static bool is_list(const deer_field *field) {
  return field->type == DEER_FIELD_LIST || field->type == DEER_FIELD_WHOLES;
}

// the default as the field's type has it; a list has none
static void push_default(lua_State *L, const deer_field *field) {
  char word[64] = "";
  if (field->type == DEER_FIELD_BOOL) {
    lua_pushboolean(L, field->fallback != 0);
  } else if (field->type == DEER_FIELD_CHOICE) {
    deer_choice_word(field->choices, (int)field->fallback, word, sizeof word);
    lua_pushstring(L, word);
  } else if (is_list(field)) {
    lua_pushnil(L);
  } else {
    push_field_number(L, field, field->fallback);
  }
}

// { name =, type =, default =, help = }, min and max of numbers, choices, parts (what the numbers
// of a list are), search = { min, max }
static void push_field(lua_State *L, const deer_field *field) {
  static const char *const types[] = {"real", "int", "bool", "choice", "list", "wholes"};
  lua_createtable(L, 0, 8);
  lua_pushstring(L, field->name);
  lua_setfield(L, -2, "name");
  lua_pushstring(L, types[field->type]);
  lua_setfield(L, -2, "type");
  push_default(L, field);
  lua_setfield(L, -2, "default");
  lua_pushstring(L, field->help);
  lua_setfield(L, -2, "help");
  if (field->type == DEER_FIELD_CHOICE || is_list(field)) {
    push_choices(L, field->choices);
    lua_setfield(L, -2, is_list(field) ? "parts" : "choices");
  }
  if (field->type != DEER_FIELD_CHOICE && field->type != DEER_FIELD_BOOL) {
    push_field_number(L, field, field->min);
    lua_setfield(L, -2, "min");
    push_field_number(L, field, field->max);
    lua_setfield(L, -2, "max");
  }
  if (field->search_min >= field->search_max) return;
  lua_createtable(L, 2, 0);
  push_field_number(L, field, field->search_min);
  lua_rawseti(L, -2, 1);
  push_field_number(L, field, field->search_max);
  lua_rawseti(L, -2, 2);
  lua_setfield(L, -2, "search");
}

// fields(kind, name)
static int info_fields(lua_State *L) {
  entry e = check_entry(L);
  lua_newtable(L);
  for (int i = 0; e.fields && e.fields[i].name; i++) {
    push_field(L, &e.fields[i]);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

/* ---- words and numbers ---- */

// nearest(word, list): the one of the list that is probably meant, or nil
static int info_nearest(lua_State *L) {
  const char *word = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  size_t n = (size_t)lua_rawlen(L, 2);
  const char **names = lua_newuserdatauv(L, (n + 1) * sizeof *names, 0);
  for (size_t i = 0; i < n; i++) {
    // the table keeps the strings
    bool string = lua_rawgeti(L, 2, (lua_Integer)i + 1) == LUA_TSTRING;
    names[i] = lua_tostring(L, -1);
    lua_pop(L, 1);
    luaL_argcheck(L, string, 2, "list of strings expected");
  }
  lua_pushstring(L, deer_nearest(word, names, n));
  return 1;
}

// format(number): as Python prints it
static int info_format(lua_State *L) {
  char text[32];
  luaL_checktype(L, 1, LUA_TNUMBER);
  if (lua_isinteger(L, 1)) {
    lua_pushfstring(L, "%I", (LUAI_UACINT)lua_tointeger(L, 1));
  } else {
    lua_pushstring(L, deer_lua_number(lua_tonumber(L, 1), text));
  }
  return 1;
}

// warning(text): for the person who runs the program
static int info_warning(lua_State *L) {
  deer_log_write(DEER_LOG_WARNING, "%s", luaL_checkstring(L, 1));
  return 0;
}

// threads([n]) -> threads that programs made from now on may use; n changes it
static int info_threads(lua_State *L) {
  deer_status status = DEER_OK;
  if (!lua_isnoneornil(L, 1)) {
    lua_Integer n = deer_lua_check_integer(L, 1);
    if (n < 1 || n > DEER_MAX_THREADS)
      return deer_lua_fail(L, "threads: expected a number from 1 to %d, got %I", DEER_MAX_THREADS,
                           (LUAI_UACINT)n);
    status = deer_threads_set((int)n);
  }
  lua_pushinteger(L, deer_threads());
  return status == DEER_OK ? 1 : deer_throw(L, status);
}

static const luaL_Reg functions[] = {
    {"names", info_names},     {"about", info_about},
    {"fields", info_fields},   {"nearest", info_nearest},
    {"format", info_format},   {"threads", info_threads},
    {"warning", info_warning}, {NULL, NULL},
};

void deer_open_info(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
  lua_pushliteral(L, DEER_VERSION);
  lua_setfield(L, -2, "version");
}
