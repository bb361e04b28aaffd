/* value.c: learning of action values. */
#include "rl/rl.h"

deer_node deer_q_learning(deer_graph *g, deer_node q_tm1, const deer_transition *transition,
                          deer_node q_t, deer_node selector_t) {
  deer_node best_a_t = deer_argmax_last(g, selector_t);
  deer_node v_t = deer_gather(g, q_t, best_a_t);
  deer_node target = deer_add(g, transition->r_t, deer_mul(g, transition->discount_t, v_t));
  return deer_sub(g, deer_stop(g, target), deer_gather(g, q_tm1, transition->a_tm1));
}
