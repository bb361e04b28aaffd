/* algo.c: registry and life of algorithms. */
#include "deer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ALGO(name) extern const deer_algo_class deer_algo_##name;
#include "algo/algos.def"
#undef ALGO

static const deer_algo_class *const classes[] = {
#define ALGO(name) &deer_algo_##name,
#include "algo/algos.def"
#undef ALGO
};

const deer_algo_class *deer_algo_at(int i) {
  return i >= 0 && i < (int)(sizeof classes / sizeof *classes) ? classes[i] : NULL;
}

const deer_algo_class *deer_algo_find(const char *name) {
  for (int i = 0; deer_algo_at(i); i++)
    if (strcmp(deer_algo_at(i)->name, name) == 0) return deer_algo_at(i);
  return NULL;
}

static deer_status check_actions(const deer_algo_class *kind, const deer_action_space *actions) {
  deer_action_kind needed = deer_actions_kind(actions);
  if (kind->caps & needed) return DEER_OK;
  char all[64] = "";
  for (unsigned i = 1; i < DEER_ALGO_ANY; i *= 2)
    if (kind->caps & i)
      strcat(strcat(all, *all ? " or " : ""), deer_action_kind_name((deer_action_kind)i));
  return deer_fail(DEER_EINVAL, "%s works with %s actions, the environment has %s ones", kind->name,
                   all, deer_action_kind_name(needed));
}

static deer_status start(deer_algo *algo, const deer_algo_config *config) {
  const deer_algo_class *kind = algo->kind;
  if (kind->abi != DEER_ALGO_ABI)
    return deer_fail(DEER_EINVAL, "%s: made for version %d of the interface, this is %d",
                     kind->name, kind->abi, DEER_ALGO_ABI);
  DEER_TRY(deer_space_check(config->space));
  DEER_TRY(check_actions(kind, &config->space->actions));
  algo->space = *config->space;
  deer_fields_default(kind->fields, algo);
  for (int i = 0; i < config->n_options; i++)
    DEER_TRY(
        deer_fields_set(kind->fields, algo, config->options[i].name, config->options[i].value));
  if (algo->normalize_observations) DEER_TRY(deer_normalizer_new(&algo->space, &algo->normalizer));
  if (algo->normalize_rewards) DEER_TRY(deer_reward_scale_new(&algo->reward_scale));
  return kind->init(algo, config->net, config->rng);
}

deer_status deer_algo_new(const deer_algo_class *kind, const deer_algo_config *config,
                          deer_algo **algo) {
  *algo = NULL;
  deer_algo *made = deer_alloc(kind->size);
  if (!made) return DEER_ENOMEM;
  made->kind = kind;
  deer_status status = start(made, config);
  if (status == DEER_OK)
    *algo = made;
  else
    deer_algo_free(made);
  return status;
}

void deer_algo_free(deer_algo *algo) {
  if (!algo) return;
  if (algo->kind->finish) algo->kind->finish(algo);
  deer_normalizer_free(algo->normalizer);
  deer_reward_scale_free(algo->reward_scale);
  deer_free(algo);
}

/* ---- running statistics ---- */

void deer_algo_observed(deer_algo *algo, const void *const *observation) {
  if (algo->normalizer) deer_normalizer_observe(algo->normalizer, observation);
}

deer_status deer_algo_rewarded(deer_algo *algo, int lane, double reward, bool over) {
  const deer_reward_step step = {lane, reward, algo->discount, over};
  return algo->reward_scale ? deer_reward_scale_count(algo->reward_scale, &step) : DEER_OK;
}

void deer_algo_states(const deer_space *space, deer_graph *g, const char *name, int batch,
                      deer_node *states) {
  for (int s = 0; s < space->n_subjects; s++) {
    const deer_subject *subject = &space->subjects[s];
    char full[32];
    snprintf(full, sizeof full, "%s_%d", name, s);
    states[s] = deer_input(g, full, subject->dtype, deer_subject_batch(subject, batch));
  }
}

int deer_algo_distribution_size(const deer_action_space *actions) {
  if (deer_actions_kind(actions) == DEER_ACTIONS_CONTINUOUS) return 2 * actions->size;
  int sum = actions->n;
  for (int i = 0; i < actions->size; i++) sum += actions->choices[i];
  return sum;
}

deer_status deer_algo_distribution(deer_algo *algo, const void *const *state, deer_real *numbers) {
  if (algo->kind->distribution) return algo->kind->distribution(algo, state, numbers);
  return deer_fail(DEER_EINVAL,
                   "%s knows no probabilities of actions: expected an algorithm that "
                   "learns a distribution over them",
                   algo->kind->name);
}

deer_node deer_algo_rewards(deer_algo *algo, deer_graph *g, deer_node r_t) {
  return algo->reward_scale ? deer_scale_rewards(algo->reward_scale, g, r_t) : r_t;
}

static void publish(deer_algo *algo) {
  if (algo->normalizer) deer_normalizer_publish(algo->normalizer);
  if (algo->reward_scale) deer_reward_scale_publish(algo->reward_scale);
}

deer_status deer_algo_learn(deer_algo *algo, deer_replay *replay, deer_rng *rng, double *loss) {
  bool on_policy = algo->kind->horizon != NULL;
  if (!on_policy) publish(algo);
  DEER_TRY(algo->kind->learn(algo, replay, rng, loss));
  if (on_policy) publish(algo);
  return DEER_OK;
}

void deer_algo_visit(deer_algo *algo, void *context,
                     void (*visit)(void *context, const char *name, const deer_shape *shape,
                                   deer_real *data)) {
  if (algo->kind->visit) algo->kind->visit(algo, context, visit);
  if (algo->normalizer) deer_normalizer_visit(algo->normalizer, context, visit);
  if (algo->reward_scale) deer_reward_scale_visit(algo->reward_scale, context, visit);
}

deer_status deer_algo_diverged(const deer_algo *algo, double loss, int64_t update) {
  /* a NaN is printed with its sign */
  return deer_fail(DEER_EDATA, "the loss became %g at update %lld (learning rate %g)",
                   isnan(loss) ? NAN : loss, (long long)update, algo->learning_rate);
}

enum { CARRY = 1 << 20, MOST_CARRIED = 1 << 24 };

static bool counts(deer_real x) { return x >= 0 && x < MOST_CARRIED; }

int64_t deer_algo_read_count(const deer_real kept[2]) {
  return counts(kept[0]) && counts(kept[1]) ? (int64_t)kept[0] * CARRY + (int64_t)kept[1] : 0;
}

void deer_algo_write_count(int64_t n, deer_real kept[2]) {
  kept[0] = (deer_real)(n / CARRY);
  kept[1] = (deer_real)(n % CARRY);
}

deer_status deer_algo_set_learning_rate(deer_algo *algo, double rate) {
  if (!(rate >= 0 && isfinite(rate)))
    return deer_fail(DEER_EINVAL, "learning rate: expected a number of at least 0, got %g", rate);
  algo->learning_rate = rate;
  return DEER_OK;
}

deer_status deer_algo_set_discount(deer_algo *algo, double discount) {
  if (!(discount >= 0 && discount <= 1))
    return deer_fail(DEER_EINVAL, "discount factor: expected a number between 0 and 1, got %g",
                     discount);
  algo->discount = discount;
  return DEER_OK;
}
