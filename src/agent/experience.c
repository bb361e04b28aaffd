/* experience.c: what an algo learns from, and when there is enough of it. */
#include "agent/internal.h"

#include <string.h>

enum { USUAL_SIZE = 1000000 };

/* how many fresh samples of each environment an algo learns from; 0: it learns from any */
static int64_t horizon(const deer_algo *algo) {
  return algo->kind->horizon ? algo->kind->horizon(algo) : 0;
}

/* an algo that learns from fresh samples draws none of them */
static deer_status check_fresh(const deer_experience_config *c) {
  if (strcmp(c->replay->name, "uniform") != 0)
    return deer_fail(DEER_EINVAL,
                     "the replay is '%s', but %s learns from its newest samples, each of which "
                     "counts the same (expected uniform)",
                     c->replay->name, c->algo->kind->name);
  if (c->start_size != -1)
    return deer_fail(DEER_EINVAL,
                     "replay_start_size is %lld, but %s learns from what it does itself, from the "
                     "first step on (expected none)",
                     (long long)c->start_size, c->algo->kind->name);
  return DEER_OK;
}

/* what is gathered by chance before the algo acts */
static deer_status check(const deer_experience_config *c) {
  if (horizon(c->algo) > 0) return check_fresh(c);
  int longest = deer_space_longest(&c->algo->space);
  if (c->start_size != -1 && c->start_size < longest)
    return deer_fail(DEER_EINVAL,
                     "replay_start_size is %lld (expected at least %d, the longest history)",
                     (long long)c->start_size, longest);
  /* else it would act at random for ever */
  int64_t start_size = c->start_size == -1 ? longest : c->start_size;
  int64_t size = c->size == 0 ? USUAL_SIZE : c->size;
  if (size >= 1 && start_size >= size)
    return deer_fail(
        DEER_EINVAL,
        "a replay memory of %lld never holds more than replay_start_size %lld (expected less)",
        (long long)size, (long long)start_size);
  return DEER_OK;
}

/* samples kept: what was asked for, but no fewer than an algo learns from */
static int64_t size_of(const deer_experience *e, const deer_experience_config *c) {
  int64_t lanes = c->lanes > 0 ? c->lanes : 1;
  int64_t least = lanes * (e->horizon + deer_space_longest(&c->algo->space) + 1);
  if (e->horizon > 0) return c->size > least ? c->size : least;
  return c->size == 0 ? USUAL_SIZE : c->size;
}

deer_status deer_experience_init(deer_experience *e, const deer_experience_config *c) {
  DEER_TRY(check(c));
  *e = (deer_experience){.algo = c->algo, .horizon = horizon(c->algo)};
  e->rng = deer_rng_split(c->rng, "replay");
  e->size = size_of(e, c);
  if (e->horizon == 0)
    e->start_size = c->start_size == -1 ? deer_space_longest(&c->algo->space) : c->start_size;
  /* every fresh sample counts, also the first of an episode */
  e->only_full_history = c->only_full_history && e->horizon == 0;
  deer_replay_config config = {.space = &c->algo->space,
                               .capacity = e->size,
                               .lanes = c->lanes,
                               .only_full_history = e->only_full_history,
                               .options = c->options,
                               .n_options = c->n_options};
  return deer_replay_new(c->replay, &config, &e->replay);
}

void deer_experience_finish(deer_experience *e) { deer_replay_free(e->replay); }

int64_t deer_experience_test_size(const deer_experience *e, int64_t length) {
  int64_t most = e->horizon > 0 ? USUAL_SIZE : e->size;
  return length < most ? length : most;
}

bool deer_experience_gathers(const deer_experience *e) {
  return e->horizon == 0 && deer_replay_count(e->replay) <= e->start_size;
}

deer_status deer_experience_learn(deer_experience *e, double *loss) {
  if (deer_experience_gathers(e))
    return deer_fail(DEER_EAGAIN, "samples gathered so far: %lld (expected more than %lld)",
                     (long long)deer_replay_count(e->replay), (long long)e->start_size);
  return deer_algo_learn(e->algo, e->replay, &e->rng, loss);
}
