/* actor_critic_run.c: the programs with which actor-critics act; acting and learning by programs.
 */
#include "algo/actor_critic.h"

#include <math.h>
#include <string.h>

/* ---- programs ---- */

static deer_node parameters(deer_graph *g, const deer_ac_part *part) {
  return deer_variable(g, part->name, part->online, deer_net_size(part->net));
}

static deer_node smallest_value(deer_actor_critic *ac, deer_graph *g, const deer_node *states,
                                deer_node action) {
  deer_node q = DEER_NONE;
  for (int i = 0; i < ac->n_critics; i++) {
    deer_node block = parameters(g, &ac->critic[i]);
    deer_node q_i = deer_ac_value(ac, g, block, states, action);
    q = i == 0 ? q_i : deer_clipped_double_q(g, q, q_i);
  }
  return q;
}

static deer_status build_acting(deer_actor_critic *ac, deer_graph *g, deer_ac_acting *acting,
                                int rows) {
  deer_node states[DEER_MAX_SUBJECTS], outputs[2];
  deer_algo_states(&ac->base.space, g, "state", rows, states);
  deer_node block = parameters(g, &ac->actor);
  outputs[0] = acting->policy(ac, g, deer_ac_actor(ac, g, block, states));
  if (acting->valued) outputs[1] = smallest_value(ac, g, states, outputs[0]);
  DEER_TRY(deer_compile(g, outputs, acting->valued ? 2 : 1, &acting->program));
  for (int s = 0; s < ac->base.space.n_subjects; s++)
    acting->state[s] = deer_program_data(acting->program, states[s]);
  acting->action = deer_program_data(acting->program, outputs[0]);
  if (acting->valued) acting->value = deer_program_data(acting->program, outputs[1]);
  acting->rows = rows;
  return DEER_OK;
}

/* compiles a program that acts, in place of the one that is there for another number of rows */
static deer_status make_acting(deer_actor_critic *ac, deer_ac_acting *acting, int rows) {
  if (acting->rows == rows) return DEER_OK;
  deer_program_free(acting->program);
  *acting = (deer_ac_acting){.policy = acting->policy, .valued = acting->valued};
  deer_graph *g = deer_graph_new();
  deer_status status = g ? build_acting(ac, g, acting, rows) : DEER_ENOMEM;
  deer_graph_free(g);
  return status;
}

deer_status deer_ac_build_acting(deer_actor_critic *ac, deer_ac_policy *best,
                                 deer_ac_policy *drawn) {
  ac->best = ac->best_rows = (deer_ac_acting){.policy = best};
  ac->valued = ac->valued_rows = (deer_ac_acting){.policy = best, .valued = true};
  ac->drawn = ac->drawn_rows = (deer_ac_acting){.policy = drawn};
  DEER_TRY(make_acting(ac, &ac->best, 1));
  DEER_TRY(make_acting(ac, &ac->valued, 1));
  return drawn ? make_acting(ac, &ac->drawn, 1) : DEER_OK;
}

/* ---- acting ---- */

/* from -1 .. 1 to the box */
static void scale_out(const deer_actor_critic *ac, const deer_real *from, deer_real *action) {
  const deer_action_space *space = &ac->base.space.actions;
  for (int i = 0; i < space->size; i++) {
    deer_real x = ac->middle[i] + ac->half[i] * from[i];
    /* the box as deer_action_check has it, which rounding must not leave */
    deer_real low = (deer_real)space->low[i], high = (deer_real)space->high[i];
    action[i] = x < low ? low : x > high ? high : x;
  }
}

static void run_program(deer_actor_critic *ac, const deer_ac_acting *acting,
                        const void *const *state) {
  const deer_space *space = &ac->base.space;
  size_t rows = (size_t)acting->rows;
  for (int s = 0; s < space->n_subjects; s++) {
    const deer_subject *subject = &space->subjects[s];
    memcpy(acting->state[s], state[s], rows * deer_history_bytes(subject));
  }
  deer_program_run(acting->program);
}

static void run_acting(deer_actor_critic *ac, const deer_ac_acting *acting,
                       const void *const *state, deer_real *action) {
  const deer_space *space = &ac->base.space;
  size_t rows = (size_t)acting->rows, size = (size_t)space->actions.size;
  run_program(ac, acting, state);
  const int32_t *chosen = acting->action;
  const deer_real *inside = acting->action;
  for (size_t i = 0; i < rows; i++)
    if (space->actions.n > 0)
      action[i] = (deer_real)chosen[i];
    else
      scale_out(ac, inside + i * size, action + i * size);
}

deer_status deer_ac_act_rows(deer_algo *self, int n, const void *const *state, deer_real *action,
                             double *value) {
  deer_actor_critic *ac = (deer_actor_critic *)self;
  deer_ac_acting *one = value ? &ac->valued : &ac->best;
  deer_ac_acting *many = value ? &ac->valued_rows : &ac->best_rows, *acting = n == 1 ? one : many;
  DEER_TRY(make_acting(ac, acting, n));
  run_acting(ac, acting, state, action);
  for (int i = 0; i < n && value; i++) value[i] = (double)acting->value[i];
  return DEER_OK;
}

deer_status deer_ac_act(deer_algo *self, const void *const *state, deer_real *action,
                        double *value) {
  return deer_ac_act_rows(self, 1, state, action, value);
}

deer_status deer_ac_explore_rows(deer_algo *self, int n, const void *const *state, deer_rng *rng,
                                 deer_real *action) {
  deer_actor_critic *ac = (deer_actor_critic *)self;
  deer_ac_acting *acting = n == 1 ? &ac->drawn : &ac->drawn_rows;
  DEER_TRY(make_acting(ac, acting, n));
  ac->noise = *rng;
  run_acting(ac, acting, state, action);
  *rng = ac->noise;
  return DEER_OK;
}

deer_status deer_ac_explore(deer_algo *self, const void *const *state, deer_rng *rng,
                            deer_real *action) {
  return deer_ac_explore_rows(self, 1, state, rng, action);
}

static deer_node outputs_themselves(deer_actor_critic *ac, deer_graph *g, deer_node outputs) {
  (void)ac, (void)g;
  return outputs;
}

deer_status deer_ac_told(deer_actor_critic *ac, const void *const *state, const deer_real **said) {
  ac->told.policy = outputs_themselves;
  DEER_TRY(make_acting(ac, &ac->told, 1));
  run_program(ac, &ac->told, state);
  *said = ac->told.action;
  return DEER_OK;
}

/* ---- learning ---- */

/* actions of the box, if that is what they are, to -1 .. 1 */
static void normalize(const deer_actor_critic *ac, const deer_batch *batch) {
  int size = batch->action_tm1 ? ac->base.space.actions.size : 0;
  for (int i = 0; i < size; i++) {
    deer_real middle = ac->middle[i], scale = ac->half[i] > 0 ? 1 / ac->half[i] : 0;
    for (int row = 0; row < batch->size; row++) {
      deer_real *x = &batch->action_tm1[row * size + i];
      *x = (*x - middle) * scale;
    }
  }
}

int64_t deer_ac_updates(const deer_actor_critic *ac) { return deer_algo_read_count(ac->updates); }

deer_status deer_ac_learn(deer_actor_critic *ac, int i, deer_replay *replay, deer_rng *rng,
                          double *loss) {
  deer_ac_update *update = &ac->update[i];
  update->batch.discount = ac->base.discount;
  DEER_TRY(deer_replay_sample(replay, rng, &update->batch));
  normalize(ac, &update->batch);
  ac->rate = (deer_real)ac->base.learning_rate;
  ac->rate_of_actor = (deer_real)(ac->base.learning_rate * ac->actor_rate);
  ac->gamma = (deer_real)ac->base.discount;
  ac->noise = *rng;
  deer_program_run(update->program);
  *rng = ac->noise;
  ac->base.updates = deer_ac_updates(ac) + 1;
  deer_algo_write_count(ac->base.updates, ac->updates);
  *loss = sqrt((double)*update->loss);
  if (isfinite(*loss))
    return deer_replay_update(replay, update->batch.size, ac->index, update->error);
  return deer_algo_diverged(&ac->base, *loss, ac->base.updates);
}
