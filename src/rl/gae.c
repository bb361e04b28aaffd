/* gae.c: advantages along the steps of an environment. */
#include "rl/rl.h"

void deer_gae(const deer_trajectory *steps, double discount, double lambda, deer_real *advantage) {
  double later = 0, v_t = 0; /* the advantage and the value that the next step begins with */
  for (int64_t i = steps->n - 1; i >= 0; i--) {
    const deer_ending ending = steps->ending[i];
    if (ending == DEER_TRUNCATED || i == steps->n - 1) v_t = (double)steps->v_cut[i], later = 0;
    if (ending == DEER_TERMINATED) v_t = later = 0;
    const double v_tm1 = (double)steps->v_tm1[i];
    const double delta = (double)steps->r_t[i] + discount * v_t - v_tm1;
    later = delta + discount * lambda * later;
    advantage[i] = (deer_real)later;
    v_t = v_tm1;
  }
}
