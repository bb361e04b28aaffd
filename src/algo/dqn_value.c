/* dqn_value.c: last layers and losses of deep Q-networks that learn values or distributions of
 * returns. */
#include "algo/dqn_value.h"

#include <string.h>

/* ---- network ---- */

static deer_value number(double x) { return (deer_value){DEER_VALUE_NUMBER, x, NULL}; }

static deer_status copy_option(const deer_layer_spec *from, const char *name, deer_layer_spec *to) {
  const deer_field *field = deer_fields_find(deer_layer_fields(from->kind), name);
  return deer_layer_set(to, name, deer_fields_get(field, from->options.bytes));
}

/* a noisy layer for each dense one, as large and with the same activation */
static deer_status make_noisy(const deer_dqn_value *v, deer_layer_list *list) {
  for (int i = 0; i < list->n; i++) {
    const deer_layer_spec dense = list->layers[i];
    if (strcmp(deer_layer_name(dense.kind), "dense") != 0) continue;
    deer_layer_spec *noisy = &list->layers[i];
    DEER_TRY(deer_layer_make("noisy", noisy));
    DEER_TRY(copy_option(&dense, "units", noisy));
    DEER_TRY(copy_option(&dense, "activation", noisy));
    DEER_TRY(deer_layer_set(noisy, "sigma", number(v->noisy_sigma)));
  }
  return DEER_OK;
}

static deer_status make_all_noisy(const deer_dqn_value *v, deer_net_spec *spec) {
  for (int s = 0; s < spec->n_branches; s++) DEER_TRY(make_noisy(v, &spec->branches[s]));
  for (int i = 0; i < spec->n_heads; i++) DEER_TRY(make_noisy(v, &spec->heads[i].layers));
  return make_noisy(v, &spec->trunk);
}

static deer_status make_output(const deer_dqn_value *v, deer_layer_spec *output) {
  const double sigma = v->noisy ? v->noisy_sigma : 0;
  if (!v->dueling) {
    DEER_TRY(deer_output_make(v->noisy ? "noisy" : "dense", output));
    return v->noisy ? deer_layer_set(output, "sigma", number(sigma)) : DEER_OK;
  }
  DEER_TRY(deer_output_make("dueling", output));
  DEER_TRY(deer_layer_set(output, "hidden", number((double)v->dueling_hidden)));
  return deer_layer_set(output, "sigma", number(sigma));
}

/* options that contradict each other */
static deer_status check(const deer_dqn_value *v, const deer_net_spec *spec) {
  if (v->distribution == DEER_DQN_CATEGORICAL && !(v->v_min < v->v_max))
    return deer_fail(DEER_EINVAL, "expected v_min below v_max, got %g and %g", v->v_min, v->v_max);
  if (v->dueling_hidden > 0 && !v->dueling)
    return deer_fail(DEER_EINVAL, "option 'dueling_hidden' is of dueling networks: set 'dueling'");
  if (spec->output.kind && (v->dueling || v->noisy))
    return deer_fail(DEER_EINVAL,
                     "option '%s' chooses the last layer, but the network has an output of its own",
                     v->dueling ? "dueling" : "noisy");
  return DEER_OK;
}

deer_status deer_dqn_value_net(const deer_dqn_value *v, const deer_net_spec *spec,
                               const deer_space *space, deer_net **net) {
  deer_net_spec wanted = *spec;
  deer_layer_spec output;
  DEER_TRY(check(v, spec));
  if (v->noisy) DEER_TRY(make_all_noisy(v, &wanted));
  DEER_TRY(make_output(v, &output));
  const deer_net_head head = {.name = "output",
                              .units = space->actions.n,
                              .atoms = v->distribution == DEER_DQN_VALUES ? 0 : (int)v->atoms,
                              .output = &output};
  return deer_net_new_heads(&wanted, space, &head, 1, net);
}

/* ---- values ---- */

static deer_support support_of(const deer_dqn_value *v) {
  return (deer_support){v->v_min, v->v_max, (int)v->atoms};
}

deer_node deer_dqn_value_mean(const deer_dqn_value *v, deer_graph *g, deer_node said) {
  if (v->distribution == DEER_DQN_VALUES) return said;
  if (v->distribution == DEER_DQN_QUANTILE) return deer_mean(g, said, DEER_AXIS(2));
  const deer_support support = support_of(v);
  deer_node z =
      deer_expand(g, deer_support_values(g, &support), deer_node_shape(g, said), DEER_AXIS(2));
  return deer_sum(g, deer_mul(g, deer_softmax(g, said, 2), z), DEER_AXIS(2));
}

/* ---- losses ---- */

/* what is said about the action taken: [batch, actions, atoms] -> [batch, atoms] */
static deer_node of_action(deer_graph *g, deer_node said, deer_node action) {
  const deer_shape shape = deer_node_shape(g, said);
  deer_node taken = deer_one_hot(g, action, shape.dim[1]);
  taken = deer_expand(g, taken, shape, DEER_AXIS(0) | DEER_AXIS(1));
  return deer_sum(g, deer_mul(g, said, taken), DEER_AXIS(1));
}

/* Bellemare et al., algorithm 1 */
static deer_node categorical_losses(const deer_dqn_value *v, deer_graph *g,
                                    const deer_dqn_step *step) {
  const deer_support support = support_of(v);
  const deer_transition *seen = step->transition;
  deer_node p_t = deer_softmax(g, of_action(g, step->t, step->a_t), 1);
  deer_node target = deer_categorical_projection(g, &support, seen->r_t, seen->discount_t, p_t);
  deer_node log_p = deer_log_softmax(g, of_action(g, step->tm1, seen->a_tm1), 1);
  return deer_neg(g, deer_sum(g, deer_mul(g, target, log_p), DEER_AXIS(1)));
}

/* Dabney et al., algorithm 1 */
static deer_node quantile_losses(deer_graph *g, const deer_dqn_step *step, double threshold) {
  const deer_transition *seen = step->transition;
  deer_node theta_t = of_action(g, step->t, step->a_t);
  const deer_shape shape = deer_node_shape(g, theta_t);
  deer_node discount_t = deer_expand(g, seen->discount_t, shape, DEER_AXIS(0));
  deer_node r_t = deer_expand(g, seen->r_t, shape, DEER_AXIS(0));
  deer_node target = deer_add(g, r_t, deer_mul(g, discount_t, theta_t));
  deer_node theta_tm1 = of_action(g, step->tm1, seen->a_tm1);
  return deer_quantile_huber(g, theta_tm1, DEER_NONE, target, threshold);
}

deer_node deer_dqn_value_losses(const deer_dqn_value *v, deer_graph *g, const deer_dqn_step *step,
                                double threshold) {
  return v->distribution == DEER_DQN_CATEGORICAL ? categorical_losses(v, g, step)
                                                 : quantile_losses(g, step, threshold);
}
