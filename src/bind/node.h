/* node.h: what the files about graphs share: graphs and their nodes as Lua values.
 *
 * A graph keeps in user value 1 a list of everything whose memory its programs use (tensors that
 * are variables, generators, optimisers), which each program keeps as well: so graph, programs and
 * tensors may go in any order. User value 2 holds its inputs: a list, and each by its name.
 * A node keeps its graph in user value 1, and in user value 2 the line of the script that made it,
 * "dqn.lua:12". */
#ifndef DEER_BIND_NODE_H
#define DEER_BIND_NODE_H

#include "bind/core.h"

#define DEER_GRAPH_CLASS   "deer.Graph"
#define DEER_NODE_CLASS    "deer.Node"
#define DEER_PROGRAM_CLASS "deer.Program"

enum { DEER_GRAPH_ANCHORS = 1, DEER_GRAPH_INPUTS = 2 }; /* user values of a graph */

typedef struct deer_graph_box {
  deer_graph *graph; /* NULL: the program ends and it is gone */
} deer_graph_box;

typedef enum deer_node_kind {
  DEER_NODE_VALUE,
  DEER_NODE_VARIABLE,
  DEER_NODE_UPDATE
} deer_node_kind;

typedef struct deer_node_box {
  deer_graph_box *owner;
  deer_node node;
  deer_node_kind kind;
  deer_node block; /* of a variable: its memory as a flat block, what is assigned to */
} deer_node_box;

/* The graph or node at `arg`; the node at `arg`, which must be of the graph
 * `owner`. Raise. */
deer_graph_box *deer_lua_check_graph(lua_State *L, int arg);
deer_node_box *deer_lua_check_node(lua_State *L, int arg);
deer_node deer_lua_check_node_of(lua_State *L, int arg, const deer_graph_box *owner);

/* The node at stack index `index`, which is not checked to be one of `owner`; NULL if none. */
deer_node_box *deer_lua_to_node(lua_State *L, int index);

/* Pushes the userdata of the graph that the graph or node at `index` belongs to. */
void deer_lua_push_graph(lua_State *L, int index);

/* Pushes the node that a builder function returned, for the graph of the value at `index`. Raises
 * what the graph found wrong instead, and where the nodes among the running function's arguments
 * were made. */
deer_node_box *deer_lua_push_node(lua_State *L, int index, deer_node node);

/* Raises if the graph of the value at `index` found something wrong. */
void deer_lua_check_built(lua_State *L, int index);

/* The value on top of the stack, which is popped, lives as long as the graph of the value at
 * `index` and its programs. */
void deer_lua_anchor(lua_State *L, int index);

/* A list of at most `most` nodes of `owner` at `arg`, in a userdata that is pushed. */
deer_node *deer_lua_check_nodes(lua_State *L, int arg, const deer_graph_box *owner, int *n);

/* Calls of methods that do not exist raise an error with the nearest name: `noun` is "node". The
 * class must have been made. */
void deer_lua_strict_class(lua_State *L, const char *class, const char *noun);

/* Adds what can be done with nodes to the classes of nodes and graphs, which must have been made:
 * builders.def and operators; the rest. */
void deer_lua_add_builders(lua_State *L);
void deer_lua_add_methods(lua_State *L);

/* ---- arguments; all raise ---- */

/* At most `n` arguments, the object itself included; those that are missing become nil. */
void deer_lua_check_count(lua_State *L, int n);

int deer_lua_node_rank(const deer_node_box *box);

/* An axis below `n_axes`; the last one where none is given; a list of different axes, of which it
 * returns how many there are. */
int deer_lua_check_axis(lua_State *L, int arg, int n_axes);
int deer_lua_opt_axis(lua_State *L, int arg, int n_axes);
int deer_lua_check_axes(lua_State *L, int arg, int n_axes, int axes[DEER_MAX_RANK]);

/* A whole number of 32 bits, a finite number. */
int deer_lua_check_int(lua_State *L, int arg, lua_Integer least);
double deer_lua_check_finite(lua_State *L, int arg);

/* Adds functions to the methods of a class, or to its metatable. */
void deer_lua_extend_class(lua_State *L, const char *class, const luaL_Reg *functions, bool meta);

#endif
