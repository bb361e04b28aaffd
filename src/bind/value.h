/* value.h: Lua values and the arrays of the core: numbers, nested tables, tensors, strings of
 * bytes. Reading never raises and leaves the stack as it was; pushing may raise. */
#ifndef DEER_VALUE_H
#define DEER_VALUE_H

#include "bind/bind.h"

#define DEER_TENSOR_CLASS "deer.Tensor"

/* Writes what the value is, for "got ...": "nil", "7", "a string of 3 bytes", "a table with 3
 * entries", "a deer.Tensor of shape [2, 3]". */
#define DEER_DESCRIBE 128
const char *deer_lua_describe(lua_State *L, int index, char text[DEER_DESCRIBE]);

/* Writes a number as Python's repr does: 0.1, 8.0, 1e-05, nan. */
const char *deer_lua_number(double x, char text[32]);

/* Fills the array from a number (rank 0), nested tables, a deer.Tensor of the same shape, or, for
 * uint8, a string of bytes. Fails with what was expected, what came and where. */
deer_status deer_lua_read(lua_State *L, int index, const deer_tensor *into);

/* Pushes the array as a number (rank 0) or nested tables. */
void deer_lua_push(lua_State *L, const deer_tensor *from);

/* A list with one entry per subject: the present observation, or the state with its history. In a
 * state a subject whose history is 1 may come without that axis. */
deer_status deer_lua_read_observation(lua_State *L, int index, const deer_space *space,
                                      void *const *observation);
deer_status deer_lua_read_state(lua_State *L, int index, const deer_space *space,
                                void *const *state);
void deer_lua_push_state(lua_State *L, const deer_space *space, const void *const *state);

/* The numbers at `n` stack indices from `first` on, as many as the array has elements. */
deer_status deer_lua_read_numbers(lua_State *L, int first, int n, const deer_tensor *into);

/* One subject of an observation. */
deer_status deer_lua_read_subject(lua_State *L, int index, const deer_space *space, int s,
                                  void *observation);

/* An action: a whole number, or a list of numbers in a continuous space (a number alone when there
 * is but one). Fails when it is not in the space. */
deer_status deer_lua_read_action(lua_State *L, int index, const deer_action_space *actions,
                                 deer_real *action);
void deer_lua_push_action(lua_State *L, const deer_action_space *actions, const deer_real *action);

/* DeeR's inputDimensions and nActions, and the name of a type of observations. */
deer_status deer_lua_read_dimensions(lua_State *L, int index, deer_space *space);
deer_status deer_lua_read_n_actions(lua_State *L, int index, deer_action_space *actions);
deer_status deer_lua_read_type(lua_State *L, int index, deer_dtype *dtype);
void deer_lua_push_dimensions(lua_State *L, const deer_space *space);
void deer_lua_push_n_actions(lua_State *L, const deer_action_space *actions);

#endif
