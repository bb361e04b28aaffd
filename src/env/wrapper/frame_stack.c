/* frame_stack.c: longer histories. The agent keeps them; the environment inside gives the present
 * observation, as ever. */
#include "env/wrapper.h"

#include <limits.h>
#include <string.h>

typedef struct frame_stack {
  deer_wrapper wrapper;
  int64_t frames;
  void *history[DEER_MAX_SUBJECTS]; /* what the inner environment gives at a reset */
} frame_stack;

static const deer_field fields[] = {
    {"frames", DEER_FIELD_INT, offsetof(frame_stack, frames), .fallback = 4, .min = 1, .max = 1000,
     .help = "how many times as long histories become", .search_min = 1, .search_max = 8},
    {0}};

static deer_status init(deer_env *self, const deer_rng *rng) {
  frame_stack *w = (frame_stack *)self;
  (void)rng;
  for (int s = 0; s < self->space.n_subjects; s++) {
    deer_subject *subject = &self->space.subjects[s];
    w->history[s] = deer_alloc(deer_history_bytes(subject));
    if (!w->history[s]) return DEER_ENOMEM;
    if (subject->history > INT_MAX / w->frames)
      return deer_fail(DEER_EINVAL, "frame_stack: a history of %d times %lld is too long",
                       subject->history, (long long)w->frames);
    subject->history *= (int)w->frames;
  }
  return DEER_OK;
}

/* what came before the first observation stays next to it; further back there are zeros */
static deer_status reset(deer_env *self, int mode, void *const *history) {
  frame_stack *w = (frame_stack *)self;
  const deer_space *inner = &w->wrapper.inner->space;
  for (int s = 0; s < inner->n_subjects; s++)
    memset(w->history[s], 0, deer_history_bytes(&inner->subjects[s]));
  DEER_TRY(deer_wrapped_reset(self, mode, w->history));
  for (int s = 0; s < inner->n_subjects; s++) {
    size_t bytes = deer_history_bytes(&inner->subjects[s]);
    char *end = (char *)history[s] + deer_history_bytes(&self->space.subjects[s]);
    memcpy(end - bytes, w->history[s], bytes);
  }
  return DEER_OK;
}

static void finish(deer_env *self) {
  for (int s = 0; s < DEER_MAX_SUBJECTS; s++) deer_free(((frame_stack *)self)->history[s]);
}

const deer_env_class deer_wrapper_frame_stack = {
    DEER_WRAPPED,
    .name = "frame_stack",
    .help = "histories several times as long, so that a state shows how things move",
    .size = sizeof(frame_stack),
    .fields = fields,
    .init = init,
    .reset = reset,
    .act = deer_wrapped_act,
    .observe = deer_wrapped_observe,
    .finish = finish};
