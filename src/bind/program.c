/* program.c: deer.Program: a compiled graph, given its inputs by name and run.
 *
 * User value 1 is the graph's list of what has to live as long as the program; user value 2 holds
 * the tensors that show the program's memory: outputs by position, inputs by name; user value 3 the
 * names of the inputs in order. */
#include "bind/node.h"

#include <stdio.h>
#include <string.h>

enum { ANCHORS = 1, VIEWS = 2, NAMES = 3 };

typedef struct slot {
  deer_tensor tensor; // memory of the program
  bool set;           // an input that was given a value, or may have been
} slot;

typedef struct program_box {
  deer_program *program; // NULL: closed
  bool by_position;      // run takes its inputs in order, not a table of names
  int n_inputs, n_outputs, n_unset;
  slot slots[]; // inputs, then outputs
} program_box;

static program_box *check_box(lua_State *L) {
  program_box *box = luaL_checkudata(L, 1, DEER_PROGRAM_CLASS);
  if (!box->program) deer_lua_fail(L, "the program is closed");
  return box;
}

/* ---- compiling ---- */

typedef struct targets {
  deer_node *nodes; // outputs, then updates
  int n_outputs, n;
} targets;

// how many values the lists of updates at `index` hold; lists of lists are flattened
static int count_updates(lua_State *L, int index, int depth) {
  char got[DEER_DESCRIBE];
  int n = 0;
  if (!lua_istable(L, index) || depth > 8)
    deer_lua_bad_option(L, "updates", "a list of updates (of g:assign or minimize)", index);
  luaL_checkstack(L, 8, NULL);
  for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, index); i++) {
    lua_rawgeti(L, index, i);
    const deer_node_box *box = deer_lua_to_node(L, -1);
    if (box && box->kind != DEER_NODE_UPDATE)
      deer_lua_fail(L, "option 'updates': %s is no update: g:assign and minimize make them",
                    luaL_tolstring(L, -1, NULL));
    if (!box && !lua_istable(L, -1))
      deer_lua_fail(L, "option 'updates': expected updates, got %s", deer_lua_describe(L, -1, got));
    n += box ? 1 : count_updates(L, lua_gettop(L), depth + 1);
    lua_pop(L, 1);
  }
  return n;
}

// the second walk over what was counted
static void add_updates(lua_State *L, int index, const deer_graph_box *owner, targets *t) {
  for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, index); i++) {
    lua_rawgeti(L, index, i);
    const deer_node_box *box = deer_lua_to_node(L, -1);
    if (box && box->owner != owner)
      deer_lua_fail(L, "option 'updates': an update of another graph");
    if (box)
      t->nodes[t->n++] = box->node;
    else
      add_updates(L, lua_gettop(L), owner, t);
    lua_pop(L, 1);
  }
}

static void add_output(lua_State *L, const deer_graph_box *owner, targets *t) {
  char got[DEER_DESCRIBE];
  const deer_node_box *box = deer_lua_to_node(L, -1);
  if (!box)
    deer_lua_fail(L, "option 'outputs': entry %d: expected a node, got %s", t->n + 1,
                  deer_lua_describe(L, -1, got));
  if (box->owner != owner)
    deer_lua_fail(L, "option 'outputs': entry %d is of another graph", t->n + 1);
  if (box->kind == DEER_NODE_UPDATE)
    deer_lua_fail(L, "option 'outputs': entry %d is an update; it belongs into 'updates'",
                  t->n + 1);
  t->nodes[t->n++] = box->node;
}

// reads the options outputs and updates of the table at 2; pushes what keeps the list
static targets check_targets(lua_State *L, const deer_graph_box *owner) {
  int outputs = lua_gettop(L) + 1, updates = outputs + 1, n_updates = 0;
  lua_getfield(L, 2, "outputs");
  if (deer_lua_to_node(L, -1)) {
    // a node alone is a list of one
    lua_createtable(L, 1, 0);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
  }
  if (!lua_isnil(L, outputs) && !lua_istable(L, outputs))
    deer_lua_bad_option(L, "outputs", "a list of nodes", outputs);
  if (lua_getfield(L, 2, "updates") != LUA_TNIL) n_updates = count_updates(L, updates, 0);
  targets t = {.n_outputs = lua_isnil(L, outputs) ? 0 : (int)lua_rawlen(L, outputs)};
  if (t.n_outputs + n_updates == 0)
    deer_lua_fail(L, "compile: expected a node in 'outputs' or an update in 'updates'");
  t.nodes = lua_newuserdatauv(L, (size_t)(t.n_outputs + n_updates) * sizeof *t.nodes, 0);
  while (t.n < t.n_outputs) {
    lua_rawgeti(L, outputs, t.n + 1);
    add_output(L, owner, &t);
    lua_pop(L, 1);
  }
  if (n_updates > 0) add_updates(L, updates, owner, &t);
  return t;
}

static void check_keys(lua_State *L) {
  static const char *const names[] = {"inputs", "outputs", "updates"};
  for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
    if (!name)
      deer_lua_fail(L, "compile: options have names, as in g:compile{ outputs = { loss } }");
    bool known = false;
    for (size_t i = 0; i < 3; i++) known = known || strcmp(name, names[i]) == 0;
    if (!known) deer_lua_unknown(L, "option of compile", name, names, 3);
  }
}

// pushes a tensor that shows the memory of a slot; the program is at `program`
static void push_view(lua_State *L, const slot *s, int program) {
  deer_lua_new_view(L, &s->tensor, program);
}

// is the input `name`, on top of the stack, noted already?
static bool has_input(lua_State *L, int program) {
  lua_getiuservalue(L, program, VIEWS);
  lua_pushvalue(L, -2);
  bool known = lua_rawget(L, -2) != LUA_TNIL;
  lua_pop(L, 2);
  return known;
}

// notes the input `name`, on top of the stack, if the program has it; pops the name
static bool add_input(lua_State *L, int program, const deer_graph_box *owner, int inputs) {
  program_box *box = lua_touserdata(L, program);
  lua_pushvalue(L, -1);
  lua_rawget(L, inputs);
  const deer_node_box *input = deer_lua_to_node(L, -1);
  lua_pop(L, 1);
  void *data = deer_program_data(box->program, input->node);
  if (data) {
    slot *s = &box->slots[box->n_inputs++];
    s->tensor = deer_tensor_wrap(deer_node_dtype(owner->graph, input->node),
                                 deer_node_shape(owner->graph, input->node), data);
    lua_getiuservalue(L, program, NAMES);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, box->n_inputs);
    lua_getiuservalue(L, program, VIEWS);
    lua_pushvalue(L, -3);
    push_view(L, s, program);
    lua_rawset(L, -3);
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
  return data != NULL;
}

// the inputs of the option at `given`, in its order
static void add_given_inputs(lua_State *L, int program, const deer_graph_box *owner, int inputs,
                             int given) {
  char got[DEER_DESCRIBE], text[DEER_NODE_TEXT];
  for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, given); i++) {
    lua_rawgeti(L, given, i);
    const deer_node_box *node = deer_lua_to_node(L, -1);
    if (!node || node->owner != owner)
      deer_lua_fail(L, "option 'inputs': entry %I: expected an input of this graph, got %s",
                    (LUAI_UACINT)i, deer_lua_describe(L, -1, got));
    // which name is its?
    lua_Integer n = (lua_Integer)lua_rawlen(L, inputs), k = 1;
    bool found = false;
    for (; k <= n && !found; k++) {
      lua_rawgeti(L, inputs, k);
      lua_pushvalue(L, -1);
      lua_rawget(L, inputs);
      found = deer_lua_to_node(L, -1)->node.id == node->node.id;
      lua_pop(L, found ? 1 : 2);
    }
    deer_node_text(owner->graph, node->node, text);
    if (!found)
      deer_lua_fail(L, "option 'inputs': entry %I: expected an input, got %s", (LUAI_UACINT)i,
                    text);
    if (has_input(L, program))
      deer_lua_fail(L, "option 'inputs': entry %I: %s is listed twice", (LUAI_UACINT)i, text);
    if (!add_input(L, program, owner, inputs))
      deer_lua_fail(L, "option 'inputs': entry %I: nothing that is computed needs %s",
                    (LUAI_UACINT)i, text);
    lua_pop(L, 1);
  }
}

// finds the inputs that the program has, in the order of the option 'inputs' or of the graph
static void find_inputs(lua_State *L, int program, const deer_graph_box *owner) {
  program_box *box = lua_touserdata(L, program);
  lua_getiuservalue(L, 1, DEER_GRAPH_INPUTS);
  int inputs = lua_gettop(L), n = 0;
  if (lua_getfield(L, 2, "inputs") != LUA_TNIL) {
    if (!lua_istable(L, -1)) deer_lua_bad_option(L, "inputs", "a list of inputs", -1);
    box->by_position = true;
    add_given_inputs(L, program, owner, inputs, inputs + 1);
  }
  // those that are not listed
  for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, inputs); i++) {
    lua_rawgeti(L, inputs, i);
    if (!box->by_position) {
      add_input(L, program, owner, inputs);
      continue;
    }
    lua_pushvalue(L, -1);
    lua_rawget(L, inputs);
    const deer_node_box *node = deer_lua_to_node(L, -1);
    lua_pop(L, 1);
    if (!has_input(L, program) && deer_program_data(box->program, node->node))
      deer_lua_fail(L, "option 'inputs': '%s' is needed as well", lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  for (int i = 1; i <= box->n_inputs; i++) n += !box->slots[i - 1].set;
  box->n_unset = n;
  lua_settop(L, inputs - 1);
}

// compile{ outputs = {...}, updates = {...} [, inputs = {...}] }
static int graph_compile(lua_State *L) {
  const deer_graph_box *owner = deer_lua_check_graph(L, 1);
  deer_lua_check_options(L, 2);
  check_keys(L);
  targets t = check_targets(L, owner);
  lua_getiuservalue(L, 1, DEER_GRAPH_INPUTS);
  size_t most = (size_t)lua_rawlen(L, -1) + (size_t)t.n_outputs;
  // empty, with everything it will hold: then what nobody but it frees
  program_box *box = lua_newuserdatauv(L, sizeof *box + most * sizeof *box->slots, 3);
  int program = lua_gettop(L);
  memset(box, 0, sizeof *box + most * sizeof *box->slots);
  luaL_setmetatable(L, DEER_PROGRAM_CLASS);
  lua_getiuservalue(L, 1, DEER_GRAPH_ANCHORS);
  lua_setiuservalue(L, program, ANCHORS);
  for (int i = VIEWS; i <= NAMES; i++) {
    lua_newtable(L);
    lua_setiuservalue(L, program, i);
  }
  deer_status status = deer_compile(owner->graph, t.nodes, t.n, &box->program);
  if (status != DEER_OK) {
    deer_graph_forget(owner->graph);
    return deer_throw(L, status);
  }
  find_inputs(L, program, owner);
  lua_getiuservalue(L, program, VIEWS);
  for (int i = 0; i < t.n_outputs; i++) {
    slot *s = &box->slots[box->n_inputs + box->n_outputs++];
    s->tensor = deer_tensor_wrap(deer_node_dtype(owner->graph, t.nodes[i]),
                                 deer_node_shape(owner->graph, t.nodes[i]),
                                 deer_program_data(box->program, t.nodes[i]));
    push_view(L, s, program);
    lua_rawseti(L, -2, i + 1);
  }
  lua_settop(L, program);
  return 1;
}

/* ---- life ---- */

// close(): gives the memory back; tensors that showed it are empty from then on
static int program_close(lua_State *L) {
  program_box *box = luaL_checkudata(L, 1, DEER_PROGRAM_CLASS);
  if (!box->program) return 0;
  lua_getiuservalue(L, 1, VIEWS);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    deer_tensor *view = deer_lua_to_tensor(L, -1);
    if (view) deer_lua_empty_view(view);
  }
  deer_program_free(box->program);
  box->program = NULL;
  box->n_inputs = box->n_outputs = 0;
  return 0;
}

/* ---- running ---- */

// pushes the name of input `i`, from 0
static const char *push_name(lua_State *L, int i) {
  lua_getiuservalue(L, 1, NAMES);
  lua_rawgeti(L, -1, i + 1);
  lua_remove(L, -2);
  return lua_tostring(L, -1);
}

static void mark_set(program_box *box, slot *s) {
  box->n_unset -= !s->set;
  s->set = true;
}

// copies the value on top of the stack into input `i`
static void set_input(lua_State *L, program_box *box, int i) {
  slot *s = &box->slots[i];
  const deer_tensor *from = deer_lua_to_tensor(L, -1);
  // its own memory needs no copy
  bool same = from && from->data == s->tensor.data && from->dtype == s->tensor.dtype;
  if (!same && deer_lua_read(L, lua_gettop(L), &s->tensor) != DEER_OK) {
    const char *name = push_name(L, i);
    deer_lua_fail(L, "input '%s': %s", name, deer_error());
  }
  mark_set(box, s);
}

// raises about a name in the table at 2 that is none of the inputs'
static void throw_unknown(lua_State *L, const program_box *box) {
  const char *names[64], *wrong = NULL;
  lua_getiuservalue(L, 1, VIEWS);
  for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      deer_lua_fail(L, "inputs have names, as in program:run{ obs = ... }");
    lua_pushvalue(L, -2);
    bool known = lua_rawget(L, 3) != LUA_TNIL;
    const char *name = lua_tostring(L, -3);
    // of several always the same
    if (!known && (!wrong || strcmp(name, wrong) < 0)) wrong = name;
    lua_pop(L, 1);
  }
  int n = box->n_inputs < 64 ? box->n_inputs : 64;
  luaL_checkstack(L, n + 8, NULL);
  for (int i = 0; i < n; i++) names[i] = push_name(L, i);
  deer_lua_unknown(L, "input", wrong ? wrong : "?", names, (size_t)n);
}

// inputs from the table of names at 2
static void set_by_name(lua_State *L, program_box *box) {
  int given = 0, n = 0;
  luaL_checktype(L, 2, LUA_TTABLE);
  if (lua_gettop(L) > 2)
    deer_lua_fail(L, "one table of inputs expected, as in program:run{ obs = ... }, got %d values",
                  lua_gettop(L) - 1);
  lua_getiuservalue(L, 1, NAMES);
  for (int i = 0; i < box->n_inputs; i++) {
    lua_rawgeti(L, 3, i + 1);
    if (lua_rawget(L, 2) != LUA_TNIL) {
      set_input(L, box, i);
      given++;
    }
    lua_pop(L, 1);
  }
  lua_settop(L, 2);
  for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) n++;
  if (n != given) throw_unknown(L, box);
}

static void set_by_position(lua_State *L, program_box *box) {
  int n = lua_gettop(L) - 1;
  if (n > box->n_inputs)
    deer_lua_fail(L, "the program has %d input%s, got %d values", box->n_inputs,
                  box->n_inputs == 1 ? "" : "s", n);
  for (int i = 0; i < n; i++) {
    if (lua_isnil(L, i + 2)) continue;
    lua_pushvalue(L, i + 2);
    set_input(L, box, i);
    lua_pop(L, 1);
  }
}

// raises about an input that was never given a value
static void throw_unset(lua_State *L, const program_box *box) {
  int i = 0;
  while (i < box->n_inputs && box->slots[i].set) i++;
  const char *name = push_name(L, i);
  deer_lua_fail(L, "input '%s' was never given a value", name);
}

// pushes output `i`, from 0: a number, or the tensor that shows it, from the table at `views`
static void push_output(lua_State *L, const program_box *box, int i, int views) {
  const deer_tensor *t = &box->slots[box->n_inputs + i].tensor;
  if (t->shape.rank > 0)
    lua_rawgeti(L, views, i + 1);
  else if (t->dtype == DEER_DTYPE_REAL)
    lua_pushnumber(L, (double)*(const deer_real *)t->data);
  else
    deer_lua_push(L, t);
}

// run([inputs]) -> outputs. Without inputs those of the last run are used again.
static int program_run(lua_State *L) {
  program_box *box = check_box(L);
  if (lua_gettop(L) > 1) {
    if (box->by_position)
      set_by_position(L, box);
    else
      set_by_name(L, box);
  }
  if (box->n_unset > 0) throw_unset(L, box);
  // nothing above this line leaves the program closed
  deer_program_run(box->program);
  lua_settop(L, 1);
  luaL_checkstack(L, box->n_outputs + 2, NULL);
  lua_getiuservalue(L, 1, VIEWS);
  for (int i = 0; i < box->n_outputs; i++) push_output(L, box, i, 2);
  return box->n_outputs;
}

// set{ name = value, ... }, or set(value, ...): as run, without running
static int program_set(lua_State *L) {
  program_box *box = check_box(L);
  if (box->by_position)
    set_by_position(L, box);
  else
    set_by_name(L, box);
  lua_settop(L, 1);
  return 1;
}

/* ---- memory ---- */

// input(name): the tensor that is the program's own memory
static int program_input(lua_State *L) {
  program_box *box = check_box(L);
  const char *name = luaL_checkstring(L, 2);
  for (int i = 0; i < box->n_inputs; i++) {
    if (strcmp(push_name(L, i), name) == 0) {
      mark_set(box, &box->slots[i]);
      break;
    }
    lua_pop(L, 1);
  }
  lua_settop(L, 2);
  lua_getiuservalue(L, 1, VIEWS);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, 3) != LUA_TNIL) return 1;
  const char *names[64];
  int n = box->n_inputs < 64 ? box->n_inputs : 64;
  luaL_checkstack(L, n + 8, NULL);
  for (int i = 0; i < n; i++) names[i] = push_name(L, i);
  return deer_lua_unknown(L, "input", name, names, (size_t)n);
}

// output(i): the tensor that shows output i of the list, from 1, whatever its shape
static int program_output(lua_State *L) {
  const program_box *box = check_box(L);
  lua_Integer i = deer_lua_check_integer(L, 2);
  if (i < 1 || i > box->n_outputs)
    deer_lua_bad_argument(
        L, 2,
        lua_pushfstring(L, "output of 1 to %d expected, got %I", box->n_outputs, (LUAI_UACINT)i));
  lua_getiuservalue(L, 1, VIEWS);
  lua_rawgeti(L, -1, i);
  return 1;
}

// inputs(): their names in order
static int program_inputs(lua_State *L) {
  const program_box *box = check_box(L);
  lua_createtable(L, box->n_inputs, 0);
  for (int i = 0; i < box->n_inputs; i++) {
    push_name(L, i);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

static int program_steps(lua_State *L) {
  lua_pushinteger(L, deer_program_steps(check_box(L)->program));
  return 1;
}

// profile(on): from now on runs are timed step by step, or no longer
static int program_profile(lua_State *L) {
  const program_box *box = check_box(L);
  luaL_checkany(L, 2);
  deer_status status = deer_program_profile(box->program, lua_toboolean(L, 2));
  lua_settop(L, 1);
  return status == DEER_OK ? 1 : deer_throw(L, status);
}

// explain(), text(): the steps of a run, a line each, with their times when it was profiled
static int program_text(lua_State *L) {
  check_box(L);
  char **text = deer_lua_new_text(L);
  *text = deer_program_explain(check_box(L)->program);
  return deer_lua_finish_text(L, text);
}

static int program_tostring(lua_State *L) {
  const program_box *box = luaL_checkudata(L, 1, DEER_PROGRAM_CLASS);
  if (!box->program)
    lua_pushliteral(L, "a closed deer.Program");
  else
    lua_pushfstring(L, "a deer.Program of %d steps", deer_program_steps(box->program));
  return 1;
}

static const luaL_Reg methods[] = {
    {"run", program_run},
    {"set", program_set},
    {"input", program_input},
    {"output", program_output},
    {"inputs", program_inputs},
    {"steps", program_steps},
    {"close", program_close},
    {"text", program_text},
    {"explain", program_text},
    {"profile", program_profile},
    {NULL, NULL},
};
static const luaL_Reg events[] = {{"__gc", program_close},
                                  {"__close", program_close},
                                  {"__tostring", program_tostring},
                                  {NULL, NULL}};
static const luaL_Reg graph_methods[] = {{"compile", graph_compile}, {NULL, NULL}};

void deer_open_program(lua_State *L) {
  deer_lua_class(L, DEER_PROGRAM_CLASS, methods, events);
  deer_lua_strict_class(L, DEER_PROGRAM_CLASS, "program");
  deer_lua_extend_class(L, DEER_GRAPH_CLASS, graph_methods, false);
}
