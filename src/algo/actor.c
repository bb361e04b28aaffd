/* actor.c: distributions over discrete, multi-discrete and continuous actions. */
#include "algo/actor.h"

#include <math.h>

static deer_action_kind kind_of(const deer_actor *actor) {
  return deer_actions_kind(actor->actions);
}

int deer_actor_outputs(const deer_action_space *actions) {
  if (deer_actions_kind(actions) == DEER_ACTIONS_CONTINUOUS) return actions->size;
  int sum = actions->n;
  for (int i = 0; i < actions->size; i++) sum += actions->choices[i];
  return sum;
}

int deer_actor_parameters(const deer_action_space *actions) {
  return deer_actions_kind(actions) == DEER_ACTIONS_CONTINUOUS ? actions->size : 0;
}

/* ---- actions of the environment ---- */

deer_node deer_actor_input(const deer_action_space *actions, deer_graph *g, int batch) {
  const deer_shape wide = DEER_SHAPE(batch, actions->size);
  deer_action_kind kind = deer_actions_kind(actions);
  if (kind == DEER_ACTIONS_DISCRETE)
    return deer_input(g, "a_tm1", DEER_DTYPE_I32, DEER_SHAPE(batch));
  if (kind == DEER_ACTIONS_MULTI_DISCRETE) return deer_input(g, "a_tm1", DEER_DTYPE_I32, wide);
  return deer_input(g, "a_tm1", DEER_DTYPE_REAL, wide);
}

static deer_real middle(const deer_action_space *actions, int i) {
  return (deer_real)(0.5 * (actions->low[i] + actions->high[i]));
}

static deer_real half(const deer_action_space *actions, int i) {
  return (deer_real)(0.5 * (actions->high[i] - actions->low[i]));
}

void deer_actor_encode(const deer_action_space *actions, const deer_real *action, int n,
                       void *input) {
  const int size = actions->size, count = n * size;
  if (deer_actions_kind(actions) != DEER_ACTIONS_CONTINUOUS) {
    for (int i = 0; i < count; i++) ((int32_t *)input)[i] = (int32_t)action[i];
    return;
  }
  deer_real *x = input;
  for (int i = 0; i < size; i++) {
    const deer_real at = middle(actions, i), wide = half(actions, i);
    for (int k = i; k < count; k += size) x[k] = wide > 0 ? (action[k] - at) / wide : 0;
  }
}

void deer_actor_decode(const deer_action_space *actions, const void *data, int n,
                       deer_real *action) {
  const int size = actions->size, count = n * size;
  if (deer_actions_kind(actions) != DEER_ACTIONS_CONTINUOUS) {
    for (int i = 0; i < count; i++) action[i] = (deer_real)((const int32_t *)data)[i];
    return;
  }
  const deer_real *x = data;
  for (int i = 0; i < size; i++) {
    /* the box as deer_action_check has it, which rounding must not leave */
    const deer_real low = (deer_real)actions->low[i], high = (deer_real)actions->high[i];
    for (int k = i; k < count; k += size) {
      const deer_real a = middle(actions, i) + half(actions, i) * x[k];
      action[k] = x[k] <= -1 || a < low ? low : x[k] >= 1 || a > high ? high : a;
    }
  }
}

/* the probabilities of n logits */
static void softmax(const deer_real *logit, int n, deer_real *p) {
  double most = (double)logit[0], sum = 0;
  for (int i = 1; i < n; i++) most = fmax(most, (double)logit[i]);
  for (int i = 0; i < n; i++) sum += exp((double)logit[i] - most);
  for (int i = 0; i < n; i++) p[i] = (deer_real)(exp((double)logit[i] - most) / sum);
}

void deer_actor_tell(const deer_action_space *actions, const deer_real *outputs,
                     const deer_real *log_std, deer_real *numbers) {
  if (actions->n > 0) {
    softmax(outputs, actions->n, numbers);
    return;
  }
  for (int i = 0; i < actions->size; i++) {
    const int n = actions->choices[i];
    if (deer_actions_kind(actions) == DEER_ACTIONS_MULTI_DISCRETE) {
      softmax(outputs, n, numbers);
      outputs += n;
      numbers += n;
      continue;
    }
    deer_moments m = deer_clipped_gaussian_moments((double)outputs[i], exp((double)log_std[i]));
    numbers[i] = middle(actions, i) + half(actions, i) * (deer_real)m.mean;
    numbers[actions->size + i] = half(actions, i) * (deer_real)m.std;
  }
}

/* ---- distributions ---- */

/* the deviations of every sample, [batch, size] */
static deer_node log_std(const deer_actor *actor, deer_graph *g) {
  const deer_shape shape = deer_node_shape(g, actor->outputs);
  return deer_expand(g, actor->log_std, shape, DEER_AXIS(1));
}

deer_node deer_actor_best(const deer_actor *actor, deer_graph *g) {
  const deer_action_space *a = actor->actions;
  if (kind_of(actor) == DEER_ACTIONS_DISCRETE) return deer_categorical_mode(g, actor->outputs);
  if (kind_of(actor) == DEER_ACTIONS_MULTI_DISCRETE)
    return deer_multi_categorical_mode(g, actor->outputs, a->choices, a->size);
  return deer_clip(g, actor->outputs, -1, 1);
}

deer_node deer_actor_drawn(const deer_actor *actor, deer_graph *g, deer_rng *stream) {
  const deer_action_space *a = actor->actions;
  const deer_shape shape = deer_node_shape(g, actor->outputs);
  if (kind_of(actor) == DEER_ACTIONS_CONTINUOUS)
    return deer_clipped_gaussian_sample(g, actor->outputs, log_std(actor, g),
                                        deer_random_normal(g, stream, shape));
  deer_node noise = deer_random_gumbel(g, stream, shape);
  if (kind_of(actor) == DEER_ACTIONS_DISCRETE)
    return deer_categorical_sample(g, actor->outputs, noise);
  return deer_multi_categorical_sample(g, actor->outputs, noise, a->choices, a->size);
}

deer_node deer_actor_log_prob(const deer_actor *actor, deer_graph *g, deer_node action) {
  const deer_action_space *a = actor->actions;
  if (kind_of(actor) == DEER_ACTIONS_DISCRETE)
    return deer_categorical_log_prob(g, actor->outputs, action);
  if (kind_of(actor) == DEER_ACTIONS_MULTI_DISCRETE)
    return deer_multi_categorical_log_prob(g, actor->outputs, action, a->choices, a->size);
  return deer_clipped_gaussian_log_prob(g, actor->outputs, log_std(actor, g), action);
}

deer_node deer_actor_entropy(const deer_actor *actor, deer_graph *g) {
  const deer_action_space *a = actor->actions;
  if (kind_of(actor) == DEER_ACTIONS_DISCRETE) return deer_categorical_entropy(g, actor->outputs);
  if (kind_of(actor) == DEER_ACTIONS_MULTI_DISCRETE)
    return deer_multi_categorical_entropy(g, actor->outputs, a->choices, a->size);
  return deer_gaussian_entropy(g, log_std(actor, g));
}
