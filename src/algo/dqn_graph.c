/* dqn_graph.c: what a deep Q-network computes: the best actions in states, and an update from a
 * batch. */
#include "algo/dqn.h"

/* ---- acting ---- */

/* what the network says about states, with the noise of layers that have one or without */
static deer_node say(const deer_dqn *d, deer_graph *g, const deer_net_call *call) {
  deer_node said = DEER_NONE;
  deer_net_apply_heads(d->net, g, call, &said);
  return said;
}

static deer_status build_acting(deer_dqn *d, deer_graph *g, deer_dqn_acting *a, int rows) {
  deer_node states[DEER_MAX_SUBJECTS], block;
  deer_algo_states(&d->base.space, g, "state", rows, states);
  block = deer_variable(g, "online", d->online, deer_net_size(d->net));
  deer_net_call call = {.block = block, .states = states, .noise = a->noise};
  deer_node q = deer_dqn_value_mean(&d->value, g, say(d, g, &call));
  deer_node outputs[] = {q, deer_argmax_last(g, q), deer_max_last(g, q)};
  DEER_TRY(deer_compile(g, outputs, 3, &a->program));
  for (int s = 0; s < d->base.space.n_subjects; s++)
    a->state[s] = deer_program_data(a->program, states[s]);
  a->values = deer_program_data(a->program, outputs[0]);
  a->best = deer_program_data(a->program, outputs[1]);
  a->best_value = deer_program_data(a->program, outputs[2]);
  a->rows = rows;
  return DEER_OK;
}

deer_status deer_dqn_make_acting(deer_dqn *d, deer_dqn_acting *a, int rows, bool noise) {
  if (a->rows == rows) return DEER_OK;
  deer_program_free(a->program);
  *a = (deer_dqn_acting){.noise = noise};
  deer_graph *g = deer_graph_new();
  if (!g) return DEER_ENOMEM;
  deer_status status = build_acting(d, g, a, rows);
  deer_graph_free(g);
  return status;
}

/* ---- updates ---- */

/* the loss of each sample, given its temporal-difference error; [batch] */
static deer_node sample_losses(const deer_dqn *d, deer_graph *g, deer_node td) {
  if (d->batch_accumulator == DEER_DQN_MEAN_OUTPUTS) return deer_square(g, td);
  return d->clip_delta > 0 ? deer_huber(g, td, d->clip_delta)
                           : deer_scale(g, deer_square(g, td), 0.5);
}

static deer_node batch_loss(const deer_dqn *d, deer_graph *g, deer_node losses) {
  if (d->batch_accumulator == DEER_DQN_SUM) return deer_sum(g, losses, DEER_ALL_AXES);
  deer_node mean = deer_mean(g, losses, DEER_ALL_AXES);
  return d->batch_accumulator == DEER_DQN_MEAN ? mean
                                               : deer_scale(g, mean, 1.0 / d->base.space.actions.n);
}

typedef struct update_inputs {
  deer_node obs_tm1[DEER_MAX_SUBJECTS], obs_t[DEER_MAX_SUBJECTS], r_t, continue_t, weight;
  deer_transition transition;
} update_inputs;

static void make_inputs(deer_dqn *d, deer_graph *g, update_inputs *in) {
  int batch = (int)d->batch_size;
  deer_shape shape = DEER_SHAPE(batch);
  deer_algo_states(&d->base.space, g, "obs_tm1", batch, in->obs_tm1);
  deer_algo_states(&d->base.space, g, "obs_t", batch, in->obs_t);
  in->transition.a_tm1 = deer_input(g, "a_tm1", DEER_DTYPE_I32, shape);
  in->r_t = deer_input(g, "r_t", DEER_DTYPE_REAL, shape);
  in->transition.r_t = deer_algo_rewards(&d->base, g, in->r_t);
  in->continue_t = deer_input(g, "continue_t", DEER_DTYPE_REAL, shape);
  in->weight = deer_input(g, "weight", DEER_DTYPE_REAL, shape);
  deer_node gamma = deer_reshape(g, deer_variable(g, "gamma", &d->gamma, 1), DEER_SCALAR);
  in->transition.discount_t = deer_mul(g, in->continue_t, deer_expand(g, gamma, shape, 0));
}

/* where the replay writes a batch */
static void bind_batch(deer_dqn *d, const update_inputs *in) {
  deer_batch *b = &d->batch;
  b->size = (int)d->batch_size;
  for (int s = 0; s < d->base.space.n_subjects; s++) {
    b->obs_tm1[s] = deer_program_data(d->update, in->obs_tm1[s]);
    b->obs_t[s] = deer_program_data(d->update, in->obs_t[s]);
  }
  b->a_tm1 = deer_program_data(d->update, in->transition.a_tm1);
  b->r_t = deer_program_data(d->update, in->r_t);
  b->continue_t = deer_program_data(d->update, in->continue_t);
  b->weight = deer_program_data(d->update, in->weight);
  b->index = d->index;
  b->n_step = (int)d->n_step;
}

/* what a network says while learning */
static deer_node say_noisily(const deer_dqn *d, deer_graph *g, deer_node block,
                             const deer_node *states) {
  return say(d, g, &(deer_net_call){.block = block, .states = states, .noise = true});
}

/* what an update is made of, and [batch] nodes that come out of it */
typedef struct objective {
  deer_node online, target;
  deer_node losses; /* of each sample */
  deer_node errors; /* what a prioritised replay ranks samples by */
} objective;

static void make_objective(const deer_dqn *d, deer_graph *g, const update_inputs *in,
                           objective *o) {
  deer_node tm1 = say_noisily(d, g, o->online, in->obs_tm1);
  deer_node t = say_noisily(d, g, o->target, in->obs_t);
  deer_node selector_t = d->double_q ? say_noisily(d, g, o->online, in->obs_t) : t;
  if (d->value.distribution == DEER_DQN_VALUES) {
    o->errors = deer_q_learning(g, tm1, &in->transition, t, selector_t);
    o->losses = sample_losses(d, g, o->errors);
    return;
  }
  /* distributions have no one difference: the loss takes its place, as in Rainbow (Hessel et al.
   * 2018, arXiv:1710.02298) */
  deer_node a_t = deer_argmax_last(g, deer_dqn_value_mean(&d->value, g, selector_t));
  const deer_dqn_step step = {.transition = &in->transition, .tm1 = tm1, .t = t, .a_t = a_t};
  o->losses = o->errors = deer_dqn_value_losses(&d->value, g, &step, d->clip_delta);
}

/* what each sample costs for being away from skill number k: [batch] */
static deer_node skill_losses(deer_dqn *d, deer_graph *g, const deer_node *states, deer_node now,
                              int k) {
  const int size = deer_net_size(d->net);
  deer_node block = deer_variable(g, "skill", d->skills + (size_t)k * (size_t)size, size);
  deer_net_call call = {.block = block, .states = states};
  deer_node then = deer_dqn_value_mean(&d->value, g, say(d, g, &call));
  deer_node divergence = deer_categorical_kl(g, now, then);
  deer_node weight = deer_variable(g, "skill_weight", d->skill_weight + k, 1);
  weight = deer_reshape(g, weight, DEER_SCALAR);
  return deer_mul(g, divergence, deer_expand(g, weight, deer_node_shape(g, divergence), 0));
}

static deer_node with_skills(deer_dqn *d, deer_graph *g, const deer_node *states, deer_node online,
                             deer_node losses) {
  if (d->n_skills == 0) return losses;
  deer_net_call call = {.block = online, .states = states};
  deer_node now = deer_dqn_value_mean(&d->value, g, say(d, g, &call));
  for (int k = 0; k < (int)d->n_skills; k++)
    losses = deer_add(g, losses, skill_losses(d, g, states, now, k));
  return losses;
}

static deer_status build_update(deer_dqn *d, deer_graph *g) {
  int size = deer_net_size(d->net);
  update_inputs in;
  make_inputs(d, g, &in);
  objective o = {.online = deer_variable(g, "online", d->online, size),
                 .target = deer_variable(g, "target", d->target, size)};
  make_objective(d, g, &in, &o);
  o.losses = with_skills(d, g, in.obs_tm1, o.online, o.losses);
  deer_node loss = batch_loss(d, g, deer_mul(g, o.losses, in.weight)), gradient;
  DEER_TRY(deer_gradients(g, loss, &o.online, 1, &gradient));
  gradient = deer_opt_clip(g, gradient, d->net, &d->clipping);

  deer_node outputs[DEER_OPT_ASSIGNS + 4], rate = deer_variable(g, "learning_rate", &d->rate, 1);
  int n = deer_opt_minimize(d->opt, g, o.online, gradient, rate, outputs);
  if (d->tau > 0) outputs[n++] = deer_soft_update(g, o.target, deer_opt_updated(d->opt), d->tau);
  outputs[n++] = loss;
  outputs[n++] = o.losses;
  outputs[n++] = o.errors;
  DEER_TRY(deer_compile(g, outputs, n, &d->update));
  bind_batch(d, &in);
  d->update_loss = deer_program_data(d->update, loss);
  d->update_losses = deer_program_data(d->update, o.losses);
  d->update_td = deer_program_data(d->update, o.errors);
  return DEER_OK;
}

deer_status deer_dqn_make_update(deer_dqn *d) {
  deer_graph *g = deer_graph_new();
  if (!g) return DEER_ENOMEM;
  deer_status status = build_update(d, g);
  deer_graph_free(g);
  return status;
}
