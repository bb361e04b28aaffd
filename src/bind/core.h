/* core.h: what the files of the module deer.core share: its classes and how options are read.
 *
 * A Lua object behind an environment, an algo or a policy (user value 1 of their userdata) is
 * called back as callback.h says. Objects of the core that need no memory of their own live inside
 * the userdata, so they are there as long as anybody in Lua or an agent's user values refers to
 * them. */
#ifndef DEER_BIND_CORE_H
#define DEER_BIND_CORE_H

#include "bind/callback.h"
#include "bind/value.h"

/* ---- classes ---- */

/* Makes the metatable of a class. `events` (__gc, ...) may be NULL. Scripts that ask for the
 * metatable get a table with the name alone. */
void deer_lua_class(lua_State *L, const char *name, const luaL_Reg *methods,
                    const luaL_Reg *events);

#define DEER_ENV_CLASS     "deer.Env"
#define DEER_ALGO_CLASS    "deer.Algo"
#define DEER_POLICY_CLASS  "deer.Policy"
#define DEER_AGENT_CLASS   "deer.Agent"
#define DEER_LEARNER_CLASS "deer.Learner"
#define DEER_DATASET_CLASS "deer.DataSet"
#define DEER_RNG_CLASS     "deer.Rng" /* a deer_rng */

/* The value at `index` as an object of a class, NULL when it is none. */
deer_env *deer_lua_to_env(lua_State *L, int index);
deer_algo *deer_lua_to_algo(lua_State *L, int index);
deer_policy *deer_lua_to_policy(lua_State *L, int index);

/* What the userdata of an environment begins with. */
typedef struct deer_env_box {
  deer_env *env;
  /* gives the environment back with its userdata; NULL for the object of a script, which is user
   * value 1 and takes part in calls */
  void (*finish)(struct deer_env_box *box);
} deer_env_box;

/* Does the environment at `index` need nothing of this Lua state? */
bool deer_lua_env_is_alone(lua_State *L, int index);

/* Pushes the buffers with which an environment can be asked by itself, user value 1 of its
 * userdata. */
void deer_lua_push_buffers(lua_State *L, const deer_space *space);

/* What the userdata of an algo begins with. */
typedef struct deer_algo_box {
  deer_algo *algo;
  bool owned; /* made by deer_algo_new, freed with the userdata; else written in Lua */
} deer_algo_box;

/* The environment in field "environment" of the options at `table`; pushes its userdata. Raises. */
deer_env *deer_lua_environment_option(lua_State *L, int table);

/* The space from input_dimensions, n_actions and observation_types of the options at 1. Raises. */
void deer_lua_space_options(lua_State *L, deer_space *space);

/* The agent, the learner at `index`; raises when it is none or closed. */
deer_agent *deer_lua_check_agent(lua_State *L, int index);
deer_learner *deer_lua_check_learner(lua_State *L, int index);

/* The userdata at stack index `index` holds `object`, an environment, an algo or a policy: what it
 * is written in takes part in the call. Nothing is done for those written in C. */
void deer_lua_own_env(deer_call *call, int index);
void deer_lua_own_algo(deer_call *call, int index);
void deer_lua_own_policy(deer_call *call, int index);

/* The method train of an algo: one update on a batch of the script's. */
int deer_lua_algo_train(lua_State *L);

/* Places the buffers of a batch of batch->size samples (at most DEER_MOST_SAMPLES) in a block,
 * which is aligned to 16; returns how many bytes it has to have. NULL only measures. */
#define DEER_MOST_SAMPLES (1 << 24)
size_t deer_lua_place_batch(const deer_space *space, deer_batch *batch, void *block);

/* How the rows of a batch are nested in Lua: `size` samples, or, with a length, `size` sequences of
 * so many samples. */
typedef struct deer_lua_rows {
  int size, length;
} deer_lua_rows;

/* Pushes states, actions, rewards, next_states and terminals; numbers of the rows; their slots. */
void deer_lua_push_batch(lua_State *L, const deer_space *space, const deer_batch *batch,
                         deer_lua_rows rows);
void deer_lua_push_reals(lua_State *L, deer_lua_rows rows, deer_real *x);
void deer_lua_push_indices(lua_State *L, const deer_batch *batch, deer_lua_rows rows);

/* The memory behind the data set at `arg`, as it is now; raises when it is none or has none. */
deer_replay *deer_lua_check_replay(lua_State *L, int arg);

/* What a script asks for: how samples are drawn, and where they go. */
typedef struct deer_lua_taken {
  deer_batch batch;
  int length;     /* of sequences; 0 for samples */
  int32_t *index; /* where the slots go that were drawn; NULL: nowhere */
} deer_lua_taken;

/* n_step with discount, and sequence, of the table at `table`; raises when they cannot be. */
void deer_lua_take_how(lua_State *L, int table, deer_lua_taken *taken);

/* Raises unless the keys of a table are among n names. */
void deer_lua_check_names(lua_State *L, int table, const char *noun, const char *const *names,
                          size_t n);

/* Makes tensors the buffers of a batch, whose size is that of the first: the table at `table` has
 * them under the names of deer_batch, observations as a list of one per subject or, of a single
 * one, as they are, and what deer_lua_take_how reads. Memory stays that of the tensors. Raises, as
 * `who`, on anything else. */
void deer_lua_take_batch(lua_State *L, int table, const char *who, const deer_space *space,
                         deer_lua_taken *taken);

/* Pushes the training or the test samples of an agent, or those of a learner, as a data set. The
 * caller makes the userdata of that its user value 1. */
void deer_lua_push_dataset(lua_State *L, const deer_space *space, const deer_rng *rng, bool test);

/* ---- tensors ---- */

/* The value at `index` as a tensor, NULL when it is none; whether it shows memory of a program. */
deer_tensor *deer_lua_to_tensor(lua_State *L, int index);
bool deer_lua_is_view(lua_State *L, int index);

/* The picture that is argument `arg`, a tensor of bytes {rows, columns, 3}; raises when it is
 * something else. Valid as long as the tensor. */
deer_image deer_lua_check_image(lua_State *L, int arg);

/* Pushes a tensor of zeros with memory of its own, aligned to 64, that never moves. */
deer_tensor *deer_lua_new_tensor(lua_State *L, deer_dtype dtype, const deer_shape *shape);

/* Pushes a tensor that shows memory of the object at `owner`, which it keeps alive. The owner makes
 * it empty (deer_lua_empty_view) before that memory goes. */
deer_tensor *deer_lua_new_view(lua_State *L, const deer_tensor *shown, int owner);
void deer_lua_empty_view(deer_tensor *view);

/* The name of a type, and a list of dimensions, at `arg`; raise. Reads one without raising; pushes
 * one. */
deer_dtype deer_lua_check_dtype(lua_State *L, int arg);
deer_shape deer_lua_check_shape(lua_State *L, int arg);
deer_status deer_lua_read_shape(lua_State *L, int index, deer_shape *shape);
void deer_lua_push_shape(lua_State *L, const deer_shape *shape);

/* ---- texts of the core ---- */

/* Pushes an empty holder of a text that the core allocates. Pushes the text in it, which is given
 * back; raises DEER_ENOMEM when there is none. */
char **deer_lua_new_text(lua_State *L);
int deer_lua_finish_text(lua_State *L, char **text);

/* Parts of the module: each adds functions to the table on top of the stack. */
void deer_open_info(lua_State *L);
void deer_open_layers(lua_State *L);
void deer_open_rng(lua_State *L);
void deer_open_schedule(lua_State *L);
void deer_open_tensor(lua_State *L);
void deer_open_env(lua_State *L);
void deer_open_luaenv(lua_State *L);
void deer_open_home(lua_State *L);
void deer_open_wrapper(lua_State *L);
void deer_open_algo(lua_State *L);
void deer_open_luaalgo(lua_State *L);
void deer_open_policy(lua_State *L);
void deer_open_dataset(lua_State *L);
void deer_open_agent(lua_State *L);
void deer_open_learner(lua_State *L);
void deer_open_graph(lua_State *L);
void deer_open_program(lua_State *L);
void deer_open_net(lua_State *L);
void deer_open_optimizer(lua_State *L);
void deer_open_json(lua_State *L);
void deer_open_npy(lua_State *L);
void deer_open_csv(lua_State *L);

/* ---- options ---- */

/* Raises "unknown replay 'unifrom'; did you mean 'uniform'?"; `n` names are known. */
int deer_lua_unknown(lua_State *L, const char *noun, const char *name, const char *const *names,
                     size_t n);

/* Raises an error with the user's file and line in front; the format is that of lua_pushfstring. */
int deer_lua_fail(lua_State *L, const char *format, ...);

/* As luaL_argerror, luaL_checkinteger and luaL_checknumber, but with the user's file and line where
 * the method is called by deer's own Lua files. */
int deer_lua_bad_argument(lua_State *L, int arg, const char *message);
lua_Integer deer_lua_check_integer(lua_State *L, int arg);
double deer_lua_check_number(lua_State *L, int arg);

/* Raises "option 'epsilon': expected a number, got nil" about the value at `index`. */
int deer_lua_bad_option(lua_State *L, const char *name, const char *expected, int index);

/* Raises unless the value at `arg` is a table of options. */
void deer_lua_check_options(lua_State *L, int arg);

/* Options of the table at `table`; `fallback` when absent. Raise when it is of another type or a
 * whole number below `least`. A word stays valid as long as the table holds it. */
lua_Integer deer_lua_integer_option(lua_State *L, int table, const char *name, lua_Integer fallback,
                                    lua_Integer least);
double deer_lua_number_option(lua_State *L, int table, const char *name, double fallback);
bool deer_lua_boolean_option(lua_State *L, int table, const char *name, bool fallback);
const char *deer_lua_word_option(lua_State *L, int table, const char *name, const char *fallback);

/* The options with names in the table at `index` (nil: none), sorted by name, so that of several
 * wrong ones always the same is reported. Entries without a name are passed over. Pushes a value
 * that keeps the array alive; the texts belong to the table. */
const deer_option *deer_lua_options(lua_State *L, int index, int *n);

/* A kind of replay by its name; raises with the nearest name. */
const deer_replay_class *deer_lua_replay(lua_State *L, const char *name);

/* The network described by the value at `index`, in a userdata that is pushed; NULL for nil. */
const deer_net_spec *deer_lua_network(lua_State *L, int index, const deer_space *space);

#endif
