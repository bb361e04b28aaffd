/* clip_observation.c: no number of an observation is further from 0 than a bound. */
#include "env/wrapper.h"

typedef struct clip_observation {
  deer_wrapper wrapper;
  double bound;
} clip_observation;

static const deer_field fields[] = {{"bound", DEER_FIELD_REAL, offsetof(clip_observation, bound),
                                     .fallback = 10, .min = 1e-30, .max = 1e30,
                                     .help = "the largest number, and its negative the smallest"},
                                    {0}};

/* bytes are left as they are */
static void clip(const clip_observation *w, const deer_subject *subject, void *data, size_t n) {
  deer_real *x = data, bound = (deer_real)w->bound;
  if (subject->dtype != DEER_DTYPE_REAL) return;
  for (size_t i = 0; i < n; i++) x[i] = x[i] > bound ? bound : x[i] < -bound ? -bound : x[i];
}

static deer_status reset(deer_env *self, int mode, void *const *history) {
  const deer_space *space = &self->space;
  DEER_TRY(deer_wrapped_reset(self, mode, history));
  for (int s = 0; s < space->n_subjects; s++) {
    const deer_subject *subject = &space->subjects[s];
    clip((const clip_observation *)self, subject, history[s],
         (size_t)subject->history * deer_subject_count(subject));
  }
  return DEER_OK;
}

static deer_status observe(deer_env *self, void *const *observation) {
  const deer_space *space = &self->space;
  DEER_TRY(deer_wrapped_observe(self, observation));
  for (int s = 0; s < space->n_subjects; s++)
    clip((const clip_observation *)self, &space->subjects[s], observation[s],
         deer_subject_count(&space->subjects[s]));
  return DEER_OK;
}

const deer_env_class deer_wrapper_clip_observation = {
    DEER_WRAPPED,
    .name = "clip_observation",
    .help = "keeps the numbers of observations within a bound",
    .size = sizeof(clip_observation),
    .fields = fields,
    .init = deer_wrapped_init,
    .reset = reset,
    .act = deer_wrapped_act,
    .observe = observe};
