/* value.c: learning of action values. */
#include "rl/rl.h"

deer_node deer_td_target(deer_graph *g, const deer_transition *transition, deer_node v_t) {
  deer_node later = deer_mul(g, transition->discount_t, v_t);
  return deer_stop(g, deer_add(g, transition->r_t, later));
}

deer_node deer_q_learning(deer_graph *g, deer_node q_tm1, const deer_transition *transition,
                          deer_node q_t, deer_node selector_t) {
  deer_node v_t = deer_gather(g, q_t, deer_argmax_last(g, selector_t));
  deer_node target = deer_td_target(g, transition, v_t);
  return deer_sub(g, target, deer_gather(g, q_tm1, transition->a_tm1));
}
