/* reward_scale.c: the running deviation of returns. */
#include "rl/reward_scale.h"

#include <math.h>
#include <string.h>

enum { COUNT, MEAN, DEVIATION, SHOWN };

struct deer_reward_scale {
  double count, mean, squares;
  int lanes;
  double *returns; /* of the episode under way in each lane */
  deer_real shown[SHOWN], published[SHOWN], factor;
};

static void show(deer_reward_scale *s) {
  s->factor = 1 / s->shown[DEVIATION];
  memcpy(s->published, s->shown, sizeof s->shown);
}

deer_status deer_reward_scale_new(deer_reward_scale **scale) {
  *scale = deer_alloc(sizeof **scale);
  if (!*scale) return DEER_ENOMEM;
  (*scale)->shown[DEVIATION] = 1;
  show(*scale);
  return DEER_OK;
}

void deer_reward_scale_free(deer_reward_scale *scale) {
  if (scale) deer_free(scale->returns);
  deer_free(scale);
}

static deer_status make_room(deer_reward_scale *s, int lanes) {
  double *more = deer_alloc_array((size_t)lanes, sizeof *more);
  if (!more) return DEER_ENOMEM;
  for (int i = 0; i < s->lanes; i++) more[i] = s->returns[i];
  deer_free(s->returns);
  s->returns = more;
  s->lanes = lanes;
  return DEER_OK;
}

deer_status deer_reward_scale_count(deer_reward_scale *s, const deer_reward_step *step) {
  if (step->lane >= s->lanes) DEER_TRY(make_room(s, step->lane + 1));
  double *running = &s->returns[step->lane];
  *running = *running * step->discount + step->reward;
  double before = *running - s->mean;
  s->count++;
  s->mean += before / s->count;
  s->squares += before * (*running - s->mean);
  if (step->over) *running = 0;
  return DEER_OK;
}

void deer_reward_scale_publish(deer_reward_scale *s) {
  double variance = s->count > 1 ? s->squares / s->count : 0;
  if (!(variance > 1e-12)) return; /* nothing to go by: rewards stay as they are */
  s->shown[COUNT] = (deer_real)s->count;
  s->shown[MEAN] = (deer_real)s->mean;
  s->shown[DEVIATION] = (deer_real)sqrt(variance);
  show(s);
}

double deer_reward_scale_factor(const deer_reward_scale *s) { return (double)s->factor; }

deer_node deer_scale_rewards(deer_reward_scale *s, deer_graph *g, deer_node r_t) {
  deer_node factor = deer_variable(g, "one by deviation of returns", &s->factor, 1);
  factor = deer_reshape(g, factor, DEER_SCALAR);
  return deer_mul(g, r_t, deer_expand(g, factor, deer_node_shape(g, r_t), 0));
}

/* what somebody wrote is what is counted on from */
static void take_over(deer_reward_scale *s) {
  if (memcmp(s->shown, s->published, sizeof s->shown) == 0) return;
  double deviation = (double)s->shown[DEVIATION];
  if (!(deviation > 0)) s->shown[DEVIATION] = 1, deviation = 1;
  s->count = s->shown[COUNT] > 0 ? (double)s->shown[COUNT] : 0;
  s->mean = (double)s->shown[MEAN];
  s->squares = deviation * deviation * s->count;
  show(s);
}

void deer_reward_scale_visit(deer_reward_scale *s, void *context,
                             void (*visit)(void *context, const char *name, const deer_shape *shape,
                                           deer_real *data)) {
  take_over(s);
  visit(context, "reward_scale", &DEER_SHAPE(SHOWN), s->shown);
}
